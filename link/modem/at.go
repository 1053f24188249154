package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Port is the line to the modem. Its deadlines behave like a net.Conn's: one that passes ends a Read or Write in
// progress with os.ErrDeadlineExceeded, and the zero time means none.
type Port interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// longAgo wakes a Read or a Write in progress.
var longAgo = time.Unix(1, 0)

// engine speaks AT commands, one at a time. It has no goroutine and no lock: it belongs to whoever holds the port in
// command state, Dial or Close.
type engine struct {
	port  Port
	lex   lexer
	allow time.Duration // for writing one command
	spoke time.Time     // when the modem was last heard
	chunk [256]byte
}

// command sends one line and waits for its OK, or for one of the result codes named in also. What else the modem says is skipped: echoes, information text, result
// codes of an earlier call that arrive late. It fails with a *ResultError, with ErrNoModem when nothing but an echo
// came, with ErrGarbage when something came and none of it was an answer, with the context's error, or the port's.
func (e *engine) command(ctx context.Context, line string, wait time.Duration, also ...string) error {
	if err := e.ready(ctx); err != nil {
		return err
	}
	if err := e.send(line); err != nil {
		return err
	}
	var failure error
	heard := false
	err := e.listen(ctx, time.Now().Add(wait), func(t token) bool {
		r, known := resultOf(t.text)
		heard = heard || t.kind != echo
		if t.kind != text || !known {
			return false
		}
		if slices.Contains(also, r.text) {
			return true
		}
		failure = r.failure()
		return r.class == completes
	})
	switch {
	case err == nil && failure != nil:
		return fmt.Errorf("%s: %w", line, failure)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case heard || e.lex.halfway():
		return ErrGarbage
	default:
		return ErrNoModem
	}
}

// ready waits until the modem may be sent a command (5.5). A modem that keeps talking is not waited for.
func (e *engine) ready(ctx context.Context) error {
	limit := time.Now().Add(chatterMax)
	for time.Now().Before(limit) {
		quiet := e.spoke.Add(betweenLines)
		if !time.Now().Before(quiet) {
			return nil
		}
		if err := e.rest(ctx, quiet); err != nil {
			return err
		}
	}
	return nil
}

// send forgets what the modem said before and writes a command line.
func (e *engine) send(line string) error {
	e.lex.expect(line)
	return e.write(line + terminator)
}

// write puts bytes on the line, all of them within the allowance.
func (e *engine) write(s string) error {
	if err := e.port.SetWriteDeadline(time.Now().Add(e.allow)); err != nil {
		return fmt.Errorf("modem port: %w", err)
	}
	n, err := e.port.Write([]byte(s))
	if isTimeout(err) {
		return fmt.Errorf("%w: the port took %d of %d bytes", ErrNoModem, n, len(s))
	}
	if err != nil {
		return fmt.Errorf("modem port: %w", err)
	}
	return nil
}

// listen gives every line to take until take is satisfied, or fails with os.ErrDeadlineExceeded at the time given.
func (e *engine) listen(ctx context.Context, until time.Time, take func(token) bool) error {
	for {
		for t, ok := e.lex.next(); ok; t, ok = e.lex.next() {
			if take(t) {
				return nil
			}
		}
		if err := e.read(ctx, until); err != nil {
			return err
		}
	}
}

// rest reads and forgets until the time given.
func (e *engine) rest(ctx context.Context, until time.Time) error {
	for {
		err := e.read(ctx, until)
		e.lex.expect("")
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// read takes what has come, waiting for at least one byte until the time given or the end of the context.
func (e *engine) read(ctx context.Context, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.port.SetReadDeadline(until); err != nil {
		return fmt.Errorf("modem port: %w", err)
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = e.port.SetReadDeadline(longAgo) // a port that refuses ends the Read at its own deadline
		close(woken)
	})
	n, err := e.port.Read(e.chunk[:])
	if !stop() {
		<-woken // or it would cut short a later read
	}
	if n > 0 {
		e.spoke = time.Now()
		e.lex.feed(e.chunk[:n])
		return nil
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case isTimeout(err):
		return os.ErrDeadlineExceeded
	case err == nil:
		return fmt.Errorf("modem port: %w", io.ErrNoProgress)
	default:
		return fmt.Errorf("modem port: %w", err)
	}
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
