package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"posagent/link"
)

// socket is a connection of the modem's own TCP, spoken to by commands. Read and Write may run at the same time, each
// once; they take turns on the line, because a modem does one command at a time.
//
//	Read    ── waits for reports ── "data waits" ── fetches ──► payload
//	Write   ── wakes Read, has the floor ── command, prompt, payload, SEND OK ── gives it back
//	Close   ── what is not acknowledged is asked for once more ── closes
type socket struct {
	owner *Cellular
	at    *chat
	floor *floor

	ready   []byte    // payload not yet handed out; Read's
	asked   time.Time // when the modem was last asked for data; whoever has the floor
	proved  time.Time // when it last proved that it lives; whoever has the floor
	broken  bool      // a command was left unanswered: the next byte may belong to it; whoever has the floor
	missed  int       // looks for data in a row that got no answer; whoever has the floor
	closing atomic.Bool
	writeBy alarm

	handed atomic.Int64
	acked  atomic.Int64

	mu     sync.Mutex // owns the rest
	readBy time.Time
	over   error
	closed context.CancelFunc // ends a Write in progress
	life   context.Context
}

var (
	_ link.Conn  = (*socket)(nil)
	_ link.Meter = (*socket)(nil)
)

func newSocket(c *Cellular) *socket {
	s := &socket{owner: c, at: &c.at, asked: time.Now(), proved: time.Now()}
	s.floor = newFloor(func() { _ = s.at.port.SetReadDeadline(longAgo) })
	s.life, s.closed = context.WithCancel(context.Background())
	return s
}

// Numbers we chose.
const (
	lookAnyway = 15 * time.Second // between two looks for data that was perhaps not reported
	stale      = 10 * time.Second // a connection that has been silent so long is asked after before it is written to
	sendWait   = 20 * time.Second // for the modem to take one piece, where Write has no deadline
	missable   = 2                // looks that may go unanswered before the modem counts as dead
)

// Read delivers payload. What came before the connection was closed is delivered before the closing.
func (s *socket) Read(p []byte) (int, error) {
	for len(p) > 0 {
		s.floor.take(false)
		err := s.receive()
		n := 0
		if len(s.ready) > 0 {
			n = copy(p, s.ready)
			s.ready = s.ready[n:]
			err = nil
		}
		s.floor.give()
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// receive waits for payload, for as long as nobody else wants the floor. The caller has it.
func (s *socket) receive() error {
	if len(s.ready) > 0 {
		return nil
	}
	if s.closing.Load() { // and perhaps somebody else's modem by now
		return net.ErrClosed
	}
	s.at.hear()
	if len(s.at.pushed) > 0 {
		s.ready, s.at.pushed = s.at.pushed, nil
		return nil
	}
	switch {
	case s.ended() != nil:
		return s.ended()
	case s.at.lost != nil:
		s.end(s.at.lost)
		return s.at.lost
	case s.at.waiting || time.Since(s.asked) >= lookAnyway:
		return s.fetch()
	case s.at.closed != nil:
		_, _ = s.weigh(s.life)
		s.end(s.at.closed)
		return s.at.closed
	}
	return s.wait()
}

// fetch takes what waits. The modem reports once, and then not again before everything is taken (Quectel 2.4.11).
func (s *socket) fetch() error {
	s.asked = time.Now()
	got, err := s.at.kind.fetch(s.life, s.at)
	switch {
	case s.closing.Load():
		return net.ErrClosed
	case err == nil:
		s.missed = 0
		s.proved = time.Now()
		s.at.waiting = len(got) > 0
		s.ready = append(s.ready, got...)
		return nil
	case errors.Is(err, ErrRefused) && (s.at.closed != nil || s.at.lost != nil):
		s.at.waiting = false
		return nil
	case s.missed+1 < missable && worthAsking(err), s.missed+1 < missable && errors.Is(err, ErrUnanswered):
		s.missed++
		return nil
	}
	if errors.Is(err, ErrRefused) {
		err = fmt.Errorf("%w: it knows of no connection", ErrLost)
	} else {
		s.broken = true
	}
	s.end(err)
	return err
}

// wait sleeps until the next report, deadline or look.
func (s *socket) wait() error {
	var deadline time.Time
	resting, err := s.floor.rest(s.closing.Load, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		deadline = s.readBy
		wake := s.asked.Add(lookAnyway)
		if !deadline.IsZero() && deadline.Before(wake) {
			wake = deadline
		}
		return s.at.port.SetReadDeadline(wake)
	})
	if err != nil {
		err = fmt.Errorf("modem port: %w", err)
		s.end(err)
		return err
	}
	if !resting {
		return nil
	}
	n, err := s.at.port.Read(s.at.chunk[:])
	s.floor.busy()
	switch {
	case n > 0:
		s.at.spoke = time.Now()
		s.at.lex.feed(s.at.chunk[:n])
		return nil
	case isTimeout(err):
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.readBy.IsZero() && !time.Now().Before(s.readBy) && !s.closing.Load() {
			return os.ErrDeadlineExceeded
		}
		return nil
	case err == nil:
		err = io.ErrNoProgress
	}
	err = fmt.Errorf("modem port: %w", err)
	s.end(err)
	return err
}

// Write gives payload to the modem, piece by piece. It counts as written what the port has taken behind the modem's
// prompt, whatever the modem says of it afterwards: only bytes for which no prompt came are certain not to leave.
func (s *socket) Write(p []byte) (int, error) {
	if s.closing.Load() {
		return 0, net.ErrClosed
	}
	if s.writeBy.past() {
		return 0, os.ErrDeadlineExceeded
	}
	ctx, cancel := context.WithCancelCause(s.life)
	defer cancel(nil)
	defer s.writeBy.begin(func() { cancel(os.ErrDeadlineExceeded) })()
	s.floor.take(true)
	defer s.floor.give()
	written := 0
	err := s.fit(ctx)
	for err == nil && written < len(p) {
		piece := p[written:min(len(p), written+s.at.kind.most())]
		var given int
		given, err = s.at.kind.send(ctx, s.at, piece, sendWait)
		s.handed.Add(int64(given))
		written += given
		s.proved = time.Now()
		if err == nil && given < len(piece) {
			err = io.ErrShortWrite
		}
	}
	if err == nil {
		return written, nil
	}
	switch {
	case s.closing.Load():
		err = net.ErrClosed
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	s.broken = s.broken || !errors.Is(err, ErrLost) && !errors.Is(err, ErrNoCarrier)
	s.end(err)
	return written, err
}

// fit refuses a connection that is known to be gone, and asks after one that has been silent: half-open is what a mobile
// network leaves behind when it tidies up.
func (s *socket) fit(ctx context.Context) error {
	if s.closing.Load() {
		return net.ErrClosed
	}
	s.at.hear()
	switch {
	case s.ended() != nil:
		return s.ended()
	case s.at.lost != nil:
		return s.at.lost
	case s.at.closed != nil:
		return s.at.closed
	case time.Since(s.proved) < stale:
		return nil
	}
	alive, err := s.at.kind.alive(ctx, s.at)
	if err == nil && !alive {
		err = fmt.Errorf("%w: it says that the connection is closed", ErrLost)
	}
	s.proved = time.Now()
	return err
}

// Handed is how many bytes the modem was given.
func (s *socket) Handed() int64 { return s.handed.Load() }

// Acknowledged asks the modem what the far end's TCP has confirmed.
func (s *socket) Acknowledged() (int64, error) {
	s.floor.take(true)
	defer s.floor.give()
	if s.closing.Load() || s.broken {
		return s.remembered()
	}
	return s.weigh(s.life)
}

// weigh asks for the count and remembers it. The caller has the floor.
func (s *socket) weigh(ctx context.Context) (int64, error) {
	n, err := s.at.kind.acknowledged(ctx, s.at)
	if err != nil {
		s.broken = s.broken || !errors.Is(err, ErrRefused)
		return s.remembered()
	}
	s.acked.Store(n + 1)
	return n, nil
}

func (s *socket) remembered() (int64, error) {
	if n := s.acked.Load(); n > 0 {
		return n - 1, nil
	}
	return 0, fmt.Errorf("%w: it was not asked in time", ErrUnanswered)
}

// Close ends Read and Write, closes the connection and gives the modem back. A modem that does not answer any more is
// given up after the time of two commands; the next Dial finds out what became of it.
func (s *socket) Close() error {
	if s.closing.Swap(true) {
		return net.ErrClosed
	}
	s.mu.Lock()
	inTime := s.over == nil || errors.Is(s.over, ErrNoCarrier)
	s.mu.Unlock()
	s.closed()
	s.floor.stir()
	s.floor.take(true)
	defer s.floor.give()
	defer s.owner.release()
	ctx := context.Background()
	if s.broken { // the modem may still wait for payload, and would take a command for it
		if err := s.at.nap(ctx, promptTime); err != nil {
			return fmt.Errorf("modem: %w", err)
		}
		if err := s.at.hello(ctx, s.owner.opts.Command, s.owner.opts.Guard); err != nil {
			return fmt.Errorf("modem: hang-up not confirmed: %w", err)
		}
	}
	if s.handed.Load() > 0 && (inTime || s.broken) && s.acked.Load() != s.handed.Load()+1 {
		_, _ = s.weigh(ctx)
	}
	if err := s.at.kind.shut(ctx, s.at); err != nil {
		return fmt.Errorf("modem: hang-up not confirmed: %w", err)
	}
	return nil
}

func (s *socket) end(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over == nil {
		s.over = why
	}
}

func (s *socket) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// SetReadDeadline takes effect on a Read in progress.
func (s *socket) SetReadDeadline(t time.Time) error {
	if s.closing.Load() {
		return net.ErrClosed
	}
	s.mu.Lock()
	s.readBy = t
	s.mu.Unlock()
	s.floor.stir()
	return nil
}

// SetWriteDeadline takes effect on a Write in progress.
func (s *socket) SetWriteDeadline(t time.Time) error {
	if s.closing.Load() {
		return net.ErrClosed
	}
	s.writeBy.set(t)
	return nil
}
