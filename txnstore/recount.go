package txnstore

import (
	"errors"

	"posagent/txnstore/txn"
)

// Recount holds the totals that are kept against the records, one by one.
type Recount struct {
	Kept    []Total // as they are kept, by batch and currency
	Counted []Total // from the records
	Records int
	Bad     int // records and totals that cannot be read: the sums are short of them
}

// Agrees reports whether nothing differs and everything could be read.
func (r Recount) Agrees() bool {
	if r.Bad > 0 || len(r.Kept) != len(r.Counted) {
		return false
	}
	for i := range r.Kept {
		if r.Kept[i] != r.Counted[i] {
			return false
		}
	}
	return true
}

// kept reads the totals of one batch, or of all with 0: what the archive keeps, corrected by the slots, whose records are
// newer than their copies in the archive.
func (b *books) kept(batch uint32) (all totals, bad int, err error) {
	all, bad, err = b.archive.keptTotals()
	if err != nil {
		return nil, 0, err
	}
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind != slotLive {
			continue
		}
		was, err := b.archive.value(txnBucket, idKey(s.ID))
		now := tallyOf(&s.Txn)
		if err != nil || all.adjust(was, &now) != nil {
			bad++
		}
	}
	for key := range all {
		if batch != 0 && key.batch != batch {
			delete(all, key)
		}
	}
	return all, bad, nil
}

func (a *archive) keptTotals() (all totals, bad int, err error) {
	if !a.totals { // a store of schema 1, seen by a reader
		all, _, bad, err = a.count(nil)
		return all, bad, err
	}
	t, err := a.tree()
	if err != nil {
		return nil, 0, err
	}
	all = totals{}
	err = t.scan(totalBucket, nil, false, func(key, frame []byte, unread error) bool {
		var total Total
		if unread == nil {
			total, unread = openTotal(key, frame)
		}
		if unread != nil {
			bad++
			return true
		}
		all[total.of()] = total
		return true
	})
	return all, bad, a.doubt(err)
}

// counted walks every record once.
func (b *books) counted() (all totals, records, bad int, err error) {
	inSlot := map[txn.ID]bool{}
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind == slotLive {
			inSlot[s.ID] = true
		}
	}
	if all, records, bad, err = b.archive.count(inSlot); err != nil {
		return nil, 0, 0, err
	}
	for i := range b.slots {
		s := &b.slots[i]
		switch s.kind {
		case slotLive:
			all.count(tallyOf(&s.Txn), +1)
			records++
		case slotBad:
			bad++
		}
	}
	return all, records, bad, nil
}

func (s shelf) totals(batch uint32) ([]Total, error) {
	return look(s, func(b *books) ([]Total, error) {
		all, bad, err := b.kept(batch)
		if err == nil && bad > 0 {
			err = errors.New("totals that are kept cannot be read; run a recount")
		}
		return all.sorted(), err
	})
}

func (s shelf) recount() (Recount, error) {
	return look(s, func(b *books) (r Recount, err error) {
		kept, badTotals, err := b.kept(0)
		if err != nil {
			return r, err
		}
		counted, records, bad, err := b.counted()
		return Recount{kept.sorted(), counted.sorted(), records, bad + badTotals}, err
	})
}

// Totals is what a batch comes to, one entry a currency; its cost does not depend on how many transactions that is. A batch
// of which nothing is kept has none.
func (s *Store) Totals(batch uint32) ([]Total, error) { return s.shelf().totals(max(batch, 1)) }

// Recount counts every record and compares; it reads the whole archive.
func (s *Store) Recount() (Recount, error) { return s.shelf().recount() }

// Totals is Store.Totals.
func (v *Viewer) Totals(batch uint32) ([]Total, error) { return v.shelf().totals(max(batch, 1)) }

// Recount is Store.Recount.
func (v *Viewer) Recount() (Recount, error) { return v.shelf().recount() }
