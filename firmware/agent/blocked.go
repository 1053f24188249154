package agent

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// Blocklist is a file of cards that are not charged, one fingerprint a line: no card number stands in it. It is read again
// when it has changed. A list that is named and not there blocks everything: somebody wanted it looked at.
type Blocklist struct {
	path        string
	fingerprint func(txn.PAN) string

	mu   sync.Mutex
	read time.Time // the file's, when it was read last
	size int64
	list map[string]bool
}

// maxBlocked bounds a list, in cards.
const maxBlocked = 100_000

// NewBlocklist names the file; an empty path blocks nobody.
func NewBlocklist(path string, fingerprint func(txn.PAN) string) *Blocklist {
	return &Blocklist{path: path, fingerprint: fingerprint}
}

// Blocked reports whether a card is on the list.
func (b *Blocklist) Blocked(pan txn.PAN) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	info, err := os.Stat(b.path)
	if err != nil {
		return false, err
	}
	if b.list == nil || !info.ModTime().Equal(b.read) || info.Size() != b.size {
		list, err := readBlocked(b.path, info.Size())
		if err != nil {
			return false, err
		}
		b.list, b.read, b.size = list, info.ModTime(), info.Size()
	}
	return b.list[b.fingerprint(pan)], nil
}

func readBlocked(path string, size int64) (map[string]bool, error) {
	if size > maxBlocked*(txnstore.FingerprintSize+1) {
		return nil, fmt.Errorf("%s holds more than %d cards", path, maxBlocked)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	list := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if line == "" {
			continue
		}
		if len(line) != txnstore.FingerprintSize || strings.Trim(line, "0123456789abcdef") != "" {
			return nil, fmt.Errorf("%s, line %d: not a fingerprint; make the list with posagent blocklist load", path, i+1)
		}
		list[line] = true
	}
	return list, nil
}
