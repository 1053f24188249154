package txnstore

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"sort"

	"posagent/txnstore/txn"
)

// A card is found again by a mark: the first 48 bits of HMAC-SHA-256 (RFC 2104) over its number, under a key that is
// derived from the store's key and used for nothing else. A hash without a key would be no protection, because all card
// numbers can be tried; with it the records of one card can be told without opening the seals of the others. A record in
// a slot has no room for more bits, and a match is confirmed by the number itself. Where only a number's mask is known the mark
// is that of the mask, and cards that share it are found together.
const (
	purposeSearch = "posagent card search"
	markSize      = 6
)

func derivedKey(key []byte, purpose string) [sha256.Size]byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(purpose)) // never fails, by its contract
	return [sha256.Size]byte(h.Sum(nil))
}

// cardMark is HMAC-SHA-256 in place, because crypto/hmac costs eight allocations and a mark is made twice a commit.
func (s *sealer) cardMark(pan txn.PAN) [markSize]byte {
	const maxDigits = 19 // of a PAN
	var inner [sha256.BlockSize + maxDigits]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	for i := range sha256.BlockSize {
		inner[i], outer[i] = 0x36, 0x5C
	}
	for i, b := range s.search {
		inner[i], outer[i] = inner[i]^b, outer[i]^b
	}
	n := sha256.BlockSize + copy(inner[sha256.BlockSize:], pan.AsKept())
	sum := sha256.Sum256(inner[:n])
	copy(outer[sha256.BlockSize:], sum[:])
	sum = sha256.Sum256(outer[:])
	return [markSize]byte(sum[:])
}

// mayBeOf reports whether a record frame carries this mark, or none. A frame that cannot be read is nobody's.
func mayBeOf(mark, frame []byte) bool {
	b, err := openFrame(recordFrame, frame)
	if err != nil {
		return false
	}
	for len(b) > 0 {
		tag, v, rest, err := cutField(b)
		if err != nil {
			return false
		}
		switch tag {
		case tagMark:
			return hmac.Equal(v, mark)
		case tagCode:
			return false // it has no card
		}
		b = rest
	}
	return true
}

// byCard looks through the newest records for those of a card, newest first. Only those are opened, and none is looked up
// again: this is asked before every sale.
func (b *books) byCard(pan txn.PAN, recent int) ([]txn.Txn, error) {
	var list []*record
	wanted := b.codec.seals.cardMark(pan)
	keep := func(r *record, err error) {
		if err == nil && r.Card.PAN.Equal(pan) {
			list = append(list, r)
		}
	}
	var slots, archived []txn.ID
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind == slotLive {
			slots = append(slots, s.ID)
		}
	}
	t, err := b.archive.tree()
	if err != nil {
		return nil, err
	}
	err = t.scan(txnBucket, nil, true, func(key, frame []byte, bad error) bool {
		id, wrong := keyID(key)
		if bad != nil || wrong != nil || slices.Contains(slots, id) {
			return true
		}
		if newerThan(id, slots)+len(archived) >= recent {
			return false
		}
		archived = append(archived, id)
		if r, marked := b.marks[id]; marked {
			keep(r, nil)
		} else if mayBeOf(wanted[:], frame) {
			keep(decodeArchived(b.codec, id, frame))
		}
		return true
	})
	if err != nil {
		return nil, b.archive.doubt(err)
	}
	for i := range b.slots {
		s := &b.slots[i]
		if s.kind == slotLive && newerThan(s.ID, slots)+newerThan(s.ID, archived) < recent {
			keep(s.record, nil)
		}
	}
	sort.Slice(list, func(x, y int) bool { return list[x].ID > list[y].ID })
	return clones(list), nil
}

// newerThan counts the numbers above one.
func newerThan(id txn.ID, among []txn.ID) (n int) {
	for _, other := range among {
		if other > id {
			n++
		}
	}
	return n
}

func (s shelf) byCard(pan txn.PAN, recent int) ([]txn.Txn, error) {
	return look(s, func(b *books) ([]txn.Txn, error) { return b.byCard(pan, recent) })
}

// ByCard returns those of the newest transactions that were begun with one card, newest first; of a masked number those with
// the same mask, which may be several cards. Of the others no seal is opened. A record that cannot be read is left out.
func (s *Store) ByCard(pan txn.PAN, recent int) ([]txn.Txn, error) {
	return s.shelf().byCard(pan, recent)
}
