package modem

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"posagent/link"
)

// call is a line in data state. Bytes pass unchanged both ways; only the modem's report that the carrier is lost is
// taken out of what comes in.
type call struct {
	callOwner
	closing chan struct{} // closed by Close

	reading turn   // held by Read; owns the next five
	ready   []byte // payload not yet handed out
	watch   watch
	heard   time.Time // the last byte, or the moment DCD went off
	dropped bool      // DCD went off; what the port still holds is being read
	chunk   [1024]byte

	writing turn // held by Write; owns plus
	plus    lonePlus

	mu      sync.Mutex // owns the rest
	readBy  time.Time
	writeBy time.Time
	carrier bool  // DCD was seen on in this call
	over    error // why nothing more can be read or written
	closed  bool
}

// turn is a lock of which Close holds two for as long as a hang-up takes: who waits for one then does so no longer.
type turn chan struct{}

func (t turn) take(closing <-chan struct{}) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-closing:
		return net.ErrClosed
	}
}

func (t turn) give() { <-t }

// callOwner is whose line it is, and how it is given back.
type callOwner struct {
	port    Port
	dcd     func() (bool, error)
	guard   time.Duration
	hangUp  func(inData bool) error
	release func()
}

func newCall(o callOwner, early []byte) *call {
	now := time.Now()
	c := &call{callOwner: o, closing: make(chan struct{}), reading: make(turn, 1), writing: make(turn, 1), heard: now, plus: lonePlus{guard: o.guard, sent: now}}
	c.ready = c.watch.sift(nil, early)
	_ = c.port.SetWriteDeadline(time.Time{}) // a port that refuses says so in Write
	return c
}

var _ link.Conn = (*call)(nil)

// Read delivers payload. After the last byte of a lost call it returns ErrNoCarrier.
func (c *call) Read(p []byte) (int, error) {
	if err := c.reading.take(c.closing); err != nil {
		return 0, err
	}
	defer c.reading.give()
	for len(p) > 0 {
		if err := c.ended(); err != nil && (len(c.ready) == 0 || errors.Is(err, net.ErrClosed)) {
			return 0, err
		}
		if len(c.ready) > 0 {
			n := copy(p, c.ready)
			c.ready = c.ready[n:]
			return n, nil
		}
		if err := c.receive(); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// receive waits for bytes, or for the moment when silence means something.
func (c *call) receive() error {
	if err := c.arm(); err != nil {
		return err
	}
	n, err := c.port.Read(c.chunk[:])
	switch {
	case n > 0:
		c.heard = time.Now()
		c.ready = c.watch.sift(c.ready[:0], c.chunk[:n])
		return nil
	case isTimeout(err):
		return c.silence(time.Now())
	case err == nil:
		err = io.ErrNoProgress
	}
	c.end(fmt.Errorf("modem port: %w", err))
	return nil
}

// arm sets the port's deadline to the next moment that matters.
func (c *call) arm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	wake := c.readBy
	sooner := func(t time.Time) {
		if wake.IsZero() || t.Before(wake) {
			wake = t
		}
	}
	if c.watch.waiting() || c.dropped {
		sooner(c.heard.Add(resultPause))
	}
	if c.dcd != nil && !c.dropped {
		sooner(time.Now().Add(carrierPoll))
	}
	if c.closed {
		wake = longAgo
	}
	if err := c.port.SetReadDeadline(wake); err != nil {
		return fmt.Errorf("modem port: %w", err)
	}
	return nil
}

// silence decides what it means that nothing came.
func (c *call) silence(now time.Time) error {
	if now.Sub(c.heard) >= resultPause {
		switch {
		case c.watch.reported():
			c.end(ErrNoCarrier)
			return nil
		case c.watch.waiting():
			c.ready = c.watch.release(c.ready[:0])
			return nil
		case c.dropped:
			c.end(ErrNoCarrier)
			return nil
		}
	}
	if !c.dropped && c.carrierGone() {
		c.dropped, c.heard = true, now // 6.2.8: DCD goes off after the last byte; give the port time to hand it up
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.readBy.IsZero() && !now.Before(c.readBy) && !c.closed {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// carrierGone asks DCD, which means something only once it has been on: CONNECT is sent before it (6.3.1, table 8).
func (c *call) carrierGone() bool {
	if c.dcd == nil {
		return false
	}
	on, err := c.dcd()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && on {
		c.carrier = true
	}
	return err == nil && !on && c.carrier
}

// SetDeadline sets both deadlines.
func (c *call) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline takes effect on a Read in progress.
func (c *call) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.readBy = t
	return c.port.SetReadDeadline(longAgo) // wakes the Read, which then works out its next moment
}

// SetWriteDeadline takes effect on a Write in progress.
func (c *call) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.writeBy = t
	return c.port.SetWriteDeadline(t)
}

// Close ends Read and Write, hangs up, and gives the modem back. It always returns, and says if the modem did not
// confirm: see hangUp for the bound. A second Close returns net.ErrClosed.
func (c *call) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return net.ErrClosed
	}
	c.closed = true
	inData := !errors.Is(c.over, ErrNoCarrier)
	close(c.closing)
	_ = c.port.SetReadDeadline(longAgo)
	_ = c.port.SetWriteDeadline(longAgo)
	c.mu.Unlock()

	c.reading <- struct{}{}
	defer c.reading.give()
	c.writing <- struct{}{}
	defer c.writing.give()
	defer c.release()
	if err := c.hangUp(inData); err != nil {
		return fmt.Errorf("modem: %w", err)
	}
	return nil
}

func (c *call) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over == nil && !c.closed {
		c.over = why
	}
}

func (c *call) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return c.over
}
