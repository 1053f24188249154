package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"posagent/device/reader/neo2"
)

// Numbers we chose.
const (
	// quietGap ends a frame that stopped in the middle. Bytes of one frame follow each other within a millisecond at
	// 115200 baud and the reader itself gives up after 200 ms (IDG p. 110); the rest is for a USB adapter and a busy CPU.
	quietGap = 500 * time.Millisecond

	drainQuiet = 200 * time.Millisecond // silence after which a doubtful line is believed to be empty
	drainMax   = 2 * time.Second        // a line that never falls silent is not waited for

	maxStrange = 16  // whole frames that belong to nothing, in one wait
	maxEmpty   = 100 // reads in a row that return nothing at all
)

// errInterrupted says that the caller's context ended a wait.
var errInterrupted = errors.New("interrupted")

// line owns the port. Its methods are called by whoever holds Reader.token.
type line struct {
	port    Port
	decoder neo2.Decoder
	doubt   bool // something may still come that nobody waits for any more
}

func (l *line) send(command neo2.Frame, within time.Duration) error {
	wire := command.Append(nil, neo2.LowFirst)
	if err := l.port.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return fmt.Errorf("card reader line: %w", err)
	}
	n, err := l.port.Write(wire)
	if err == nil && n < len(wire) {
		err = io.ErrShortWrite
	}
	if err != nil {
		l.doubt = true
		if timedOut(err) {
			return fmt.Errorf("%w (the line does not take bytes)", ErrNoAnswer)
		}
		return fmt.Errorf("card reader line: %w", err)
	}
	return nil
}

// receive waits for the next frame, whole or faulty. It returns errSilence at the deadline and errInterrupted when ctx
// ends. The deadline is checked again after every wake-up, so a wake-up that comes early or late does no harm.
func (l *line) receive(ctx context.Context, until time.Time) (neo2.Item, error) {
	heard, empty, buffer := time.Now(), 0, make([]byte, 512)
	defer clear(buffer)
	for {
		if item, ok := l.decoder.Next(); ok {
			return item, nil
		}
		stop := until
		if l.decoder.Partial() {
			stop = earlier(until, heard.Add(quietGap))
		}
		if err := l.port.SetReadDeadline(stop); err != nil {
			return neo2.Item{}, fmt.Errorf("card reader line: %w", err)
		}
		if ctx.Err() != nil { // after the deadline was set: wake sets it to the past, and must not be overwritten
			return neo2.Item{}, errInterrupted
		}
		n, err := l.port.Read(buffer)
		if n > 0 {
			l.decoder.Write(buffer[:n])
			heard, empty = time.Now(), 0
			continue
		}
		switch {
		case err == nil:
			if empty++; empty > maxEmpty {
				return neo2.Item{}, fmt.Errorf("card reader line: %w", io.ErrNoProgress)
			}
		case !timedOut(err):
			l.doubt = true
			return neo2.Item{}, fmt.Errorf("card reader line: %w", err)
		case l.decoder.Partial() && !time.Now().Before(heard.Add(quietGap)):
			if item, begun := l.decoder.Break(); begun {
				return item, nil
			}
		case !time.Now().Before(until):
			return neo2.Item{}, errSilence
		}
	}
}

// wake makes a receive that is under way look at ctx. The returned function ends the watch.
func (l *line) wake(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = l.port.SetReadDeadline(time.Unix(1, 0)) })
}

// errSilence is the deadline of receive; callers turn it into what it means to them.
var errSilence = errors.New("silence")

// settle empties a line in doubt: it reads until nothing has come for a while, and forgets all of it.
func (l *line) settle() error {
	if !l.doubt {
		return nil
	}
	buffer := make([]byte, 512)
	defer clear(buffer)
	for end := time.Now().Add(drainMax); time.Now().Before(end); {
		if err := l.port.SetReadDeadline(time.Now().Add(drainQuiet)); err != nil {
			return fmt.Errorf("card reader line: %w", err)
		}
		n, err := l.port.Read(buffer)
		if n > 0 {
			continue
		}
		if timedOut(err) {
			break
		}
		if err != nil {
			return fmt.Errorf("card reader line: %w", err)
		}
	}
	l.decoder.Reset()
	l.doubt = false
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// timedOut reports a deadline, whichever way the port says it.
func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
