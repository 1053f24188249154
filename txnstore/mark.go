package txnstore

import (
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"slices"

	"posagent/txnstore/txn"
)

// A card is found again by a mark: the first 48 bits of HMAC-SHA-256 (RFC 2104) over its number, under a key that is
// derived from the store's key and used for nothing else. A hash without a key would be no protection, because all card
// numbers can be tried; with it the records of one card can be told without opening the seals of the others. A record in
// a slot has no room for more bits, and a match is confirmed by the number itself.
const (
	purposeSearch = "posagent card search"
	markSize      = 6
)

func searchKey(key []byte) []byte { return keyedHash(key, purposeSearch) }

func keyedHash(key []byte, of string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(of)) // never fails, by its contract
	return h.Sum(nil)
}

func (s *sealer) cardMark(pan txn.PAN) []byte {
	return keyedHash(s.search, string(pan.DigitsInTheClear()))[:markSize]
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
		if tag == tagMark {
			return hmac.Equal(v, mark)
		}
		b = rest
	}
	return true
}

// byCard looks through the newest records for those of a card, newest first. Only those are opened.
func (b *books) byCard(pan txn.PAN, recent int) (list []txn.Txn, err error) {
	wanted := b.codec.seals.cardMark(pan)
	ids := map[txn.ID][]byte{} // nil stands in a slot
	for _, s := range b.slots {
		if s.kind == slotLive {
			ids[s.ID] = nil
		}
	}
	t, err := readTree(b.archive.file)
	if err != nil {
		return nil, b.archive.doubt(err)
	}
	err = t.scan(txnBucket, nil, true, func(key, frame []byte, bad error) bool {
		id, wrong := keyID(key)
		if _, inSlot := ids[id]; bad == nil && wrong == nil && !inSlot {
			ids[id] = slices.Clone(frame)
		}
		return len(ids) < recent+hotSlots
	})
	if err != nil {
		return nil, b.archive.doubt(err)
	}
	var matching []txn.ID
	newest := slices.Sorted(maps.Keys(ids))
	slices.Reverse(newest)
	for _, id := range newest[:min(recent, len(newest))] {
		if frame := ids[id]; frame == nil || mayBeOf(wanted, frame) {
			matching = append(matching, id)
		}
	}
	for _, id := range matching {
		if t, err := b.get(id); err == nil && t.Card.PAN.Equal(pan) {
			list = append(list, t)
		}
	}
	return list, nil
}

func (s shelf) byCard(pan txn.PAN, recent int) ([]txn.Txn, error) {
	return look(s, func(b *books) ([]txn.Txn, error) { return b.byCard(pan, recent) })
}

// ByCard returns those of the newest transactions that were begun with one card, newest first. Of the others no seal is
// opened. A record that cannot be read is left out.
func (s *Store) ByCard(pan txn.PAN, recent int) ([]txn.Txn, error) {
	return s.shelf().byCard(pan, recent)
}
