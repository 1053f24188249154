package scanner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"posagent/device/line"
	"posagent/device/scanner/gm72"
)

// What a caller can act on. Every error of this package unwraps to one of these, to the line's own error, or to none when
// only the text helps.
var (
	ErrTimeout    = errors.New("no payment code was shown in time")
	ErrCancelled  = errors.New("scanning was cancelled")
	ErrBusy       = errors.New("the scanner is waiting for a code: finish or cancel that first")
	ErrNoAnswer   = errors.New("the scanner does not answer: check its cable and power")
	ErrGarbage    = errors.New("what the scanner sends makes no sense: check the speed of its line")
	ErrUnread     = errors.New("the code was damaged on the line: show it again")
	ErrNotPayCode = errors.New("this is no payment code: open the payment code in the app and show it again")
)

// Kind is how a scanner is spoken to.
type Kind string

const (
	Plain Kind = "plain" // it sends what it sees
	GM72  Kind = "gm72"  // Grow GM72 in host mode
)

// Opts are the scanner's settings. Routes and Key have no default.
type Opts struct {
	Kind   Kind          // default Plain
	Routes Routes        // whose a code is
	Key    []byte        // of fingerprints, MinKey bytes at least; the caller keeps it
	Wait   time.Duration // for a code, up to 255 s; default 60 s
	Answer time.Duration // of a GM72 to a command; default 500 ms
}

// Numbers: the first is the scanner's, the others are ours.
const (
	wakeTime = 50 * time.Millisecond // between WakeUp and a command (GM72 manual)

	lineGap       = 150 * time.Millisecond // a longer pause in the middle of a code: at 9600 baud a character takes 1 ms
	defaultAnswer = 500 * time.Millisecond
	resends       = 2
	leftQuiet     = 50 * time.Millisecond // silence after which an earlier code is believed to be over
	leftLimit     = 2 * time.Second
	defaultWait   = time.Minute
	maxWait       = 255 * time.Second
	maxStrange    = 1024 // bytes without a code, in one Scan
)

// Scanner is one scanner. Its methods may be called from any goroutine.
type Scanner struct {
	opts Opts
	turn line.Turn

	// Owned by whoever has the turn.
	line    *line.Line
	decoder decoder
	buffer  [128]byte // what has arrived, and from where on nobody has looked at it
	arrived int
	next    int
	heard   time.Time // when something came last
}

// New takes a line that is open at the scanner's speed. A GM72 must answer; a plain scanner cannot be asked anything. The line
// stays the caller's and is never closed.
func New(port line.Port, o *Opts) (*Scanner, error) {
	if o == nil || len(o.Routes.list) == 0 {
		return nil, errors.New("scanner: no routes of payment codes are given")
	}
	s := &Scanner{opts: *o, line: line.New(port, "scanner")}
	if s.opts.Kind == "" {
		s.opts.Kind = Plain
	}
	if s.opts.Wait == 0 {
		s.opts.Wait = defaultWait
	}
	if s.opts.Answer == 0 {
		s.opts.Answer = defaultAnswer
	}
	switch {
	case s.opts.Kind != Plain && s.opts.Kind != GM72:
		return nil, fmt.Errorf("scanner: kind %.20q is not known: want %s or %s", s.opts.Kind, Plain, GM72)
	case len(s.opts.Key) < MinKey:
		return nil, fmt.Errorf("scanner: the key of fingerprints has %d bytes, want %d at least", len(s.opts.Key), MinKey)
	case s.opts.Wait < 0 || s.opts.Wait > maxWait:
		return nil, fmt.Errorf("scanner: a wait of %v is outside 0 to %v", s.opts.Wait, maxWait)
	case s.opts.Answer < 0:
		return nil, fmt.Errorf("scanner: an answer's time of %v is negative", s.opts.Answer)
	}
	s.opts.Key = slices.Clone(s.opts.Key)
	s.decoder.frames = s.opts.Kind == GM72
	if s.opts.Kind == GM72 {
		if err := s.command(context.Background(), gm72.Frame{Operation: gm72.Stop, Source: gm72.FromHost}); err != nil {
			return nil, fmt.Errorf("scanner not usable: %w", s.inWords(context.Background(), err))
		}
	}
	return s, nil
}

// String names the device.
func (s *Scanner) String() string {
	if s.opts.Kind == GM72 {
		return "Grow GM72 scanner"
	}
	return "scanner"
}

// Provision sets a GM72 for good to look only when it is told to. It is done once in a scanner's life, by a technician: the
// setting lies in the scanner's own memory, which wears.
func (s *Scanner) Provision(ctx context.Context) error {
	if s.opts.Kind != GM72 {
		return errors.New("a plain scanner is set up with the barcodes of its manual")
	}
	ctx, over, free := s.turn.Begin(ctx, ErrCancelled)
	if !free {
		return ErrBusy
	}
	defer over()
	return s.inWords(ctx, s.command(ctx, gm72.HostTrigger))
}

// Scan waits for a payment code. It returns ErrTimeout when none was shown, ErrCancelled with the context's own error when ctx
// ended, ErrBusy when another Scan runs, ErrNotPayCode or ErrUnread for a code that cannot be taken, ErrNoAnswer,
// ErrGarbage, or the line's error.
func (s *Scanner) Scan(ctx context.Context) (Code, error) {
	ctx, over, free := s.turn.Begin(ctx, ErrCancelled)
	if !free {
		return Code{}, ErrBusy
	}
	defer over()
	code, err := s.scan(ctx)
	return code, s.inWords(ctx, err)
}

func (s *Scanner) scan(ctx context.Context) (Code, error) {
	start, stop := gm72.Frame{Operation: gm72.Start, Source: gm72.FromHost}, gm72.Frame{Operation: gm72.Stop, Source: gm72.FromHost}
	if s.opts.Kind == GM72 {
		defer func() { _ = s.command(context.Background(), stop) }() // its light goes out; the next Scan finds a dead one
		if err := s.command(ctx, start); err != nil {
			return Code{}, err
		}
	} else if err := s.empty(ctx, leftQuiet); err != nil {
		return Code{}, err
	}
	said, err := s.await(ctx, time.Now().Add(s.opts.Wait), func(i item) bool { return i.kind != answer })
	switch {
	case errors.Is(err, line.ErrSilence):
		return Code{}, ErrTimeout
	case err != nil:
		return Code{}, err
	case said.kind == damaged:
		return Code{}, ErrUnread
	case said.kind == tooLong:
		return Code{}, fmt.Errorf("%w: it has more than %d characters", ErrNotPayCode, maxLine)
	}
	return ParseCode(said.text, s.opts.Routes, s.opts.Key)
}

// Cancel makes a Scan that is under way end, and returns once it has. Without one it does nothing.
func (s *Scanner) Cancel(ctx context.Context) error { return s.turn.Cancel(ctx) }

// Halt is Cancel with a limit of its own.
func (s *Scanner) Halt() error {
	ctx, stop := context.WithTimeout(context.Background(), (resends+1)*2*s.opts.Answer)
	defer stop()
	return s.Cancel(ctx)
}

// inWords turns the line's answers into those of a scanner.
func (s *Scanner) inWords(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(err, line.ErrInterrupted) && errors.Is(cause, ErrCancelled):
		return ErrCancelled
	case errors.Is(err, line.ErrInterrupted):
		return fmt.Errorf("%w: %w", ErrCancelled, cause)
	case errors.Is(err, line.ErrBabble):
		return fmt.Errorf("%w: %w", ErrGarbage, err)
	case errors.Is(err, line.ErrStuck):
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return err
}
