package txnstore

import (
	"errors"

	bolt "go.etcd.io/bbolt"

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
	all = totals{}
	err = view(b.archive.db, func(tx *bolt.Tx) error {
		if bucket := tx.Bucket(totalBucket); bucket != nil {
			_ = bucket.ForEach(func(key, frame []byte) error {
				t, err := openTotal(key, frame)
				switch {
				case err != nil:
					bad++
				case batch == 0 || t.Batch == batch:
					all[totalKey{t.Batch, t.Currency}] = t
				}
				return nil
			})
		} else { // a store of schema 1, seen by a reader
			_ = tx.Bucket(txnBucket).ForEach(func(_, frame []byte) error {
				if t, err := readTally(frame); err == nil && (batch == 0 || t.batch == batch) {
					all.count(t, +1)
				}
				return nil
			})
		}
		for _, s := range b.slots {
			if s.kind != slotLive || batch != 0 && s.Batch != batch {
				continue
			}
			now := tallyOf(s.Txn)
			if err := all.adjust(tx.Bucket(txnBucket).Get(idKey(s.ID)), &now); err != nil {
				bad++
			}
		}
		return nil
	})
	return all, bad, err
}

// counted walks every record once.
func (b *books) counted() (all totals, records, bad int, err error) {
	all = totals{}
	inSlot := map[txn.ID]bool{}
	for _, s := range b.slots {
		switch s.kind {
		case slotLive:
			inSlot[s.ID] = true
			all.count(tallyOf(s.Txn), +1)
			records++
		case slotBad:
			bad++
		}
	}
	err = view(b.archive.db, func(tx *bolt.Tx) error {
		return tx.Bucket(txnBucket).ForEach(func(key, frame []byte) error {
			id, err := keyID(key)
			if err == nil && inSlot[id] {
				return nil
			}
			t, unread := readTally(frame)
			if err = errors.Join(err, unread); err != nil {
				bad++
				return nil
			}
			all.count(t, +1)
			records++
			return nil
		})
	})
	return all, records, bad, err
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
