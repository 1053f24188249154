package txnstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// Sum is a number of transactions and what they come to, in minor units.
type Sum struct {
	Count  int
	Amount txn.Amount
}

// Total is what one batch comes to in one currency, on one side of its settlement. Every transaction that is on a side is
// in one of the three sums.
type Total struct {
	Batch    uint32
	Currency string // ISO 4217 number, "156"
	Credit   bool   // what gives money back; else what was charged
	Approved Sum    // held by the acquirer, or closed as such
	Open     Sum    // may be held: the outcome, or a reversal, is not proven yet
	Void     Sum    // not charged, undone, or closed as neither
}

// The archive keeps a total for each batch, currency and side of what stands in it, changed in the same commit as the records, so
// that the totals of a day need no walk through its records:
//
//	total   batch, 4 bytes big-endian, currency, 3 bytes,      ->   total frame: six varints, count and amount of each sum
//	        and for credits 'c'
//
// What is in slots is added when it is asked for.
var totalBucket = []byte("total")

const totalFrame frameKind = 'T'

const creditMark = 'c' // behind the key of a credit's total

// tally is the part of a record that totals are made of. It is read without the store's key.
type tally struct {
	batch    uint32
	currency string
	kind     txn.Kind
	state    txn.State
	charged  bool // of what was closed by people, or by a late answer
	amount   txn.Amount
}

func tallyOf(t *txn.Txn) tally {
	return tally{t.Batch, t.Currency.Number, t.Kind, t.State, t.Resolved.Charged, t.Amount}
}

// Tags of fields.go.
const (
	tagKind     = 8
	tagState    = 9
	tagBatch    = 11
	tagAmount   = 13
	tagCurrency = 14
	tagCharged  = 56
)

func readTally(frame []byte) (t tally, err error) {
	b, err := openFrame(recordFrame, frame)
	if err != nil {
		return t, err
	}
	for len(b) > 0 {
		tag, v, rest, err := cutField(b)
		if err != nil {
			return t, err
		}
		n, size := binary.Uvarint(v)
		switch tag {
		case tagKind:
			t.kind = txn.Kind(v)
		case tagState:
			t.state = txn.State(v)
		case tagCurrency:
			t.currency = string(v)
		case tagCharged:
			t.charged = len(v) == 1 && v[0] == 1
		case tagBatch:
			t.batch = uint32(n)
		case tagAmount:
			t.amount = txn.Amount(n)
		}
		if (tag == tagBatch || tag == tagAmount) && (size != len(v) || n > uint64(txn.MaxAmount)) {
			return t, errors.New("batch or amount is not a number")
		}
		b = rest
	}
	if t.batch == 0 || t.batch > maxBatch || len(t.currency) != 3 || t.state == "" {
		return t, errors.New("batch, state or currency missing")
	}
	return t, nil
}

// totals are kept by batch, currency and side.
type totals map[totalKey]Total

type totalKey struct {
	batch    uint32
	currency string
	credit   bool
}

// nothing is the total of no transaction.
func (k totalKey) nothing() Total {
	return Total{Batch: k.batch, Currency: k.currency, Credit: k.credit}
}

func (t Total) of() totalKey { return totalKey{t.Batch, t.Currency, t.Credit} }

// count adds a record, or takes it out with n = -1. A total of nothing is no total. A kind that this version does not know
// is counted with the sales: somebody must look at the difference.
func (all totals) count(t tally, n int) {
	if !t.kind.Settled() && t.kind.Known() {
		return // what is held for later is in no settlement
	}
	key := totalKey{t.batch, t.currency, t.kind.Credits()}
	total := key.nothing().plus(all[key])
	sum := &total.Void
	switch {
	case t.state == txn.Approved, t.state == txn.Resolved && t.charged:
		sum = &total.Approved
	case t.state.Owes() != txn.Nothing:
		sum = &total.Open
	}
	sum.Count += n
	sum.Amount += txn.Amount(n) * t.amount
	if all[key] = total; total == key.nothing() {
		delete(all, key)
	}
}

func (all totals) sorted() []Total {
	list := make([]Total, 0, len(all))
	for _, t := range all {
		list = append(list, t)
	}
	sort.Slice(list, func(a, b int) bool { return bytes.Compare(list[a].key(), list[b].key()) < 0 })
	return list
}

func (t Total) key() []byte {
	key := append(binary.BigEndian.AppendUint32(nil, t.Batch), t.Currency...)
	if t.Credit {
		key = append(key, creditMark)
	}
	return key
}

func (t Total) frame() []byte {
	var b []byte
	for _, s := range []Sum{t.Approved, t.Open, t.Void} {
		b = binary.AppendVarint(binary.AppendVarint(b, int64(s.Count)), int64(s.Amount))
	}
	return putFrame(totalFrame, b)
}

const totalKeySize = 7

func isTotalKey(key []byte) bool {
	return len(key) == totalKeySize || len(key) == totalKeySize+1 && key[totalKeySize] == creditMark
}

func openTotal(key, frame []byte) (Total, error) {
	if !isTotalKey(key) {
		return Total{}, fmt.Errorf("%w: total with a key of %d bytes", ErrBadRecord, len(key))
	}
	t := Total{Batch: binary.BigEndian.Uint32(key), Currency: string(key[4:totalKeySize]), Credit: len(key) > totalKeySize}
	b, err := openFrame(totalFrame, frame)
	for _, s := range []*Sum{&t.Approved, &t.Open, &t.Void} {
		count, n := binary.Varint(b)
		amount, m := binary.Varint(b[max(n, 0):])
		if err == nil && (n <= 0 || m <= 0) {
			err = errors.New("cut short")
		}
		if err != nil {
			return Total{}, fmt.Errorf("%w: total of batch %d: %w", ErrBadRecord, t.Batch, err)
		}
		s.Count, s.Amount, b = int(count), txn.Amount(amount), b[n+m:]
	}
	return t, nil
}

// adjust is the change of totals by one commit of the archive: was is the record's copy there, or nil.
func (all totals) adjust(was []byte, now *tally) error {
	if was != nil {
		old, err := readTally(was)
		if err != nil {
			return err
		}
		all.count(old, -1)
	}
	if now != nil {
		all.count(*now, +1)
	}
	return nil
}

// put adds changes to what the bucket holds.
func (all totals) put(bucket *bolt.Bucket) error {
	for _, change := range all {
		key := change.key()
		total := change.of().nothing()
		if frame := bucket.Get(key); frame != nil {
			var err error
			if total, err = openTotal(key, frame); err != nil {
				return err
			}
		}
		total = total.plus(change)
		if total == total.of().nothing() {
			if err := bucket.Delete(key); err != nil {
				return err
			}
			continue
		}
		if err := bucket.Put(key, total.frame()); err != nil {
			return err
		}
	}
	return nil
}

func (t Total) plus(o Total) Total {
	for _, s := range []struct {
		to *Sum
		by Sum
	}{{&t.Approved, o.Approved}, {&t.Open, o.Open}, {&t.Void, o.Void}} {
		s.to.Count += s.by.Count
		s.to.Amount += s.by.Amount
	}
	return t
}

// keepTotals changes the totals by what a commit of entries changes. Where the share of a record cannot be told they are
// made anew, without the entries and then with them.
func (a *archive) keepTotals(tx *bolt.Tx, entries []entry) error {
	if !a.totals {
		return nil // a salvage completes a store of schema 1; the migration counts
	}
	changed, added := totals{}, totals{}
	clear := true
	for _, e := range entries {
		now := tallyOf(&e.Txn)
		added.count(now, +1)
		if changed.adjust(tx.Bucket(txnBucket).Get(idKey(e.ID)), &now) != nil {
			clear = false
		}
	}
	if clear && changed.put(tx.Bucket(totalBucket)) == nil {
		return nil
	}
	if err := a.rebuildTotals(tx, entries...); err != nil {
		return err
	}
	return added.put(tx.Bucket(totalBucket))
}

// rebuildTotals makes the totals anew from the records that can be read, as they were committed last, leaving some out.
func (a *archive) rebuildTotals(tx *bolt.Tx, without ...entry) error {
	if tx.Bucket(totalBucket) != nil {
		if err := tx.DeleteBucket(totalBucket); err != nil {
			return err
		}
	}
	bucket, err := tx.CreateBucket(totalBucket)
	if err != nil {
		return err
	}
	left := map[txn.ID]bool{}
	for _, e := range without {
		left[e.ID] = true
	}
	all, _, _, err := a.count(left)
	if err != nil {
		return err
	}
	return all.put(bucket)
}

// count goes over the records of the archive, except some, and adds them up. What cannot be read is counted as bad.
func (a *archive) count(except map[txn.ID]bool) (all totals, records, bad int, err error) {
	all = totals{}
	t, err := a.tree()
	if err != nil {
		return nil, 0, 0, err
	}
	err = t.scan(txnBucket, nil, false, func(key, frame []byte, unread error) bool {
		var share tally
		id, err := keyID(key)
		if err == nil && except[id] {
			return true
		}
		if err == nil && unread == nil {
			share, unread = readTally(frame)
		}
		if err != nil || unread != nil {
			bad++
			return true
		}
		all.count(share, +1)
		records++
		return true
	})
	return all, records, bad, a.doubt(err)
}
