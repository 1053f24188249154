package link

import "posagent/txnstore/txn"

// Meter is a Conn that knows what its far end has taken. A modem asks its own TCP, and TCP asks the kernel: that a byte
// was given to either does not mean that it arrived, and after a failure the difference is the best evidence there is.
type Meter interface {
	// Handed is how many bytes were given to the line since it was connected.
	Handed() int64
	// Acknowledged is how many of them the far end has acknowledged. It takes a moment, works on a closed line too, as
	// far as was known when it closed, and may be called while the line is read. The error says that nobody knows.
	Acknowledged() (int64, error)
}

func handed(c Conn) int64 {
	if m, is := c.(Meter); is {
		return m.Handed()
	}
	return 0
}

// weigh completes the evidence of a request that has no answer. Nothing that it finds makes a sent byte unsent.
func (s *session) weigh(sent *txn.Evidence) {
	m, is := s.conn.(Meter)
	if !is || sent.Written == 0 {
		return
	}
	total := m.Handed() - s.handed
	acked, err := m.Acknowledged()
	if err != nil || total <= 0 {
		return
	}
	sent.Handed, sent.Acked = int(total), int(max(0, min(acked-s.handed, total)))
}
