package txnstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"

	"posagent/txnstore/txn"
)

// books is everything that can be read: the slots of hot.db as they are in memory, the archive, and the changes that are
// waiting to ride with a commit. Its owner holds a mutex around every call.
type books struct {
	codec   *codec
	archive *archive
	slots   [hotSlots]slot
	marks   map[txn.ID]*record // newer than their copy in the archive
	count   counters
}

type slotKind int

const (
	slotFree slotKind = iota // never used, or its record is safe in the archive and the archive's copy is the truth
	slotLive                 // this record is the truth
	slotBad                  // holds what nobody can read; left as it is for repair
)

// slot is one slot of hot.db.
type slot struct {
	kind slotKind
	*record
	frame []byte // the record encoded, or nil as long as nobody wanted it
	dirty bool   // newer than hot.db
}

const inArchive = -1

// framed is the frame of a slot's record. A version is sealed and read back once, however often it is written.
func (b *books) framed(i int) ([]byte, error) {
	s := &b.slots[i]
	if s.frame == nil {
		frame, stored, err := b.codec.encode(copied(s.record))
		if err != nil {
			return nil, err
		}
		s.frame, s.record = frame, stored
	}
	return s.frame, nil
}

// find returns the newest version of a transaction and the slot it lives in, or inArchive.
func (b *books) find(id txn.ID) (*record, int, error) {
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind == slotLive && s.ID == id {
			return s.record, i, nil
		}
	}
	if r, ok := b.marks[id]; ok {
		return r, inArchive, nil
	}
	r, err := b.archive.get(b.codec, id)
	return r, inArchive, err
}

func (b *books) get(id txn.ID) (*record, error) {
	r, _, err := b.find(id)
	return r, err
}

// byReference finds the transaction of a caller's reference, nil where there is none.
func (b *books) byReference(ref string) (*record, error) {
	if ref == "" || len(ref) > txn.MaxReference {
		return nil, nil
	}
	return b.named([]byte(ref), "references", func(t *txn.Txn) bool { return t.Reference == ref })
}

// named asks the slots first: the archive learns a name only when the transaction is finished. Where the index leads to a
// transaction that is lost, or to another one, the question stays open.
func (b *books) named(key []byte, what string, is func(*txn.Txn) bool) (*record, error) {
	for i := range b.slots {
		if s := &b.slots[i]; s.kind == slotLive && is(&s.Txn) {
			return s.record, nil
		}
	}
	id, ok, err := b.archive.byName(key)
	if err != nil || !ok {
		return nil, err
	}
	r, err := b.get(id)
	if errors.Is(err, ErrNotFound) && uint64(id) >= b.count.NextID || err == nil && !is(&r.Txn) { // a lower one was lost
		err = b.archive.doubt(fmt.Errorf("the index of %s leads to transaction %d, which has another", what, id))
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// due collects what one index of the archive names, the slots and the waiting changes, as far as they still qualify,
// oldest first. A record that cannot be read stops itself: it is counted and named.
func (b *books) due(index []byte, qualifies func(*txn.Txn) bool) (list []txn.Txn, bad map[txn.ID]error, err error) {
	bad = map[txn.ID]error{}
	var found []*record
	ids, err := b.archive.index(index)
	if err != nil {
		return nil, nil, err
	}
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind == slotLive {
			ids = append(ids, s.ID)
		}
	}
	for id := range b.marks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		r, _, err := b.find(id)
		switch {
		case errors.Is(err, ErrBadRecord), errors.Is(err, ErrNotFound):
			bad[id] = fmt.Errorf("transaction %d is listed as %s: %w", id, index, err)
		case err != nil:
			return nil, nil, err
		case qualifies(&r.Txn):
			found = append(found, r)
		}
	}
	return clones(found), bad, nil
}

func (b *books) owed() ([]txn.Txn, map[txn.ID]error, error) {
	return b.due(owedBucket, func(t *txn.Txn) bool { return t.State.Owes() != txn.Nothing })
}

func (b *books) owedPaper() ([]txn.Txn, map[txn.ID]error, error) {
	return b.due(paperBucket, func(t *txn.Txn) bool { return t.OwesPaper() })
}

// pageOf is how many records Since reads at a time, so that a visitor may use the store.
const pageOf = 64

// listed is a record met on a walk, or why it cannot be read.
type listed struct {
	id txn.ID
	*record
	err error
}

// ascending returns the next records from a number on, in order, at most pageOf.
func (b *books) ascending(from txn.ID) ([]listed, error) {
	return b.walk(pageOf, func(id txn.ID) bool { return id >= from }, idKey(from), false)
}

// descending returns the newest records, newest first.
func (b *books) descending(n int) ([]listed, error) {
	return b.walk(n, func(txn.ID) bool { return true }, nil, true)
}

// walk merges the archive, from a key upwards or from the end downwards, with the slots and the waiting changes, and keeps
// the first n. A page that cannot be read stands in the list as one record that cannot be.
func (b *books) walk(n int, wanted func(txn.ID) bool, from []byte, down bool) ([]listed, error) {
	var list []listed
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind == slotLive && wanted(s.ID) {
			list = append(list, listed{s.ID, s.record, nil})
		}
	}
	hot := len(list)
	t, err := b.archive.tree()
	if err != nil {
		return nil, err
	}
	err = t.scan(txnBucket, from, down, func(k, v []byte, bad error) bool {
		id, err := keyID(k)
		switch {
		case bad != nil:
			list = append(list, listed{id: near(k), err: b.archive.doubt(bad)})
		case err != nil: // a record may stand under a key that is damaged
			list = append(list, listed{id: near(k), err: b.archive.doubt(err)})
		case slices.ContainsFunc(list[:hot], func(l listed) bool { return l.id == id }):
		default:
			r, ok := b.marks[id]
			if !ok {
				r, err = decodeArchived(b.codec, id, v)
			}
			list = append(list, listed{id, r, err})
		}
		return len(list) < hot+n
	})
	sort.SliceStable(list, func(x, y int) bool {
		if down {
			return list[x].id > list[y].id
		}
		return list[x].id < list[y].id
	})
	return list[:min(n, len(list))], b.archive.doubt(err)
}

// near is the number at which a key that is none stands among the others.
func near(key []byte) txn.ID {
	return txn.ID(binary.BigEndian.Uint64(append(bytes.Clone(key[:min(len(key), 8)]), make([]byte, 8)...)))
}

// list returns the newest max records that can be read.
func (b *books) list(max int) ([]txn.Txn, error) {
	if max <= 0 {
		return nil, nil
	}
	entries, err := b.descending(max)
	if err != nil {
		return nil, err
	}
	var list []txn.Txn
	for _, e := range entries {
		if e.err == nil {
			list = append(list, clone(e.Txn))
		}
	}
	return list, nil
}
