package main

import (
	"errors"
	"fmt"
	"slices"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// verdict is one thing that is wrong with a crash state, of a kind that is counted.
type verdict struct{ kind, words string }

func (v verdict) Error() string { return v.kind + ": " + v.words }

const (
	lost     = "lost"     // promised, and not there, or there in a version older than the promised one
	invented = "invented" // there, and never written
	changed  = "changed"  // there, with a field that was never written so
	refused  = "refused"  // the store does not open, or does not work
	repeated = "repeated" // a number handed out twice
	unowed   = "unowed"   // owed, and not listed; or listed, and not owed
	silent   = "silent"   // missing or older than promised after a damage or a lie of the disk, and the start said nothing
)

// kinds in the order of the report.
var kinds = []string{lost, invented, changed, repeated, unowed, silent, refused, died, hung}

func fault(kind, format string, args ...any) error {
	return verdict{kind, fmt.Sprintf(format, args...)}
}

// examine opens what a power cut left, as a terminal does, and holds it against the model: every record, every list. Then
// it undoes what is owed, sells twice and recounts; and unless it is to be brief it starts once more, looks again and
// recounts again.
func (e *examiner) examine(forgetful bool) error {
	if err := e.open(); err != nil {
		return err
	}
	right := e.promised
	if e.lie == hotFile {
		right = e.promisedByLiar
	}
	err := e.look(right)
	for _, next := range []func() error{e.numbers, func() error { return e.undo(forgetful) }, e.nothingOwed, e.sell, e.totals} {
		if err == nil {
			err = next()
		}
	}
	if closed := e.store.Close(); err == nil && closed != nil {
		err = fault(refused, "close: %v", closed)
	}
	if err != nil || e.brief {
		return err
	}
	if err := e.open(); err != nil {
		return err
	}
	err = e.look(e.remembered)
	if err == nil {
		err = e.totals()
	}
	return errors.Join(err, e.store.Close())
}

type examiner struct {
	dir   string
	m     *model
	lie   string // the file that a disk lied about; an honest one leaves no such state
	brief bool   // one start is enough
	told  bool   // the first start said that something is wrong
	store *txnstore.Store
	boot  uint32
	batch uint32
	seen  map[txn.ID]*sighting

	landed bool // what the call in flight writes was found
}

func (e *examiner) open() error {
	s, report, err := txnstore.Open(e.dir, crashOptions())
	if err != nil {
		return fault(refused, "open: %v", err)
	}
	e.store = s
	if e.boot == 0 {
		e.told = len(report.Findings) > 0
	}
	switch {
	case report.Bad > 0 && e.lie != hotFile: // a slot that the lie left half written is kept for repair, and named
		err = fault(refused, "%d records cannot be read: %q", report.Bad, report.Findings)
	case report.Boot <= max(e.m.boot, e.boot):
		err = fault(repeated, "boot %d after %d", report.Boot, max(e.m.boot, e.boot))
	case s.Batch() < e.m.batch:
		err = fault(lost, "batch %d, promised was %d", s.Batch(), e.m.batch)
	}
	e.boot, e.batch = report.Boot, s.Batch()
	if err != nil {
		_ = s.Close()
	}
	return err
}

// look walks every record and compares the lists with what it saw.
func (e *examiner) look(right func(map[txn.ID]*sighting) error) error {
	seen := map[txn.ID]*sighting{}
	var owed, paper []txn.ID
	err := e.store.Since(1, func(t txn.Txn) error {
		seen[t.ID] = sightingOf(t)
		if t.State.Owes() != txn.Nothing {
			owed = append(owed, t.ID)
		}
		if t.OwesPaper() {
			paper = append(paper, t.ID)
		}
		return nil
	})
	if err != nil {
		return fault(refused, "walk: %v", err)
	}
	if err := right(seen); err != nil {
		return err
	}
	e.seen = seen
	return errors.Join(e.listed("owed", owed, e.store.Owed), e.listed("owed paper", paper, e.store.OwedPaper))
}

func (e *examiner) listed(name string, want []txn.ID, list func() ([]txn.Txn, error)) error {
	got, err := list()
	if err != nil {
		return fault(refused, "%s: %v", name, err)
	}
	if !slices.EqualFunc(want, got, func(id txn.ID, t txn.Txn) bool { return t.ID == id }) {
		return fault(unowed, "%s lists %d transactions, the records say %d", name, len(got), len(want))
	}
	return nil
}

// promised is what the model allows after a power cut.
func (e *examiner) promised(seen map[txn.ID]*sighting) error {
	for id, gen := range e.m.floor {
		switch s := seen[id]; {
		case s == nil:
			return fault(lost, "transaction %d, promised in version %d", id, gen)
		case s.Gen < gen:
			return fault(lost, "transaction %d is in version %d, promised was %d", id, s.Gen, gen)
		}
	}
	return e.written(seen)
}

// written says that nothing is there which was never written.
func (e *examiner) written(seen map[txn.ID]*sighting) error {
	for id, s := range seen {
		switch written, ok := e.m.versions[id][s.Gen]; {
		case !ok:
			return fault(invented, "transaction %d in version %d", id, s.Gen)
		case written.Print != s.Print:
			return fault(changed, "transaction %d in version %d", id, s.Gen)
		}
	}
	if f := e.m.flying; f != nil && seen[f.ID] != nil {
		e.landed = seen[f.ID].Gen >= f.Gen
	}
	return nil
}

// remembered is exactly what was seen and done before the restart.
func (e *examiner) remembered(seen map[txn.ID]*sighting) error {
	for id, s := range seen {
		was := e.seen[id]
		switch {
		case was == nil:
			return fault(invented, "transaction %d after a restart", id)
		case s.Gen < was.Gen:
			return fault(lost, "transaction %d after a restart is in version %d, was %d", id, s.Gen, was.Gen)
		case *s != *was:
			return fault(changed, "transaction %d after a restart", id)
		}
	}
	if len(seen) < len(e.seen) {
		return fault(lost, "%d of %d transactions are there after a restart", len(seen), len(e.seen))
	}
	return nil
}

// numbers asks for the last promised references by name, and tries to use one again, and every promised payment code.
func (e *examiner) numbers() error {
	refs := e.m.refs[max(0, len(e.m.refs)-2):]
	for _, ref := range refs {
		if t, ok, err := e.store.ByReference(ref); err != nil || !ok || t.Reference != ref {
			return fault(lost, "reference of a promised transaction: %v", err)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	draft, err := crashDraft(refs[len(refs)-1])
	if err != nil {
		return err
	}
	if _, err := e.store.Begin(draft); !errors.Is(err, txnstore.ErrReference) {
		return fault(repeated, "a used reference was taken again: %v", err)
	}
	for _, ref := range e.m.refs {
		draft, err := crashDraft(ref)
		if err != nil {
			return err
		}
		if draft.Code.IsZero() {
			continue
		}
		draft.Reference = "another"
		if _, err := e.store.Begin(draft); !errors.Is(err, txn.ErrCodeUsed) {
			return fault(repeated, "the payment code of a promised transaction was taken under another reference: %v", err)
		}
	}
	return nil
}

// undo is what a terminal does first after a start: whatever owes a reversal is reversed.
func (e *examiner) undo(forgetful bool) error {
	if forgetful {
		return nil
	}
	list, err := e.store.Owed()
	if err != nil {
		return fault(refused, "owed: %v", err)
	}
	for _, t := range list {
		if t.State.Owes() != txn.Reverse {
			continue
		}
		if t.State != txn.Reversing {
			if t, err = e.store.Advance(t.ID, txn.Reversing, nil); err != nil {
				return fault(refused, "reverse: %v", err)
			}
		}
		if t, err = e.store.Advance(t.ID, txn.Reversed, nil); err != nil {
			return fault(refused, "reversed: %v", err)
		}
		e.seen[t.ID] = sightingOf(t)
	}
	return nil
}

func (e *examiner) nothingOwed() error {
	for id, s := range e.seen {
		if s.Owes == txn.Reverse {
			return fault(unowed, "transaction %d still waits for its reversal", id)
		}
	}
	return nil
}

// totals holds the sums that are kept against the records.
func (e *examiner) totals() error {
	count, err := e.store.Recount()
	switch {
	case err != nil:
		return fault(refused, "recount: %v", err)
	case count.Bad > 0 && e.lie == hotFile: // the slot that is kept for repair
	case !count.Agrees():
		return fault(changed, "the totals %+v, and the records come to %+v", count.Kept, count.Counted)
	case count.Records != len(e.seen):
		return fault(lost, "%d records are counted of %d", count.Records, len(e.seen))
	}
	return nil
}

// sell makes two sales and asks for one more number.
func (e *examiner) sell() error {
	used := map[[2]uint32]bool{}
	var last txn.ID
	for id, s := range e.seen {
		used[[2]uint32{s.Batch, s.STAN}] = true
		last = max(last, id)
	}
	for n := range 2 {
		draft, err := crashDraft(fmt.Sprintf("after-%d-%d", e.boot, n))
		if err != nil {
			return err
		}
		t, err := e.store.Begin(draft)
		if err != nil {
			return fault(refused, "a new sale: %v", err)
		}
		number := [2]uint32{t.Batch, t.STAN}
		if t.ID <= last || used[number] || e.m.stans[number] {
			return fault(repeated, "transaction %d after %d, STAN %d of batch %d", t.ID, last, t.STAN, t.Batch)
		}
		used[number], last = true, t.ID
		if t, err = e.store.Advance(t.ID, txn.Approved, approvedOnline); err != nil {
			return fault(refused, "a new sale's outcome: %v", err)
		}
		e.seen[t.ID] = sightingOf(t)
	}
	return nil
}
