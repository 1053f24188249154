package msr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/device/line"
	"posagent/device/reader"
	"posagent/txnstore/txn"
)

// Opts are the reader's settings. The zero value and nil are a reader that has checked the LRC and dropped it.
type Opts struct {
	SendsLRC     bool // an LRC follows each end sentinel, and is checked
	NoCheckDigit bool // some issuers' numbers end without a check digit
	RefuseChip   bool // a card whose service code tells of a chip is not taken from its stripe
}

// Numbers we chose.
const (
	// trackGap ends a swipe after which no further track comes. At 9600 baud a character takes about 1 ms and a reader
	// sends its tracks in one go; the rest is for a USB adapter and a busy CPU.
	trackGap = 200 * time.Millisecond

	swipeLimit = 5 * time.Second // from a swipe's first character to its last, at 1200 baud and more

	leftQuiet = 50 * time.Millisecond // silence after which an earlier swipe is believed to be over
	leftLimit = 2 * time.Second       // a line that never falls silent is not waited for

	maxStray   = 512 // bytes that belong to no swipe, in one wait
	strayNoise = 8   // fewer than these are put down to an adapter that was plugged in

	maxTimeout = 255 * time.Second // as of the other readers
)

// Reader is one stripe reader. Its methods may be called from any goroutine.
type Reader struct {
	opts Opts
	turn line.Turn
	line *line.Line // owned by whoever has the turn
}

// New takes a line that is open at the reader's speed and parity. It cannot prove that a reader is there: none of them
// answers anything. The line stays the caller's and is never closed.
func New(port line.Port, o *Opts) (*Reader, error) {
	if port == nil {
		return nil, errors.New("stripe reader: there is no line")
	}
	r := &Reader{line: line.New(port, "stripe reader")}
	if o != nil {
		r.opts = *o
	}
	return r, nil
}

// String names the device.
func (r *Reader) String() string { return "magnetic stripe reader" }

// Activate waits for a card to be swiped and returns what it gave. Of the request only the timeout, 1 ms to 255 s, means
// something to a stripe. A swipe that is under way when the time is over is still read. Errors: reader.ErrTimeout when
// nobody came; reader.ErrCancelled and the context's own when ctx ended; reader.ErrBusy when another Activate runs;
// ErrBadSwipe; reader.ErrCardRefused; reader.ErrGarbage for what is no swipe; or the line's.
func (r *Reader) Activate(ctx context.Context, q reader.Request) (txn.Presented, error) {
	if q.Timeout <= 0 || q.Timeout > maxTimeout {
		return txn.Presented{}, fmt.Errorf("card timeout %v is outside 0 to %v", q.Timeout, maxTimeout)
	}
	ctx, over, free := r.turn.Begin(ctx, reader.ErrCancelled)
	if !free {
		return txn.Presented{}, reader.ErrBusy
	}
	defer over()
	presented, err := r.await(ctx, q.Timeout)
	switch {
	case errors.Is(err, line.ErrInterrupted):
		return txn.Presented{}, cancelled(ctx)
	case errors.Is(err, line.ErrBabble):
		return txn.Presented{}, fmt.Errorf("%w: %w", reader.ErrGarbage, err)
	}
	return presented, err
}

// await drops what came before and collects one swipe.
func (r *Reader) await(ctx context.Context, timeout time.Duration) (txn.Presented, error) {
	if err := r.line.Empty(ctx, leftQuiet, leftLimit); err != nil {
		return txn.Presented{}, err
	}
	s, buffer := newSwipe(r.opts.SendsLRC), make([]byte, 256)
	defer clear(buffer)
	defer s.forget()
	var end time.Time // of a swipe that has begun
	for until := time.Now().Add(timeout); ; {
		n, err := r.line.Receive(ctx, buffer, until)
		switch {
		case errors.Is(err, line.ErrSilence) && s.begun():
			return s.card(r.opts)
		case errors.Is(err, line.ErrSilence):
			return txn.Presented{}, nobody(s.stray)
		case err != nil:
			return txn.Presented{}, err
		}
		switch s.take(buffer[:n]); {
		case s.complete():
			return s.card(r.opts)
		case s.stray > maxStray:
			return txn.Presented{}, nobody(s.stray)
		case s.begun():
			if end.IsZero() {
				end = time.Now().Add(swipeLimit)
			}
			if until = time.Now().Add(trackGap); until.After(end) {
				return s.card(r.opts)
			}
		}
	}
}

// nobody tells an idle reader from a line that talks nonsense.
func nobody(stray int) error {
	if stray < strayNoise {
		return reader.ErrTimeout
	}
	return fmt.Errorf("%w: %d bytes belong to no swipe; check speed and parity of the stripe reader's line", reader.ErrGarbage, stray)
}

// Cancel makes an Activate that is under way end, and returns once it has. Without one it does nothing.
func (r *Reader) Cancel(ctx context.Context) error { return r.turn.Cancel(ctx) }

// Halt is Cancel without a caller who could give up: nothing is sent to the reader, so it ends at once.
func (r *Reader) Halt() error { return r.Cancel(context.Background()) }

func cancelled(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, reader.ErrCancelled) {
		return fmt.Errorf("%w: %w", reader.ErrCancelled, cause)
	}
	return reader.ErrCancelled
}
