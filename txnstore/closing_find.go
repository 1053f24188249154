package txnstore

import (
	"bytes"
	"errors"
	"slices"

	"posagent/txnstore/txn"
)

// closingsDown goes from the newest closing to the oldest and reads no more of them than visit wants.
func (a *archive) closingsDown(visit func(txn.Closing) (on bool)) error {
	t, err := a.fresh()
	if err != nil {
		return a.doubt(err)
	}
	var bad error
	err = t.scan(metaBucket, nil, true, func(key, frame []byte, unread error) bool {
		switch {
		case unread != nil:
			bad = unread
			return false
		case !isClosingKey(key):
			return bytes.Compare(key, closingKey) > 0
		}
		c, wrong := openClosing(frame)
		if bad = wrong; bad != nil {
			return false
		}
		return visit(c)
	})
	return a.doubt(errors.Join(err, bad))
}

// newestClosings is what each sale asks for more than once. They are read again after each commit.
type newestClosings struct {
	number uint64        // of the commit
	last   txn.Closing   // the zero Closing where there is none
	due    []txn.Closing // with a report to be printed, oldest first
}

// newest finds what is due among the newest: a report is not printed before an older one that is due.
func (a *archive) newest() (newestClosings, error) {
	if a.found != nil && a.found.number == a.number {
		return *a.found, nil
	}
	n := newestClosings{number: a.number}
	err := a.closingsDown(func(c txn.Closing) bool {
		if n.last.Batch == 0 {
			n.last = c
		}
		if c.OwesReport() {
			n.due = append(n.due, c)
		}
		return c.OwesReport() || c.Step != txn.Closed
	})
	if err != nil {
		return newestClosings{}, err
	}
	slices.Reverse(n.due)
	a.found = &n
	return n, nil
}

func (b *books) closing(batch uint32) (c txn.Closing, err error) {
	if batch == 0 {
		n, err := b.archive.newest()
		if err == nil && n.last.Batch == 0 {
			err = errNoClosing
		}
		return unshared(n.last), err
	}
	err = b.archive.closingsDown(func(at txn.Closing) bool {
		if at.Batch == batch {
			c = at
		}
		return c.Batch == 0 && at.Batch > batch
	})
	if err == nil && c.Batch == 0 {
		err = errNoClosing
	}
	return c, err
}

func (b *books) owedReports() ([]txn.Closing, error) {
	n, err := b.archive.newest()
	var due []txn.Closing
	for _, c := range n.due {
		due = append(due, unshared(c))
	}
	return due, err
}

// unshared is a closing whose lists are the caller's own.
func unshared(c txn.Closing) txn.Closing {
	c.Explains, c.Doubts = slices.Clone(c.Explains), slices.Clone(c.Doubts)
	return c
}

func (s shelf) closing(batch uint32) (txn.Closing, bool, error) {
	c, err := look(s, func(b *books) (txn.Closing, error) { return b.closing(batch) })
	if errors.Is(err, errNoClosing) {
		return c, false, nil
	}
	return c, err == nil, err
}

// Closing returns the closing of a batch, or of the newest batch that has one with 0.
func (s *Store) Closing(batch uint32) (txn.Closing, bool, error) { return s.shelf().closing(batch) }

// Closing is Store.Closing.
func (v *Viewer) Closing(batch uint32) (txn.Closing, bool, error) { return v.shelf().closing(batch) }

// OwedReports lists the closed batches whose reports are still due, oldest first.
func (s *Store) OwedReports() ([]txn.Closing, error) {
	return look(s.shelf(), func(b *books) ([]txn.Closing, error) { return b.owedReports() })
}
