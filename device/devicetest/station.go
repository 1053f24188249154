package devicetest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// station is what simulated machines with a byte stream share: one line at a time, and answers that are queued so that a
// terminal that does not listen holds nobody up. What does not fit in the queue is lost, as on a line.
type station struct {
	mu      sync.Mutex
	session *session // guarded by mu; nil while nobody is served
}

// serve speaks with a terminal on rw until ctx ends or the line does, and returns nil in both cases. hear gets what the
// terminal sends, in pieces cut anywhere.
func (s *station) serve(ctx context.Context, rw io.ReadWriter, hear func([]byte)) error {
	session := &session{out: make(chan said, maxQueued)}
	s.mu.Lock()
	if s.session != nil {
		s.mu.Unlock()
		return errors.New("this simulated machine already serves a line")
	}
	s.session = session
	s.mu.Unlock()

	return converse(ctx, rw, session, func() error { return listen(ctx, rw, hear) }, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.session = nil
		close(session.out)
	})
}

// converse reads until ctx ends or the line does, while the answers of a session are written. Between the two, leave takes the
// session away from whoever could still answer, and closes its queue.
func converse(ctx context.Context, rw io.ReadWriter, s *session, read func() error, leave func()) error {
	setDeadline := func(at time.Time) {
		if line, ok := rw.(interface{ SetDeadline(time.Time) error }); ok {
			_ = line.SetDeadline(at)
		}
	}
	setDeadline(time.Time{}) // an earlier conversation on this line may have left one
	interrupted := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() { defer close(interrupted); setDeadline(time.Unix(1, 0)) })
	written := make(chan error, 1)
	go func() { written <- s.write(rw) }()
	err := read()
	leave()
	if unwatch() {
		setDeadline(time.Unix(1, 0)) // a terminal that does not read must not hold the writer
	} else {
		<-interrupted
	}
	if writeErr := <-written; err == nil {
		err = writeErr
	}
	if ctx.Err() != nil || over(err) {
		return nil
	}
	return err
}

func listen(ctx context.Context, r io.Reader, hear func([]byte)) error {
	buffer := make([]byte, 512)
	for ctx.Err() == nil {
		n, err := r.Read(buffer)
		if n > 0 {
			hear(buffer[:n])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// say queues bytes that leave in one piece.
func (s *station) say(wire []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return
	}
	select {
	case s.session.out <- said{wire: wire}:
	default: // nobody listens: lost, as on a line
	}
}
