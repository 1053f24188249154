package txnstore

import (
	"encoding/binary"

	"posagent/txnstore/txn"
)

const tagSTAN = 12 // of fields.go

// byVoucher looks from the newest record down to the first of an earlier batch, and opens no seal but that of the one it
// finds: batches and numbers grow together.
func (b *books) byVoucher(batch, stan uint32) (*record, error) {
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind == slotLive && s.Batch == batch && s.STAN == stan {
			return s.record, nil
		}
	}
	t, err := b.archive.fresh()
	if err != nil {
		return nil, b.archive.doubt(err)
	}
	var at txn.ID
	err = t.scan(txnBucket, nil, true, func(key, frame []byte, bad error) bool {
		is, stands := voucherOf(frame)
		if bad != nil || !stands {
			return true // what cannot be read is not what is looked for
		}
		if is == [2]uint32{batch, stan} {
			at, _ = keyID(key)
		}
		return at == 0 && is[0] >= batch
	})
	if err != nil || at == 0 {
		return nil, b.archive.doubt(err)
	}
	return b.get(at)
}

// voucherOf reads batch and STAN of a record frame without the store's key.
func voucherOf(frame []byte) (is [2]uint32, ok bool) {
	b, err := openFrame(recordFrame, frame)
	for err == nil && len(b) > 0 {
		var tag byte
		var v []byte
		if tag, v, b, err = cutField(b); err != nil {
			return is, false
		}
		n, _ := binary.Uvarint(v)
		switch tag {
		case tagBatch:
			is[0] = uint32(n)
		case tagSTAN:
			is[1] = uint32(n)
		}
	}
	return is, err == nil && is[0] > 0
}

// batchStart is the lowest number that a transaction of a batch or of a later one has, 0 where there is none.
func (b *books) batchStart(batch uint32) (first txn.ID, err error) {
	lower := func(id txn.ID) {
		if first == 0 || id < first {
			first = id
		}
	}
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind == slotLive && s.Batch >= batch {
			lower(s.ID)
		}
	}
	t, err := b.archive.fresh()
	if err != nil {
		return 0, b.archive.doubt(err)
	}
	err = t.scan(txnBucket, nil, true, func(key, frame []byte, bad error) bool {
		is, stands := voucherOf(frame)
		id, wrong := keyID(key)
		if bad != nil || wrong != nil || !stands {
			return true
		}
		if is[0] >= batch {
			lower(id)
		}
		return is[0] >= batch
	})
	return first, b.archive.doubt(err)
}

// ByVoucher returns the transaction of a batch with this STAN. Its cost follows how many are newer.
func (s *Store) ByVoucher(batch, stan uint32) (t txn.Txn, found bool, err error) {
	return leaving(look(s.shelf(), func(b *books) (*record, error) { return b.byVoucher(batch, stan) }))
}

// InBatch visits the transactions of a batch in order; visit may use the store, and ends the walk by an error, which is
// returned as it is. A record that cannot be read is left out and counted: books made without it are short. The cost
// follows how many belong to that batch and to later ones.
func (s *Store) InBatch(batch uint32, visit func(txn.Txn) error) (unread int, err error) {
	return s.shelf().inBatch(batch, visit)
}

// InBatch is Store.InBatch.
func (v *Viewer) InBatch(batch uint32, visit func(txn.Txn) error) (unread int, err error) {
	return v.shelf().inBatch(batch, visit)
}

func (s shelf) inBatch(batch uint32, visit func(txn.Txn) error) (unread int, err error) {
	from, err := look(s, func(b *books) (txn.ID, error) { return b.batchStart(batch) })
	for err == nil && from != 0 {
		var page []listed
		if page, err = look(s, func(b *books) ([]listed, error) { return b.ascending(from) }); err != nil {
			break
		}
		for _, l := range page {
			if l.err != nil {
				unread++
			} else if l.Batch == batch {
				if err := visit(clone(l.Txn)); err != nil {
					return unread, err
				}
			}
		}
		if len(page) < pageOf {
			break
		}
		from = page[len(page)-1].id + 1
	}
	return unread, err
}

// Begun is how many transactions a batch has, whatever became of them. Its cost does not depend on how many that is.
func (s *Store) Begun(batch uint32) (int, error) {
	all, err := s.Totals(batch)
	n := 0
	for _, t := range all {
		n += t.Approved.Count + t.Open.Count + t.Void.Count
	}
	return n, err
}
