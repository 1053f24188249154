package txnstore

import (
	"bytes"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// Keep says how long finished transactions stay in the books. The zero value keeps everything.
type Keep struct {
	Batches uint32        // the open batch and the newest before it; 0 keeps all
	Age     time.Duration // and whatever is younger, by a wall clock that may be wrong: it keeps more, never less
}

// One call of Tidy prunes so many transactions at most, and looks at so many.
const (
	pruneAtMost = 64
	pruneLookAt = 256
)

// prunedKey holds the highest number that was ever pruned, for whoever repairs a file: a finished record up to there that
// stands only in a page that is not used any more was removed on purpose.
var prunedKey = []byte("pruned")

// prune removes finished transactions of old batches from the archive, a few at a time, with their references, their
// payment codes and their share of the totals, in one commit. Nothing that is owed, stands in suspense, waits for paper, cannot be read, or
// belongs to a batch that is kept is ever removed.
func (s *Store) prune() error {
	if s.policy.Batches == 0 || s.count.Batch <= s.policy.Batches {
		return nil
	}
	doomed, next, err := s.doomed()
	if err != nil {
		return err
	}
	s.pruneFrom = next
	if len(doomed) == 0 {
		return nil
	}
	if err := s.files.archive.reserve(archiveMust); err != nil {
		return err
	}
	tx, err := s.files.archive.stagePrune(doomed, s.count)
	if err != nil {
		return err
	}
	if err := s.files.archive.commit(tx); err != nil {
		return s.unknown(archiveName, err)
	}
	return nil
}

// doomed lists what may go, and where to look next time: numbers and batches grow together, so at the first batch that is
// kept the next round begins at the start again.
func (s *Store) doomed() (list []*record, next txn.ID, err error) {
	standing, err := s.standing()
	if err != nil {
		return nil, 0, err
	}
	t, err := s.files.archive.tree()
	if err != nil {
		return nil, 0, err
	}
	looked := 0
	err = t.scan(txnBucket, idKey(s.pruneFrom), false, func(key, frame []byte, bad error) bool {
		id, wrong := keyID(key)
		if looked == pruneLookAt || len(list) == pruneAtMost {
			next = id
			return false
		}
		looked++
		r, unread := decodeArchived(s.codec, id, frame)
		if errors.Join(bad, wrong, unread) != nil {
			return true
		}
		if r.Batch+s.policy.Batches > s.count.Batch {
			return false
		}
		_, marked := s.marks[id]
		if r.Closed() && !marked && !standing[id] && s.stamp().Sub(r.Began) >= s.policy.Age {
			list = append(list, r)
		}
		return true
	})
	err = s.files.archive.doubt(err)
	return list, next, err
}

// standing are the numbers that can be read in hot.db or in any block of shadow. Their copy in the archive says that the
// slot is free; without it the old copy in the slot would be taken for a live one at the next start.
func (s *Store) standing() (map[txn.ID]bool, error) {
	ids := map[txn.ID]bool{}
	hot, err := s.files.hot.read(s.codec)
	if err != nil {
		return nil, err
	}
	for i := range hot.slots {
		f := &hot.slots[i]
		if f.err == nil {
			ids[f.ID] = true
		}
		if s.slots[i].kind == slotLive {
			ids[s.slots[i].ID] = true
		}
	}
	b := make([]byte, pageSize)
	for n := range identityBlock {
		if _, err := s.files.shadow.f.ReadAt(b, int64(n)*pageSize); err != nil {
			return nil, err
		}
		if blk, err := openBlock(n, b); err == nil && len(blk.frame) > 0 {
			if r, err := s.codec.decode(blk.frame); err == nil {
				ids[r.ID] = true
			}
		}
	}
	return ids, nil
}

// stagePrune removes records; the caller commits.
func (a *archive) stagePrune(doomed []*record, count counters) (*bolt.Tx, error) {
	var entries []entry
	for _, r := range doomed {
		entries = append(entries, entry{record: r})
	}
	if err := a.sound(entries); err != nil {
		return nil, err
	}
	return a.begin(func(tx *bolt.Tx) error {
		records, refs, meta := tx.Bucket(txnBucket), tx.Bucket(refBucket), tx.Bucket(metaBucket)
		if err := keepRecent(tx, nil, doomed); err != nil {
			return err
		}
		changed, highest := totals{}, idKey(doomed[len(doomed)-1].ID)
		for _, t := range doomed {
			key := idKey(t.ID)
			changed.count(tallyOf(&t.Txn), -1)
			err := records.Delete(key)
			if bytes.Equal(refs.Get([]byte(t.Reference)), key) {
				err = errors.Join(err, refs.Delete([]byte(t.Reference)))
			}
			if t.submits() && bytes.Equal(refs.Get(t.codeKey()), key) {
				err = errors.Join(err, refs.Delete(t.codeKey()))
			}
			if err != nil {
				return err
			}
		}
		if changed.put(tx.Bucket(totalBucket)) != nil {
			if err := a.rebuildTotals(tx, entries...); err != nil {
				return err
			}
		}
		if bytes.Compare(meta.Get(prunedKey), highest) < 0 {
			if err := meta.Put(prunedKey, highest); err != nil {
				return err
			}
		}
		return meta.Put(countersKey, count.frame())
	})
}
