package txnstore

import (
	"fmt"

	"posagent/txnstore/txn"
)

// maxMarks bounds what may wait to ride with a commit of the archive; one more is committed at once.
const maxMarks = 64

// Begin makes a transaction durable: number, STAN, batch, reference and everything a reversal will need, in one commit. The
// record is pending, so from here on it owes a reversal until somebody proves otherwise; a refund owes repetition.
//
// A payment code that any other transaction was begun with is refused in that same commit, whatever became of that one, as
// long as its record is kept (Keep).
//
// Errors: ErrReference, with the first transaction of that reference; txn.ErrCodeUsed, with that of the code; ErrFull; ErrRecord; ErrUnknownCommit.
func (s *Store) Begin(d txn.Draft) (txn.Txn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return txn.Txn{}, err
	}
	if err := d.Check(); err != nil {
		return txn.Txn{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	first, err := s.byReference(d.Reference)
	refusal := ErrReference
	if err == nil && first == nil {
		first, err = s.byCode(d.Code.Print())
		refusal = txn.ErrCodeUsed
	}
	if err != nil {
		return txn.Txn{}, err
	}
	if first != nil {
		return clone(first.Txn), fmt.Errorf("%w: by transaction %d, %s", refusal, first.ID, first.State)
	}
	slot, err := s.freeSlot()
	if err != nil {
		return txn.Txn{}, err
	}
	t, count := s.drafted(d)
	frame, stored, err := s.codec.encode(&record{Txn: t})
	if err != nil {
		return txn.Txn{}, err
	}
	if err := s.commitHot(&change{slot, frame, stored}, count); err != nil {
		return txn.Txn{}, err
	}
	return clone(stored.Txn), nil
}

// drafted is the record of a draft, and the counters after it.
func (s *Store) drafted(d txn.Draft) (txn.Txn, counters) {
	count := s.count
	count.Serial++
	t := txn.Txn{
		ID: txn.ID(count.NextID), Gen: 1, Boot: count.Boot, EndBoot: count.Boot,
		Terminal: count.Terminal, Merchant: s.merchant, Profile: s.profile, Operator: d.Operator,
		Kind: d.Kind, State: d.Kind.Begins(), Reference: d.Reference, Batch: count.Batch, STAN: count.stan(),
		Amount: d.Amount, Currency: d.Currency, Card: d.Card, Code: d.Code, Original: d.Original, Approver: d.Approver, Began: s.stamp(),
	}
	if d.Kind.Final() {
		t.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
	}
	count.NextID++
	s.note(&t, string(t.State))
	return t, count
}

// freeSlot finds a slot whose record is safe in the archive, and archives finished ones for it when there is none.
func (s *Store) freeSlot() (int, error) {
	if i, ok := s.slotOf(slotFree); ok {
		return i, nil
	}
	if err := s.archiveFinished(); err != nil {
		return 0, err
	}
	if i, ok := s.slotOf(slotFree); ok {
		return i, nil
	}
	bad := 0
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.kind == slotBad {
			bad++
		}
	}
	return 0, fmt.Errorf("%w: %d of %d slots, %d cannot be read; finish or reverse one first", ErrFull, hotSlots-bad, hotSlots, bad)
}

func (s *Store) slotOf(kind slotKind) (int, bool) {
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.kind == kind {
			return i, true
		}
	}
	return 0, false
}

// Advance takes a transaction to its next state, in one commit: the state, what change sets, a journal line unless change
// wrote a better one, and when. The change must not touch what identifies the transaction.
//
// Errors: ErrNotFound, ErrStep, ErrIdentity, ErrRecord, ErrUnknownCommit.
func (s *Store) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	return s.alter(id, s.put, func(old *record) (*record, error) {
		if !old.State.CanBecome(next) {
			return nil, fmt.Errorf("%w: transaction %d is %s and cannot become %s", ErrStep, id, old.State, next)
		}
		r, err := changed(old, change)
		if err != nil {
			return nil, err
		}
		r.State, r.EndBoot, r.Ended = next, s.count.Boot, s.stamp()
		if !journalled(&old.Txn, &r.Txn) {
			s.note(&r.Txn, string(old.State)+" → "+string(next))
		}
		return r, nil
	})
}

// Update changes a transaction that stays in its state, in one commit: an attempt counter before the attempt.
//
// Errors: ErrNotFound, ErrIdentity, ErrRecord, ErrUnknownCommit.
func (s *Store) Update(id txn.ID, change func(*txn.Txn)) (txn.Txn, error) {
	return s.alter(id, s.put, func(old *record) (*record, error) { return changed(old, change) })
}

// Mark changes a transaction in memory; the change rides with the next commit, and is lost with the power before it. It is
// for what may safely be done again or said twice: a slip that was printed.
//
// Errors: ErrNotFound, ErrIdentity, ErrRecord.
func (s *Store) Mark(id txn.ID, change func(*txn.Txn)) (txn.Txn, error) {
	return s.alter(id, s.keep, func(old *record) (*record, error) { return changed(old, change) })
}

// alter is what Advance, Update and Mark share: find, change, check, hand to store.
func (s *Store) alter(id txn.ID, store func(int, entry) error, change func(*record) (*record, error)) (txn.Txn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return txn.Txn{}, err
	}
	old, slot, err := s.find(id)
	if err != nil {
		return txn.Txn{}, err
	}
	r, err := change(old)
	if err != nil {
		return clone(old.Txn), err
	}
	frame, stored, err := s.codec.encode(r)
	if err != nil {
		return clone(old.Txn), err
	}
	if err := store(slot, entry{stored, frame}); err != nil {
		return txn.Txn{}, err // which version is on the disk is not known
	}
	return clone(stored.Txn), nil
}

// put commits now, where the record lives. What the archive alone was given is told to hot.db, so that a start would miss
// it; after that a flush of one of them may have been lost and the change is known, or known to be missing.
func (s *Store) put(slot int, e entry) error {
	if slot == inArchive {
		if err := s.commitArchive([]entry{e}, archiveMust); err != nil {
			return err
		}
		return s.commitHot(nil, s.count)
	}
	return s.commitHot(&change{slot, e.frame, e.record}, s.count)
}

// keep waits for the next commit.
func (s *Store) keep(slot int, e entry) error {
	switch {
	case slot != inArchive:
		s.slots[slot] = slotWaiting(e)
		return nil
	case len(s.marks) >= maxMarks:
		return s.put(slot, e)
	}
	s.marks[e.ID] = e.record
	return nil
}

func slotWaiting(e entry) slot {
	return slot{kind: slotLive, record: e.record, frame: e.frame, dirty: true}
}

// changed applies a caller's change to a copy and makes it the next version.
func changed(old *record, change func(*txn.Txn)) (*record, error) {
	r := copied(old)
	if change != nil {
		change(&r.Txn)
	}
	if what := touched(&old.Txn, &r.Txn); what != "" {
		return nil, fmt.Errorf("%w: transaction %d keeps its %s", ErrIdentity, old.ID, what)
	}
	r.Gen++
	return r, nil
}

// journalled reports whether a change wrote a line of its own.
func journalled(a, b *txn.Txn) bool {
	if len(a.Journal) == 0 || len(b.Journal) == 0 {
		return len(b.Journal) > 0
	}
	return a.Journal[len(a.Journal)-1] != b.Journal[len(b.Journal)-1]
}

// touched names the first thing changed that identifies a transaction, or that only the store sets.
func touched(a, b *txn.Txn) string {
	switch {
	case a.ID != b.ID, a.Gen != b.Gen, a.Boot != b.Boot, a.Terminal != b.Terminal:
		return "number, version, boot and terminal"
	case a.Kind != b.Kind, a.Reference != b.Reference, a.Batch != b.Batch, a.STAN != b.STAN:
		return "kind, reference, batch and STAN"
	case a.Amount != b.Amount, a.Currency != b.Currency:
		return "amount"
	case !a.Card.PAN.Equal(b.Card.PAN), a.Card.Expiry != b.Card.Expiry, !a.Code.Equal(b.Code):
		return "card or payment code"
	case a.Original != b.Original, a.Profile != b.Profile, a.Approver != b.Approver:
		return "original and approver"
	case a.State != b.State, a.EndBoot != b.EndBoot, !a.Ended.Equal(b.Ended), !a.Began.Equal(b.Began):
		return "state and times; use Advance"
	}
	return ""
}
