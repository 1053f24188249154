package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"posagent/link/iso8583"
	"posagent/link/profile"
)

// session is one connected line.
//
//	Exchange            reader
//	   │ await             │
//	   │ write ──────────► │
//	   │                   │ frame ── matches? ── yes ──► answer
//	   │ ◄──── answer ─────┤             └─ no ───────► Stray
//	   │                   │ end of line, garbage out of step
//	   │ ◄───── done ──────┘ closes the line
type session struct {
	conn  Conn
	route *route
	stray func(*iso8583.Message)
	done  chan struct{} // closed when the reader has left and the line is closed

	handed int64 // of the far end's own count, before the request in progress; owned by the holder of the link's turn
	silent int   // exchanges in a row without an answer; owned by the holder of the link's turn

	closed   chan struct{} // closed once the line is
	closeErr error         // readable then

	mu      sync.Mutex
	waiting *wanted
	answer  chan *Reply // of the exchange that waits; room for one
	garbage error       // the first bad frame since that exchange began
	pending int         // bytes of a frame that is not whole
	ended   error       // why the session is over; nil while it lives
	closing bool        // somebody has taken it upon him to close the line
}

func newSession(conn Conn, r *route, d *iso8583.Dialect, f profile.Frame, stray func(*iso8583.Message)) *session {
	s := &session{conn: conn, route: r, stray: stray, done: make(chan struct{}), closed: make(chan struct{})}
	go s.read(&deframer{framing: r.Framing, dialect: d, frame: f})
	return s
}

// read is the only reader of the line.
func (s *session) read(frames *deframer) {
	defer close(s.done)
	for {
		n, err := s.conn.Read(frames.room())
		frames.took(n)
		if broken := s.deliver(frames); broken != nil {
			_ = s.end(broken)
			return
		}
		s.mu.Lock()
		s.pending = frames.pending()
		s.mu.Unlock()
		if err != nil {
			_ = s.end(fmt.Errorf("%w: %w", ErrHungUp, err))
			return
		}
	}
}

// deliver hands over every whole frame. It returns an error when the stream is out of step.
func (s *session) deliver(frames *deframer) error {
	for {
		m, header, err := frames.next()
		var bad *badFrame
		switch {
		case err == nil:
			s.arrived(m, header)
		case errors.Is(err, errMore):
			return nil
		case errors.As(err, &bad):
			s.mu.Lock()
			if s.garbage == nil {
				s.garbage = bad
			}
			s.mu.Unlock()
		default:
			return err
		}
	}
}

// arrived gives a message to the exchange that waits for it, once, and every other to Stray.
func (s *session) arrived(m *iso8583.Message, h Header) {
	s.mu.Lock()
	mine := s.waiting != nil && s.waiting.matches(m)
	if mine {
		s.waiting = nil
		s.answer <- &Reply{Message: m, Orders: h.Application[ordersByte] & 0x0F}
	}
	s.mu.Unlock()
	if !mine && s.stray != nil {
		s.stray(m)
	}
}

// await prepares for the answer to one request. It comes before the write, because an answer may be back before Write
// returns.
func (s *session) await(w wanted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting, s.answer, s.garbage = &w, make(chan *Reply, 1), nil
}

// giveUp ends the wait. From here on the answer is a stray one. It returns the answer if that came at the same moment,
// so that an answer is always either delivered or reported; and whether the line stopped inside a frame.
func (s *session) giveUp() (r *Reply, pending int, garbage error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = nil
	select {
	case r = <-s.answer:
	default:
	}
	return r, s.pending, s.garbage
}

// over tells why the session has ended, nil while it lives.
func (s *session) over() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// end hangs up, for a reason of which the first counts. It returns once the line is closed.
func (s *session) end(why error) error {
	s.mu.Lock()
	if s.ended == nil {
		s.ended = why
	}
	mine := !s.closing
	s.closing = true
	s.mu.Unlock()
	if mine { // which may take seconds: a modem hangs up between silences
		s.closeErr = s.conn.Close()
		close(s.closed)
	}
	<-s.closed
	return s.closeErr
}

// write hands a frame to the line within sendTime, or until ctx ends, and tells how many bytes went.
func (s *session) write(ctx context.Context, frame []byte) (int, error) {
	if err := s.conn.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return 0, err
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = s.conn.SetWriteDeadline(time.Unix(1, 0))
		close(cut)
	})
	n, err := s.conn.Write(frame)
	if !stop() {
		<-cut // or the past deadline would fall upon the next exchange
	}
	if n < len(frame) && err == nil {
		err = io.ErrShortWrite
	}
	return max(0, min(n, len(frame))), err
}
