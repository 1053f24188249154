package txnstore

import (
	"errors"
	"slices"

	"posagent/txnstore/txn"
)

// archiveBatch is how many finished transactions make a commit of archive.db worth its pages.
const archiveBatch = 4

// MakeRoom archives finished transactions when four or more have gathered, or when no slot is left, so that the next sale
// need not. It writes nothing otherwise, and is for the moment after a sale.
func (s *Store) MakeRoom() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil || !s.archiveDue() {
		return err
	}
	return s.archiveFinished()
}

// Tidy does what can wait until no customer does: it archives finished transactions, four or more in one commit or fewer
// when no slot is left, commits what waits to ride, and prunes a little of what need not be kept.
func (s *Store) Tidy() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	if err := s.tidy(s.archiveDue()); err != nil {
		return err
	}
	return s.prune()
}

// tidy goes on to hot.db when the archive has no room, but not after a commit whose outcome is unknown. Of changes that
// archive.db alone was given hot.db is told, as put does.
func (s *Store) tidy(archive bool) error {
	var err error
	riders := len(s.marks)
	switch {
	case archive:
		err = s.archiveFinished()
	case len(s.marks) > 0:
		err = s.commitArchive(nil, archiveMust)
	}
	if errors.Is(err, ErrUnknownCommit) {
		return err
	}
	dirty := slices.ContainsFunc(s.slots[:], func(sl slot) bool { return sl.kind == slotLive && sl.dirty })
	if dirty || riders > len(s.marks) {
		err = errors.Join(err, s.commitHot(nil, s.count))
	}
	return err
}

// finished lists the slots whose records need not stay: closed, waiting for paper, waiting for people, or for a line to be
// told over.
func (s *Store) finished() (slots []int) {
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.kind == slotLive && (!sl.State.Open() || sl.State == txn.Advising && sl.Kind.Final()) {
			slots = append(slots, i)
		}
	}
	return slots
}

func (s *Store) archiveDue() bool {
	n := len(s.finished())
	_, room := s.slotOf(slotFree)
	return n >= archiveBatch || n > 0 && !room
}

// archiveFinished copies finished records into the archive and then frees their slots. Power lost between the two leaves
// both copies in the same version, which reconcile reads as free; hot.db is not touched until the slot is used again.
func (s *Store) archiveFinished() error {
	slots := s.finished()
	if len(slots) == 0 {
		return nil
	}
	var entries []entry
	for _, i := range slots {
		frame, err := s.framed(i)
		if err != nil {
			return err
		}
		entries = append(entries, entry{s.slots[i].record, frame})
	}
	if err := s.commitArchive(entries, archiveKeep); err != nil {
		return err
	}
	for _, i := range slots {
		s.slots[i] = slot{kind: slotFree}
	}
	return nil
}
