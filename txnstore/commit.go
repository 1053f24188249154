package txnstore

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// change is a new version of the record in a slot, encoded.
type change struct {
	slot  int
	frame []byte
	*record
}

// commitHot commits a change, or counters alone, to hot.db and shadow. On an error the outcome is unknown; the files have
// then been reopened and reconciled.
func (s *Store) commitHot(c *change, count counters) error {
	if _, err := s.writeHot(c, count); err != nil {
		s.count = s.count.raised(count) // what may be on the disk is never handed out again
		return s.unknown(hotName, err)
	}
	return nil
}

// commitArchive commits entries, and every change that waits to ride there. On a full disk it is refused when less than
// least is left in the file, and nothing was written.
func (s *Store) commitArchive(entries []entry, least int64) error {
	if err := s.files.archive.reserve(least); err != nil {
		return err
	}
	if err := s.writeArchive(entries, nil); err != nil {
		return s.unknown(archiveName, err)
	}
	return nil
}

// unknown is what follows a failed commit: nothing is tried again in place, because the kernel may have thrown away the
// pages it could not write and still show them.
func (s *Store) unknown(file string, cause error) error {
	err := fmt.Errorf("%w: %s: %w", ErrUnknownCommit, file, explained(cause))
	if lost := s.reopen(); lost != nil {
		return fmt.Errorf("%w (and the files could not be opened again: %w)", err, lost)
	}
	return err
}

// writeHot is one commit. The changed record, the records with waiting changes and the counters go into hot.db's one leaf;
// at the same time the changed record goes into its next block of shadow. Both are awaited, so that what is acknowledged
// is on the disk twice. It returns the slot whose block was written.
//
// Power lost in between leaves the new version in one of the two, in both, or in neither: reconcile takes the newest, and
// a transaction that nobody was told about is owed like any other.
//
// Levelled are slots whose blocks of shadow the caller writes next, under the same number.
func (s *Store) writeHot(c *change, count counters, levelled ...int) (slot int, err error) {
	count.Commit++
	frames, err := s.riders()
	if err != nil {
		return 0, err
	}
	slot = s.turnOf(count.Commit)
	if c != nil {
		slot = c.slot
		frames[slot] = c.frame
	}
	copied := frames[slot]
	if copied == nil && s.slots[slot].kind == slotLive {
		if copied, err = s.framed(slot); err != nil {
			return 0, err
		}
	}
	others := heard{s.files.archive.number, s.files.shadow.newest}
	for _, i := range append(levelled, slot) {
		others.blocks[i] = count.Commit
	}
	tx, err := s.files.hot.stage(frames, count, others)
	if err != nil {
		return 0, err
	}
	if err := s.commitBoth(tx, func() error { return s.files.shadow.write(slot, count, copied) }); err != nil {
		return 0, err
	}
	s.files.hot.heard = others
	for i := range s.slots {
		s.slots[i].dirty = false
	}
	if c != nil {
		s.slots[c.slot] = committedSlot(c)
	}
	s.count = count
	return slot, nil
}

func committedSlot(c *change) slot { return slot{kind: slotLive, record: c.record, frame: c.frame} }

// turnOf is the slot whose block a commit writes that changes no record: each in turn, and none that is kept for repair, of
// which the blocks are all that can be read, unless there is no other.
func (s *Store) turnOf(commit uint64) int {
	for i := range uint64(hotSlots) {
		if slot := int((commit + i) % hotSlots); s.slots[slot].kind != slotBad {
			return slot
		}
	}
	return int(commit % hotSlots)
}

// riders are the records in slots that are newer than hot.db; nil is left as it is there.
func (s *Store) riders() (frames [hotSlots][]byte, err error) {
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.kind == slotLive && sl.dirty {
			if frames[i], err = s.framed(i); err != nil {
				return frames, err
			}
		}
	}
	return frames, nil
}

func (s *Store) commitBoth(tx *bolt.Tx, shadow func() error) error {
	second := make(chan error, 1)
	go func() { second <- shadow() }()
	err := commit(s.files.hot.db.Path(), tx)
	if shadowErr := <-second; err == nil {
		err = shadowErr
	}
	return err
}

// writeArchive is one commit of archive.db.
func (s *Store) writeArchive(entries []entry, id *identity) error {
	taken := map[txn.ID]bool{}
	for _, e := range entries {
		taken[e.ID] = true
	}
	for number, m := range s.marks {
		if taken[number] {
			continue
		}
		frame, stored, err := s.codec.encode(copied(m))
		if err != nil {
			return err
		}
		entries = append(entries, entry{stored, frame})
	}
	tx, err := s.files.archive.stage(entries, s.count, id)
	if err != nil {
		return err
	}
	if err := s.files.archive.commit(tx); err != nil {
		return err
	}
	for _, e := range entries {
		delete(s.marks, e.ID)
	}
	return nil
}
