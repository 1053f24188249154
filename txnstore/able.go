package txnstore

import (
	"errors"
	"fmt"
	"syscall"

	"posagent/txnstore/txn"
)

// Able asks whether a new transaction could be recorded and finished now, before a customer is asked for a card. It makes
// an earlier failed commit good if the disk allows it again, finds a slot for the sale (whose outcome then needs no space:
// hot.db and shadow never grow), and otherwise says what is wrong.
//
// Errors: ErrNoSpace, ErrReadOnly, ErrDisk, ErrFull, ErrUnknownCommit.
func (s *Store) Able() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	const forWriting = 2 // access(2), W_OK: tells a file system that has become read-only, and writes nothing
	if err := syscall.Access(s.dir, forWriting); Fault(err) != nil {
		return explained(err)
	}
	_, err := s.freeSlot()
	return err
}

// unsold answers, while the files cannot be made to agree, whether anything was ever begun under a reference. It reads the
// files without writing, beside what memory acknowledged. A record that is found must not be shown as an outcome, because
// a page that the kernel failed to write may still be read; one that is found nowhere was never sent.
func (s *Store) unsold(ref string, fault error) error {
	f, err := openFiles(s.dir, true, false)
	if err != nil {
		return errors.Join(fault, err)
	}
	defer f.close()
	before := s.books
	r, err := reconcile(f, s.codec, &before)
	if err != nil {
		return errors.Join(fault, err)
	}
	switch begun, err := r.byReference(ref); {
	case err != nil:
		return errors.Join(fault, err)
	case begun != nil:
		return fmt.Errorf("a transaction was begun under this reference: %w", fault)
	}
	return nil
}

// ByReference returns the transaction that a caller began under ref, at most txn.MaxReference bytes. While a failed commit
// cannot be made good it still says of a reference that nothing was begun under it; of any other it returns the fault.
func (s *Store) ByReference(ref string) (txn.Txn, bool, error) {
	t, found, err := s.shelf().byReference(ref)
	if !errors.Is(err, ErrUnknownCommit) {
		return t, found, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.lost == nil {
		return txn.Txn{}, false, err
	}
	return txn.Txn{}, false, s.unsold(ref, err)
}

// ViewBeside is View while an agent holds the directory and has closed its files because of a fault: reading takes turns
// with the agent's attempts to open them again, and nothing is changed. What it shows may hold a change that the disk has
// not kept.
//
// Errors: ErrLocked while the agent has the files open; those of View.
func ViewBeside(dir string, o *Options) (*Viewer, error) {
	c, err := o.check()
	if err != nil {
		return nil, err
	}
	v := &Viewer{}
	if err := v.load(dir, c); err != nil {
		return nil, explained(err)
	}
	return v, nil
}
