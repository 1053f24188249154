package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// A life is the real store from its birth through a day's trade, in a process that is recorded: sales approved, declined,
// abandoned, reversed at once and much later, left to people and resolved by them, slips printed and reprinted, batches
// changed, restarts. It announces each call (TRY) and repeats what the call has promised (ACK).
type life struct {
	dir   string
	out   io.Writer
	dice  *rand.Rand
	clock func() time.Time
	store *txnstore.Store
	later []txn.ID // reversing, to be finished some sales later
	human []txn.ID // in suspense
	old   []txn.ID // approved, for reprints
	batch uint32
}

// promise is what a call returned, and is to be found after any power cut that follows.
type promise struct {
	Deed  string
	Txn   *sighting `json:",omitempty"`
	Rides string    `json:",omitempty"` // a mark: durable only with the next deed of this name
	STAN  uint32    `json:",omitempty"`
	Batch uint32    `json:",omitempty"`
	Boot  uint32    `json:",omitempty"`
}

// sighting is one version of a record.
type sighting struct {
	ID          txn.ID
	Gen         uint32
	Print       string // of every field
	STAN, Batch uint32
	Reference   string
	Owes        txn.Duty
}

func sightingOf(t txn.Txn) *sighting {
	return &sighting{t.ID, t.Gen, fingerprint(t), t.STAN, t.Batch, t.Reference, t.State.Owes()}
}

// crashTerminal is the terminal whose files are cut.
const crashTerminal = "T1234567"

func crashOptions() *txnstore.Options {
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	return &txnstore.Options{
		Terminal: crashTerminal, Merchant: "104110048160001", Key: bytes.Repeat([]byte{7}, 32),
		Now: func() time.Time { at = at.Add(1500 * time.Millisecond); return at },
	}
}

// crashDraft is the sale of that reference. One of four is paid with a payment code, and which follows from the reference: who
// knows the one knows the other.
func crashDraft(reference string) (txn.Draft, error) {
	pan, err := txn.ParsePAN("6224242900000113")
	d := txn.Draft{
		Kind: txn.Sale, Reference: reference, Operator: "01", Amount: 1250,
		Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2},
		Card: txn.Card{PAN: pan, Expiry: "3012", Sequence: "001", Entry: txn.Inserted, Label: "PBOC DEBIT",
			AID: "A000000333010101", Chip: txn.NewChip([]byte{0x95, 5, 0, 0, 4, 0, 0, 0x9F, 0x36, 2, 1, 2})},
	}
	if digest := sha256.Sum256([]byte(reference)); digest[0]%4 == 0 {
		d.Card, d.Code = txn.Card{Entry: txn.Scanned}, txn.NewCode("wechat", "13************6789", txn.Fingerprint(digest[:16]))
	}
	return d, err
}

func approvedOnline(t *txn.Txn) {
	t.Answer = txn.Answer{Code: "00", Approved: true, RRN: "123456789012", AuthCode: "ABC123", Text: "交易成功"}
	t.Sent = txn.Evidence{Written: 312, Total: 312, Bearer: "ethernet"}
	t.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
}

func bothPrinted(t *txn.Txn) {
	t.SetSlip(txn.MerchantCopy, txn.SlipPrinted)
	t.SetSlip(txn.CustomerCopy, txn.SlipPrinted)
}

// live is the recorded process.
func live(dir string, sales int, seed uint64) error { return liveOn(dir, os.Stdout, 0, sales, seed) }

// liveOn is a life, or the continuation of one: its sales are numbered from first, and it takes the store as it is. The
// same store, first, sales and seed make the same promises.
func liveOn(dir string, out io.Writer, first, sales int, seed uint64) error {
	options := crashOptions()
	l := &life{dir: dir, out: out, dice: rand.New(rand.NewPCG(seed, 1)), clock: options.Now}
	if err := l.start(options); err != nil {
		return err
	}
	l.batch = l.store.Batch()
	for n := first; n < first+sales; n++ {
		if err := l.sale(n); err != nil {
			return fmt.Errorf("sale %d: %w", n, err)
		}
		if err := l.between(n, options); err != nil {
			return fmt.Errorf("after sale %d: %w", n, err)
		}
	}
	return l.stop()
}

// deed announces a call, makes it, and repeats what it promised.
func (l *life) deed(name string, call func() (promise, error)) error {
	if _, err := fmt.Fprintln(l.out, "TRY", name); err != nil {
		return err
	}
	p, err := call()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p.Deed = name
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(l.out, "ACK", string(text))
	return err
}

func (l *life) start(o *txnstore.Options) error {
	return l.deed("open", func() (promise, error) {
		s, report, err := txnstore.Open(l.dir, o)
		l.store = s
		return promise{Boot: report.Boot}, err
	})
}

func (l *life) stop() error {
	return l.deed("close", func() (promise, error) { return promise{}, l.store.Close() })
}

func (l *life) step(id txn.ID, next txn.State, change func(*txn.Txn)) error {
	return l.deed("advance", func() (promise, error) {
		t, err := l.store.Advance(id, next, change)
		return promise{Txn: sightingOf(t)}, err
	})
}

func (l *life) attempt(id txn.ID) error {
	return l.deed("update", func() (promise, error) {
		t, err := l.store.Update(id, func(t *txn.Txn) { t.Tries.Made++; t.Tries.Last = l.clock() })
		return promise{Txn: sightingOf(t)}, err
	})
}

func (l *life) mark(id txn.ID, rides string) error {
	return l.deed("mark", func() (promise, error) {
		t, err := l.store.Mark(id, bothPrinted)
		return promise{Txn: sightingOf(t), Rides: rides}, err
	})
}

func (l *life) sale(n int) error {
	var id txn.ID
	draft, err := crashDraft(fmt.Sprintf("till-3-%06d", n))
	if err != nil {
		return err
	}
	err = l.deed("begin", func() (promise, error) {
		t, err := l.store.Begin(draft)
		id = t.ID
		return promise{Txn: sightingOf(t)}, err
	})
	if err != nil {
		return err
	}
	switch roll := l.dice.IntN(100); {
	case roll < 55:
		l.old = append(l.old, id)
		if err = l.step(id, txn.Approved, approvedOnline); err == nil && roll < 45 {
			err = l.mark(id, "begin")
		}
	case roll < 63:
		if err = l.step(id, txn.Authorized, approvedOnline); err == nil {
			err = l.step(id, txn.Approved, nil)
		}
	case roll < 72:
		err = l.step(id, txn.Declined, func(t *txn.Txn) { t.Answer = txn.Answer{Code: "51", Text: "余额不足"} })
	case roll < 78:
		err = l.step(id, txn.Abandoned, nil)
	default:
		err = l.undo(id, roll)
	}
	return err
}

// undo reverses now, or later, or gives the matter to people.
func (l *life) undo(id txn.ID, roll int) error {
	if err := l.step(id, txn.Reversing, func(t *txn.Txn) { t.Reason = txn.NoAnswer }); err != nil {
		return err
	}
	if err := l.attempt(id); err != nil {
		return err
	}
	switch {
	case roll < 90:
		return l.step(id, txn.Reversed, nil)
	case roll < 95 && len(l.later) < 2:
		l.later = append(l.later, id)
		return nil
	default:
		l.human = append(l.human, id)
		return l.step(id, txn.Suspense, nil)
	}
}

// between is what a terminal does when no customer waits.
func (l *life) between(n int, o *txnstore.Options) error {
	err := l.deed("make room", func() (promise, error) { return promise{}, l.store.MakeRoom() })
	if err == nil && len(l.later) > 0 && n%5 == 4 {
		if err = l.attempt(l.later[0]); err == nil {
			err = l.step(l.later[0], txn.Reversed, nil)
		}
		l.later = l.later[1:]
	}
	if err == nil && len(l.human) > 1 {
		err = l.step(l.human[0], txn.Resolved, nil)
		l.human = l.human[1:]
	}
	if err == nil && n%9 == 8 {
		err = l.numbers()
	}
	if err == nil && n%13 == 12 {
		err = l.newBatch()
	}
	if err == nil && n%11 == 10 {
		err = l.reprint()
	}
	if err == nil && n%17 == 16 {
		if err = l.stop(); err == nil {
			err = l.start(o)
		}
	}
	return err
}

func (l *life) numbers() error {
	return l.deed("stan", func() (promise, error) {
		stan, err := l.store.NextSTAN()
		return promise{STAN: stan, Batch: l.batch}, err
	})
}

func (l *life) newBatch() error {
	l.batch++
	return l.deed("batch", func() (promise, error) { return promise{Batch: l.batch}, l.store.AdoptBatch(l.batch) })
}

// reprint marks a record that is in the archive by now, and lets the mark ride with a commit of its own.
func (l *life) reprint() error {
	if len(l.old) < 12 {
		return nil
	}
	if err := l.mark(l.old[len(l.old)-12], "tidy"); err != nil {
		return err
	}
	return l.deed("tidy", func() (promise, error) { return promise{}, l.store.Tidy() })
}
