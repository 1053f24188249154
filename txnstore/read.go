package txnstore

import (
	"fmt"
	"sync"

	"posagent/txnstore/txn"
)

// shelf is what Store and Viewer read through: books, and how to be allowed to.
type shelf struct {
	mu    *sync.Mutex
	owner interface{ ready() error }
	books *books
}

func look[T any](s shelf, read func(*books) (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.owner.ready(); err != nil {
		var none T
		return none, err
	}
	return read(s.books)
}

func (s shelf) get(id txn.ID) (txn.Txn, error) {
	x, _, err := leaving(look(s, func(b *books) (*record, error) { return b.get(id) }))
	return x, err
}

func (s shelf) byReference(ref string) (t txn.Txn, ok bool, err error) {
	return leaving(look(s, func(b *books) (*record, error) { return b.byReference(ref) }))
}

// leaving is a record for who asked for it, nil where there is none.
func leaving(r *record, err error) (txn.Txn, bool, error) {
	if r == nil || err != nil {
		return txn.Txn{}, false, err
	}
	return clone(r.Txn), true, nil
}

func (s shelf) owed() ([]txn.Txn, error) {
	return look(s, func(b *books) ([]txn.Txn, error) {
		list, _, err := b.owed()
		return list, err
	})
}

func (s shelf) owedPaper() ([]txn.Txn, error) {
	return look(s, func(b *books) ([]txn.Txn, error) {
		list, _, err := b.owedPaper()
		return list, err
	})
}

func (s shelf) list(max int) ([]txn.Txn, error) {
	return look(s, func(b *books) ([]txn.Txn, error) { return b.list(max) })
}

// since reads a page at a time and visits it without the lock. A record may move from a slot to the archive in between; it
// is then met there, because its number stays.
func (s shelf) since(from txn.ID, visit func(txn.Txn) error) error {
	var unread error
	bad := 0
	for {
		page, err := look(s, func(b *books) ([]listed, error) { return b.ascending(from) })
		if err != nil {
			return err
		}
		for _, l := range page {
			if l.err != nil {
				unread = l.err
				bad++
				continue
			}
			if err := visit(clone(l.Txn)); err != nil {
				return err
			}
		}
		last := txn.ID(0)
		if len(page) > 0 {
			last = page[len(page)-1].id
		}
		if len(page) < pageOf || last+1 == 0 { // a damaged key may stand behind all numbers
			break
		}
		from = last + 1
	}
	if bad > 0 {
		return fmt.Errorf("%d records were left out, the last because: %w", bad, unread)
	}
	return nil
}

func (s *Store) shelf() shelf { return shelf{&s.mu, s, &s.books} }

// Get returns one transaction. Errors: ErrNotFound, ErrBadRecord.
func (s *Store) Get(id txn.ID) (txn.Txn, error) { return s.shelf().get(id) }

// Owed lists the transactions that owe something to the acquirer or to people, oldest first. It reads what is owed and
// nothing else. A record that cannot be read is left out; Open counted it in its Report.
func (s *Store) Owed() ([]txn.Txn, error) { return s.shelf().owed() }

// OwedPaper lists the transactions with a slip still owed, oldest first.
func (s *Store) OwedPaper() ([]txn.Txn, error) { return s.shelf().owedPaper() }

// List returns the newest max transactions, newest first, less those that cannot be read.
func (s *Store) List(max int) ([]txn.Txn, error) { return s.shelf().list(max) }

// Since visits every transaction from a number on, in order; visit may use the store, and ends the walk by an error, which
// is returned as it is. A record that cannot be read is left out, and the walk then ends with ErrBadRecord: books made
// from it are short.
func (s *Store) Since(from txn.ID, visit func(txn.Txn) error) error {
	return s.shelf().since(from, visit)
}
