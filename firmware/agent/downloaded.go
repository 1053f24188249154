package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"posagent/link/acquirer"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// BlocklistFile is the name under which Files keeps the acquirer's list.
const BlocklistFile = "blocklist"

// BlockSet is the acquirer's list as it lies on disk: fingerprints of cards, and beginnings of numbers. No card number stands in it.
type BlockSet struct {
	Origin
	Cards  []string `json:"cards"`
	Begins []string `json:"begins"`
}

// ReadBlocklist reads the list that is kept. Without one the error wraps fs.ErrNotExist.
func ReadBlocklist(f Files) (BlockSet, error) {
	var set BlockSet
	content, err := f.Read(BlocklistFile)
	if err == nil {
		err = openFile(BlocklistFile, content, &set)
	}
	if err != nil {
		return set, err
	}
	for _, card := range set.Cards {
		if len(card) != txnstore.FingerprintSize || strings.Trim(card, "0123456789abcdef") != "" {
			return set, fmt.Errorf("%w: an entry is no fingerprint", errDamaged)
		}
	}
	for _, begin := range set.Begins {
		if begin == "" || len(begin) > 11 || strings.Trim(begin, "0123456789") != "" {
			return set, fmt.Errorf("%w: an entry is no beginning of a number", errDamaged)
		}
	}
	return set, nil
}

// downloaded is the acquirer's list in force.
type downloaded struct {
	mu    sync.Mutex
	set   BlockSet
	cards map[string]bool
}

func (d *downloaded) replace(set BlockSet) {
	cards := make(map[string]bool, len(set.Cards))
	for _, card := range set.Cards {
		cards[card] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set, d.cards = set, cards
}

func (d *downloaded) blocks(pan txn.PAN, fingerprint func(txn.PAN) string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, begin := range d.set.Begins {
		if pan.Begins(begin) {
			return true
		}
	}
	return len(d.cards) > 0 && d.cards[fingerprint(pan)]
}

// openBlocklist puts the list that is kept into force. One that is damaged is asked for again, and blocks nobody until then:
// the acquirer judges each charge itself, and the merchant's own list is another file.
func (a *Agent) openBlocklist() {
	if a.wires.Files == nil {
		return
	}
	set, err := ReadBlocklist(a.wires.Files)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		a.log.Error("the downloaded blocklist is not in force, and will be asked for again", "cause", err)
		a.orders.want(orderBlocklist, time.Now())
	default:
		a.listed.replace(set)
		a.log.Info("blocklist in force", "since", set.Since, "from", set.Acquirer, "cards", len(set.Cards), "ranges", len(set.Begins))
	}
}

// blocked asks the merchant's own list and then the acquirer's.
func (a *Agent) blocked() func(txn.PAN) (bool, error) {
	own := NewBlocklist(a.o.Blocklist, a.store.Fingerprint)
	return func(pan txn.PAN) (bool, error) {
		if a.o.Blocklist != "" {
			if blocked, err := own.Blocked(pan); blocked || err != nil {
				return blocked, err
			}
		}
		return a.listed.blocks(pan, a.store.Fingerprint), nil
	}
}

// fetchBlocklist downloads a list whole, makes it durable, puts it into force and tells the acquirer, in this order.
func (a *Agent) fetchBlocklist(ctx context.Context) error {
	if a.wires.Files == nil {
		return errNowhere
	}
	entries, sent, err := a.host.FetchBlocklist(ctx)
	if err != nil {
		return err
	}
	set := a.blockSet(entries, sent)
	content, err := sealFile(BlocklistFile, set)
	if err != nil {
		return err
	}
	if err := a.wires.Files.Keep(BlocklistFile, content); err != nil {
		return fmt.Errorf("the blocklist could not be kept, and the old one stays in force: %w", err)
	}
	a.listed.replace(set)
	a.log.Info("blocklist in force", "since", set.Since, "from", set.Acquirer, "cards", len(set.Cards), "ranges", len(set.Begins))
	return a.host.EndBlocklist(ctx)
}

func (a *Agent) blockSet(entries []acquirer.Blocked, sent txn.Evidence) BlockSet {
	set := BlockSet{Origin: a.origin(sent), Cards: []string{}, Begins: []string{}}
	for _, e := range entries {
		if e.Begin != "" {
			set.Begins = append(set.Begins, e.Begin)
		} else {
			set.Cards = append(set.Cards, a.store.Fingerprint(e.PAN))
		}
	}
	return set
}

// Idle is how many entries of a list no card can be found by where a reader shows masks of numbers alone.
func (s BlockSet) Idle(masked bool) (n int) {
	if !masked {
		return 0
	}
	for _, begin := range s.Begins {
		if len(begin) > txn.ShownDigits {
			n++
		}
	}
	return n + len(s.Cards)
}

func (d *downloaded) status(masked bool) *DownloadStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set.Terminal == "" {
		return nil
	}
	return &DownloadStatus{d.set.Origin, len(d.set.Cards) + len(d.set.Begins), d.set.Idle(masked)}
}
