package txnstore

import (
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// The schema is the number that Open goes by. It grows when a program that does not know of a change would misread or
// spoil the files; fields that an older program may carry along unread need no new one (record.go).
//
//	1   txn, ref, owed, paper, meta
//	2   and total: what each batch comes to, kept in the commit that changes it
//	3   totals have a side, records may undo others, and meta holds the closings of batches. Files of schema 2 hold sales
//	    alone, which are the same in 3; the number keeps an older program from counting a void as a sale
//	4   kinds that are on neither side of a settlement, and advices that are done at the counter before they are told. Files of
//	    schema 3 hold none of them and are the same in 4; the number keeps an older program from settling what is only held,
//	    and from taking a queued advice for one that nobody has a slip of
//	5   what was paid by payment code: records without a card, and marks of codes in ref. Files of schema 4 hold none and are
//	    the same in 5; the number keeps an older program, which cannot read such a record, from trading on without it
//	6   cards of which only a mask is known. Files of schema 5 hold none and are the same in 6; the number keeps an older program,
//	    which would put such a record aside as damaged, from trading on without it
const schema = 6

// migrations take archive.db from schema n+1 to n+2, in order. A step may have been done before: it must come to the same.
func migrations() []func(*archive, *bolt.Tx) error {
	return []func(*archive, *bolt.Tx) error{
		func(a *archive, tx *bolt.Tx) error { return a.rebuildTotals(tx) }, // 1 to 2
		func(*archive, *bolt.Tx) error { return nil },                      // 2 to 3
		func(*archive, *bolt.Tx) error { return nil },                      // 3 to 4
		func(*archive, *bolt.Tx) error { return nil },                      // 4 to 5
		func(*archive, *bolt.Tx) error { return nil },                      // 5 to 6
	}
}

// migrate brings the files from their schema to this program's, all steps in one commit of archive.db, and then says so in
// shadow. Power lost before the commit leaves the old schema, and between the two an archive that is ahead of shadow, which
// only needs the second half. hot.db is the same in all of them.
func (s *Store) migrate(r *reconciled) error {
	id := r.heal.identity
	id.schema = schema
	if !s.files.archive.totals {
		r.schema.archive = 1 // whatever it says: totals were lost, or never made
	}
	if r.schema.archive < schema {
		if err := s.files.archive.migrate(r.schema.archive, id); err != nil {
			return fmt.Errorf("bring the store from schema %d to %d: %w", r.schema.archive, schema, err)
		}
		r.note("the store was brought from schema %d to %d", r.schema.archive, schema)
	}
	if r.schema.shadow < schema {
		if err := s.files.shadow.put(identityBlock, newCounters(id.terminal), id.frame()); err != nil {
			return err
		}
	}
	r.heal.identity = id
	return nil
}

func (a *archive) migrate(from uint64, id identity) error {
	if err := a.reserve(archiveMust); err != nil {
		return err
	}
	tx, err := a.begin(func(tx *bolt.Tx) error {
		for _, step := range migrations()[min(max(from, 1), schema-1)-1:] {
			if err := step(a, tx); err != nil {
				return err
			}
		}
		return tx.Bucket(metaBucket).Put(identityKey, id.frame())
	})
	if err != nil {
		return err
	}
	if err := a.commit(tx); err != nil {
		return err
	}
	a.totals = true
	return nil
}

// archiveBuckets lists what a database of any schema holds. total is made anew where it is missing.
func archiveBuckets() [][]byte {
	return [][]byte{txnBucket, refBucket, owedBucket, paperBucket, metaBucket}
}

// known refuses a database of a newer schema, and finds out whether this one has totals. Where the identity cannot be
// read reconcile goes by that of shadow.
func (a *archive) known() error {
	frame, err := a.value(metaBucket, identityKey)
	if err != nil {
		return err
	}
	if id, err := openIdentity(frame); err == nil {
		if err := id.newer(); err != nil {
			return err
		}
	}
	return view(a.db, func(tx *bolt.Tx) error {
		a.totals = tx.Bucket(totalBucket) != nil
		a.number = tx.Bucket(metaBucket).Sequence() >> 32
		return nil
	})
}
