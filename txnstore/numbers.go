package txnstore

import "fmt"

// NextSTAN hands out a STAN for a message that is no transaction, in one commit. None is handed out twice before 999999
// others; after 999999 comes 1.
func (s *Store) NextSTAN() (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return 0, err
	}
	count := s.count
	count.Serial++
	if err := s.commitHot(nil, count); err != nil {
		return 0, err
	}
	return count.stan(), nil
}

// AdoptBatch takes the acquirer's batch number, 1 to 999999, never a lower one than the current. The STAN goes on.
func (s *Store) AdoptBatch(n uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	switch {
	case n < 1 || n > maxBatch:
		return fmt.Errorf("%w: %d is not 1 to %d", ErrBatch, n, maxBatch)
	case n < s.count.Batch:
		return fmt.Errorf("%w: %d is before the current batch %d", ErrBatch, n, s.count.Batch)
	case n == s.count.Batch:
		return nil
	}
	count := s.count
	count.Batch = n
	return s.commitHot(nil, count)
}
