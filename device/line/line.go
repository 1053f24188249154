// Package line is the near end of a device's line as its driver needs it: a read that ends with bytes, at a moment, or when
// the caller gives up, and says which; a write with a limit; a way to forget what an earlier conversation left behind; and
// a Turn, so that a device has one user at a time, whom another can stop.
//
// # On failure
//
// An error of the port itself is returned as it is, behind the device's name: the line is broken and must be opened anew.
// Silence and a caller who gave up are answers and leave the line as good as it was.
package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Port is a line with deadlines: a serial port, a network connection, a test pipe. A read or write that meets its
// deadline must return an error whose Timeout method is true (os.ErrDeadlineExceeded is one).
type Port interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// What a driver turns into its own words.
var (
	ErrSilence     = errors.New("nothing came in time")
	ErrInterrupted = errors.New("interrupted")
	ErrStuck       = errors.New("the line does not take bytes: check cable and flow control")
	ErrBabble      = errors.New("the line does not fall silent: check its speed and what is plugged in")
)

const maxEmpty = 100 // reads in a row that return nothing at all

// A process that stands still for a while, on a machine without memory or processor to spare, meets a deadline that passed
// meanwhile, and the answer lies in the kernel: no read after a deadline returns it. Whoever comes so late looks once more.
const (
	late     = 20 * time.Millisecond
	lastLook = 5 * time.Millisecond
)

// Line is one port. Its methods are called by one goroutine at a time, which the driver sees to.
type Line struct {
	port Port
	name string
}

// New names the device at the far end; the name begins every error of the port.
func New(port Port, name string) *Line { return &Line{port: port, name: name} }

// Send writes all of p within the given time, or returns an error; some of p may have left then.
func (l *Line) Send(p []byte, within time.Duration) error {
	if err := l.port.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return l.broken(err)
	}
	n, err := l.port.Write(p)
	switch {
	case err == nil && n < len(p):
		return l.broken(io.ErrShortWrite)
	case err == nil:
		return nil
	case timedOut(err):
		return fmt.Errorf("%s: %w", l.name, ErrStuck)
	default:
		return l.broken(err)
	}
}

// Receive waits for bytes and returns how many it put into buffer, at least one; or ErrSilence at until, or ErrInterrupted
// when ctx ends first. What has already arrived is taken even when until has passed.
func (l *Line) Receive(ctx context.Context, buffer []byte, until time.Time) (int, error) {
	defer l.wake(ctx)()
	for empty, looked := 0, false; ; {
		if err := l.port.SetReadDeadline(until); err != nil {
			return 0, l.broken(err)
		}
		if ctx.Err() != nil { // after the deadline was set: wake sets it to the past, and must not be overwritten
			return 0, ErrInterrupted
		}
		n, err := l.port.Read(buffer)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			if empty++; empty > maxEmpty {
				return 0, l.broken(io.ErrNoProgress)
			}
		case !timedOut(err):
			return 0, l.broken(err)
		case ctx.Err() == nil && !looked && time.Since(until) > late:
			until, looked = time.Now().Add(lastLook), true
		case ctx.Err() == nil && !time.Now().Before(until):
			return 0, ErrSilence
		}
	}
}

// wake makes a read that is under way look at ctx. The returned function ends the watch, and returns once it can touch the
// port no more.
func (l *Line) wake(ctx context.Context) (stop func()) {
	woken := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(woken)
		_ = l.port.SetReadDeadline(time.Unix(1, 0))
	})
	return func() {
		if !unwatch() {
			<-woken
		}
	}
}

// Empty reads until nothing has come for quiet, and forgets all of it. A line that does not fall silent within limit is
// ErrBabble.
func (l *Line) Empty(ctx context.Context, quiet, limit time.Duration) error {
	buffer := make([]byte, 512)
	defer clear(buffer)
	for end := time.Now().Add(limit); time.Now().Before(end); {
		_, err := l.Receive(ctx, buffer, time.Now().Add(quiet))
		if errors.Is(err, ErrSilence) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: %w", l.name, ErrBabble)
}

func (l *Line) broken(err error) error { return fmt.Errorf("%s line: %w", l.name, err) }

// timedOut reports a deadline, whichever way the port says it.
func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
