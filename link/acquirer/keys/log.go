package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Deed is what happened to keys.
type Deed string

const (
	Loaded    Deed = "loaded"
	Begun     Deed = "dukpt" // a DUKPT initial key was loaded, or its loading was interrupted
	Destroyed Deed = "destroyed"
)

// Entry is one line of the key log: who, when, what, and never a key.
type Entry struct {
	Deed       Deed      `json:"deed"`
	Generation uint64    `json:"generation,omitempty"`
	At         time.Time `json:"at"`
	Source     Source    `json:"source,omitempty"`
	By         []string  `json:"by,omitempty"`
	Check      string    `json:"check,omitempty"`   // the check value of the key that was loaded
	Counter    uint64    `json:"counter,omitempty"` // of a bundle
	KSN        string    `json:"ksn,omitempty"`     // serial number of a DUKPT initial key, 20 hexadecimal digits
}

// Log remembers who loaded which keys, beyond the keys themselves: a destruction takes the keys, and the counter that old
// bundles are refused by must outlive them. It is a text file, appended to and never rewritten:
//
//	{"deed":"loaded",…} TAB HMAC-SHA-256, 32 hexadecimal digits, of the line before and this one
//
// so that no line can be changed, added or taken out of the middle without the device key. Lines taken off its end are
// missed only while the set of keys that they tell of is there (see Settle). A last line without its end is what a power
// cut left of an append, and counts as not written.
//
// While a Log is open no other process can open it, which keeps two loads of keys apart.
type Log struct {
	f       *os.File
	key     []byte
	last    []byte // code of the newest line
	end     int64
	Entries []Entry // oldest first
	Changed error   // ErrLog with the line at which the log is not as this terminal wrote it
}

// Limits of a log.
const (
	maxLog      = 1 << 20
	maxLogLine  = 1 << 10
	logCodeSize = 16
)

// OpenLog opens the log and locks it; where there is none it is made, with its directory.
func OpenLog(path string, device []byte) (*Log, error) {
	key, err := derive(device, purposeLog)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l := &Log{f: f, key: key}
	if err := l.start(); err != nil {
		return nil, errors.Join(about(path, err), f.Close())
	}
	return l, nil
}

var errLocked = errors.New("another posagent is at the keys; wait until it is done")

func (l *Log) start() error {
	if err := unix.Flock(int(l.f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return errLocked
		}
		return err
	}
	text, err := io.ReadAll(io.LimitReader(l.f, maxLog+1))
	if err != nil {
		return err
	}
	if len(text) > maxLog {
		return fmt.Errorf("the key log is longer than %d bytes; move it to a safe place", maxLog)
	}
	l.read(text)
	return nil
}

// read takes what stands in a log. It stops at the first line that is not this terminal's.
func (l *Log) read(text []byte) {
	for line := 1; len(text) > 0; line++ {
		whole, rest, ended := bytes.Cut(text, []byte{'\n'})
		if !ended {
			return
		}
		entry, code, err := l.open(whole)
		if err != nil {
			l.Changed = fmt.Errorf("%w: line %d is not as it was written", ErrLog, line)
			return
		}
		l.Entries, l.last = append(l.Entries, entry), code
		l.end += int64(len(whole)) + 1
		text = rest
	}
}

func (l *Log) open(line []byte) (e Entry, code []byte, err error) {
	text, digits, _ := bytes.Cut(line, []byte{'\t'})
	code = l.code(text)
	if !hmac.Equal(digits, []byte(hex.EncodeToString(code))) {
		return Entry{}, nil, ErrLog
	}
	return e, code, json.Unmarshal(text, &e)
}

func (l *Log) code(text []byte) []byte {
	h := hmac.New(sha256.New, l.key)
	_, _ = h.Write(l.last) // never fails, by its contract
	_, _ = h.Write(text)
	return h.Sum(nil)[:logCodeSize]
}

// Append writes an entry and syncs it. A log that was changed takes no more.
func (l *Log) Append(e Entry) error {
	if l.Changed != nil {
		return l.Changed
	}
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	code := l.code(text)
	line := append(append(text, '\t'), hex.EncodeToString(code)+"\n"...)
	if len(line) > maxLogLine {
		return fmt.Errorf("a line of the key log has at most %d bytes", maxLogLine)
	}
	// Power lost before the sync leaves a line without its end, or none; the next append writes over it.
	err = errors.Join(l.f.Truncate(l.end), second(l.f.WriteAt(line, l.end)), l.f.Sync(), withFile(filepath.Dir(l.f.Name()), os.O_RDONLY, (*os.File).Sync))
	if err != nil {
		return err
	}
	l.last, l.end, l.Entries = code, l.end+int64(len(line)), append(l.Entries, e)
	return nil
}

func second(_ int, err error) error { return err }

// Newest is the highest generation and the highest bundle counter that the log knows.
func (l *Log) Newest() (generation, counter uint64) {
	for _, e := range l.Entries {
		generation, counter = max(generation, e.Generation), max(counter, e.Counter)
	}
	return generation, counter
}

// Settle writes the line that a power cut between a save and its entry left out. set may be nil.
func (l *Log) Settle(set *Set) error {
	generation, _ := l.Newest()
	if set == nil || set.Generation <= generation {
		return nil
	}
	return l.Append(entryOf(set))
}

func entryOf(s *Set) Entry {
	return Entry{Deed: Loaded, Generation: s.Generation, At: s.Loaded, Source: s.Source, By: s.By,
		Check: s.Master.CheckValue().String(), Counter: s.Counter}
}

// Close lets others at the keys.
func (l *Log) Close() error {
	clear(l.key)
	return l.f.Close()
}
