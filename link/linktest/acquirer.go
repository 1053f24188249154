// Package linktest is the far end of the line, for tests and simulators: an acquirer that keeps books and can be told to
// lose, delay, repeat, forge and disagree, and the modems that lead to it.
//
// The acquirer follows the published descriptions of the direct-connection POS dialect, not the habits of our own
// terminal: it shares the codec with it, and nothing else. Keys, MAC and framing are its own few lines, so that one
// mistake cannot hide in both ends.
package linktest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// AcquirerOpts is what an acquirer is made of.
type AcquirerOpts struct {
	Accounts  map[string]Account // by the card's name
	TMK       []byte             // 16 bytes, the master key of every terminal
	DUKPT     map[string][]byte  // base derivation keys of 16 bytes, by the first ten digits of serial numbers
	Terminals map[string]string  // terminal number to merchant number
	Batch     uint32             // open batch of a terminal that the books do not know; 0 means 1

	Ledger Ledger             // books to continue; the zero Ledger starts new ones
	Keep   func(Ledger) error // called with a copy after every change and before its answer leaves; nil keeps nothing

	ByAmount     map[txn.Amount]Fault // faults that meet every message of their aim with that amount
	Profile      *profile.Profile     // how terminals speak; nil is profile.UnionPay()
	BareDeclines bool                 // declines travel without a MAC, as this dialect allows
	BlockSlot    int                  // characters that a number takes up in the downloaded list; 0 is 14
	Rand         io.Reader            // working keys; nil means crypto/rand
	Now          func() time.Time     // host clock; nil means time.Now
}

// Check refuses options that no acquirer can be made of.
func (o AcquirerOpts) Check() error {
	switch {
	case len(o.TMK) != 16:
		return fmt.Errorf("master key has %d bytes, want 16", len(o.TMK))
	case len(o.Terminals) == 0:
		return fmt.Errorf("no terminal is registered")
	case o.BlockSlot != 0 && (o.BlockSlot < 6 || o.BlockSlot > 19):
		return fmt.Errorf("a slot of %d characters in the blocklist, want 6 to 19", o.BlockSlot)
	case o.Batch > 999_999:
		return fmt.Errorf("batch %d has more than six digits", o.Batch)
	}
	for terminal, merchant := range o.Terminals {
		if len(terminal) != 8 || len(merchant) != 15 {
			return fmt.Errorf("terminal %q of merchant %q: want 8 and 15 characters", terminal, merchant)
		}
	}
	return errors.Join(checkProfile(o.Profile), checkBaseKeys(o.DUKPT), o.Ledger.Check())
}

// Acquirer is the simulated host. It serves any number of lines at a time.
type Acquirer struct {
	o       AcquirerOpts
	dialect *iso8583.Dialect
	frame   profile.Frame
	tongue  *tongue // nil where terminals speak as the books do
	texts   texts

	mu       sync.Mutex // guards everything below
	heard    heard      // what is being answered, where there is a tongue
	books    books
	sessions map[string]session // by terminal, since its last sign-in
	serials  map[string]uint32  // how far the DUKPT counters have come, by device
	counters map[string]bool    // every one that has come
	faults   []Fault            // queued, oldest first
	counts   map[string]int     // messages by type
	sights   []Sighting
	told     []byte // the last answer to a transaction, of whatever terminal
	astray   []byte // an answer that was swapped for another, and waits for the next exchange
	desk     desk   // orders, and what terminals download

	// Messages of the exchange under way, kept because each is 9 KiB.
	inner iso8583.Message // the request in the books' words, where there is a tongue
	reply iso8583.Message // the books' answer
	said  iso8583.Message // the answer in the tongue's words
	spare []*inbox        // of lines that have ended

	usedTwice []string // DUKPT counters

	broken error // the books could not be kept: nothing is answered any more
}

// NewAcquirer opens the books. Options that Check refuses are a mistake of the test that made them, and panic.
func NewAcquirer(o AcquirerOpts) *Acquirer {
	if err := o.Check(); err != nil {
		panic("linktest: " + err.Error())
	}
	o.TMK = bytes.Clone(o.TMK)
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Profile == nil {
		o.Profile = profile.UnionPay()
	}
	var speaks *tongue
	if o.Profile.Mark != "" {
		speaks = &tongue{o.Profile}
	}
	return &Acquirer{
		o:        o,
		dialect:  o.Profile.Dialect,
		frame:    o.Profile.Frame,
		tongue:   speaks,
		texts:    newTexts(),
		books:    openBooks(o.Ledger, o.Accounts, o.Terminals, max(o.Batch, 1)),
		sessions: map[string]session{},
		serials:  map[string]uint32{},
		counters: map[string]bool{},
		counts:   map[string]int{},
		desk:     newDesk(o.BlockSlot),
	}
}

// Ledger is a copy of the books as they stand.
func (a *Acquirer) Ledger() Ledger {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.books.clone()
}

// Sighting is one message as the acquirer saw it, without card data.
type Sighting struct {
	MTI      string
	Terminal string
	STAN     string
	Amount   string // field 4
	Reason   string // field 39 of a reversal
	Private  string // field 60
	Entry    string // field 22
	Fields   []int
	Fault    string // the fault that met it, or empty
	Code     string // field 39 of the answer made for it, sent or not; empty when none was made
}

// maxSights bounds the memory of messages; counts go on.
const maxSights = 10_000

// unreadable counts, beside the message types, what could not be read at all.
const unreadable = "unreadable"

// Seen lists the newest messages, oldest first.
func (a *Acquirer) Seen() []Sighting {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sights)
}

// Counts tells how many messages came, by type.
func (a *Acquirer) Counts() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	counts := make(map[string]int, len(a.counts))
	for mti, n := range a.counts {
		counts[mti] = n
	}
	return counts
}

// noteLocked remembers a message that was read.
func (a *Acquirer) noteLocked(m *iso8583.Message, fault Fault, code string) {
	reason := m.Get(39)
	if a.heard.outer != nil {
		m = a.heard.outer
	}
	a.counts[m.MTI()]++
	s := Sighting{MTI: m.MTI(), Terminal: m.Get(41), STAN: m.Get(11), Amount: m.Get(4), Reason: reason,
		Private: m.Get(60), Entry: m.Get(22), Fields: slices.Collect(m.Fields()), Code: code}
	if fault.Kind != NoFault {
		s.Fault = fault.String()
	}
	if len(a.sights) == maxSights {
		a.sights = a.sights[1:]
	}
	a.sights = append(a.sights, s)
}

func (a *Acquirer) noteUnreadable() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts[unreadable]++
}
