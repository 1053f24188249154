package reader

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"posagent/device/line"
	"posagent/device/reader/neo2"
)

// Port is a line with deadlines: a serial port, a network connection, a test pipe.
type Port = line.Port

// Opts are the reader's parameters. The zero value and nil mean the defaults.
type Opts struct {
	Answer time.Duration    // how long an ordinary command may take to be answered; default 2 s
	Events func(Event)      // user-interface events, called from the goroutine that calls Activate; it must return soon
	Now    func() time.Time // the clock of Event.At; default time.Now

	// Fallback lets a card's stripe be swiped after its chip could not be read, in the same Activate. Acquirers differ in
	// whether they take such cards.
	Fallback bool

	// Sealed is for a reader that enciphers card data (SRED), whose numbers are masked and whose tracks only the acquirer reads.
	// One that does not is refused with ErrSetUp, as one that does is without it.
	Sealed bool

	// Lights says that Signal is used with lamps here: a program that ended in the middle of one may have left the reader in
	// pass-through mode, which the first activation then ends.
	Lights bool
}

const (
	defaultAnswer = 2 * time.Second
	resends       = 1 // repetitions of a command that is harmless to repeat, after a damaged answer
	maxVersion    = 64
)

// Reader is one card reader. Its methods may be called from any goroutine; the line is used by one at a time.
type Reader struct {
	answer time.Duration
	events func(Event)
	now    func() time.Time

	fallback, sealed bool

	token   chan struct{} // holds one value while the line is free
	wire    wire          // owned by whoever took the token
	orphan  bool          // with the token: a transaction nobody waits for may still run in the reader
	passing bool          // with the token: the reader may be in pass-through mode

	mu      sync.Mutex
	active  *activation // guarded by mu; nil when no card is awaited
	session *session    // guarded by mu; nil when no card waits in the slot
	wanted  int         // guarded by mu; how many wait for the token, to whom a signal gives way
	hush    func()      // guarded by mu; ends the signal in progress; nil when there is none
}

// New pings the reader and returns an error that says what it answered and what to check. The line stays the caller's:
// it must already be open at 115200 8N1, and Reader never closes it.
func New(port Port, o *Opts) (*Reader, error) {
	if o == nil {
		o = &Opts{}
	}
	r := &Reader{answer: o.Answer, events: o.Events, now: o.Now, fallback: o.Fallback, sealed: o.Sealed, token: make(chan struct{}, 1)}
	if r.answer <= 0 {
		r.answer = defaultAnswer
	}
	if r.events == nil {
		r.events = func(Event) {}
	}
	if r.now == nil {
		r.now = time.Now
	}
	r.wire = wire{Line: line.New(port, "card reader"), order: neo2.LowFirst, decoder: neo2.Decoder{Accept: neo2.EitherWay}}
	r.token <- struct{}{}
	if err := r.Ping(context.Background()); err != nil {
		return nil, fmt.Errorf("card reader not usable: %w", err)
	}
	r.orphan, r.passing = true, o.Lights // left by a program before this one
	return r, nil
}

// String names the device and its protocol.
func (r *Reader) String() string { return "ID TECH NEO 2 card reader (ViVOtech2)" }

// Ping proves that the reader is there (18-01).
func (r *Reader) Ping(ctx context.Context) error {
	_, err := r.ask(ctx, neo2.Frame{Command: neo2.Ping, Sub: neo2.PingSub})
	return err
}

// Version asks for the firmware's name and version (29-00), at most 64 printable characters.
func (r *Reader) Version(ctx context.Context) (string, error) {
	data, err := r.ask(ctx, neo2.Frame{Command: neo2.Version, Sub: neo2.VersionSub})
	if err != nil {
		return "", err
	}
	if text := printable(data); text != "" {
		return text, nil
	}
	return "", fmt.Errorf("%w: its version has no printable character", ErrGarbage)
}

// Cancel ends whatever transaction runs in the reader (05-01). If an Activate is under way it is made to end, and Cancel
// returns once it has; Activate then returns ErrCancelled. A card that waits in the slot is released. Without either, a reader that says it has nothing to cancel is
// as good as one that cancelled.
func (r *Reader) Cancel(ctx context.Context) error {
	r.mu.Lock()
	active := r.active
	r.mu.Unlock()
	if active != nil {
		active.stop()
		select {
		case <-active.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if r.opened() != nil {
		return r.Release(ctx)
	}
	_, err := r.ask(ctx, neo2.Frame{Command: neo2.Cancel, Sub: neo2.CancelSub})
	var refused *StatusError
	if errors.As(err, &refused) && refused.Status == neo2.NotAllowed {
		return nil
	}
	return err
}

// Halt makes the reader stop waiting for cards. It sends nothing if none is awaited, and is bounded by twice the answer
// time. The Reader may be used again afterwards.
func (r *Reader) Halt() error {
	r.mu.Lock()
	idle := r.active == nil
	r.mu.Unlock()
	if idle {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*r.answer)
	defer stop()
	return r.Cancel(ctx)
}

// ask does one ordinary command with the line to itself.
func (r *Reader) ask(ctx context.Context, command neo2.Frame) ([]byte, error) {
	r.mu.Lock()
	busy := r.active != nil || r.session != nil // any other command would end the card's transaction (IDG p. 208)
	r.mu.Unlock()
	if busy {
		return nil, ErrBusy
	}
	if err := r.take(ctx); err != nil {
		return nil, err
	}
	defer r.release()
	if err := r.wire.settle(); err != nil {
		return nil, err
	}
	return r.exchange(ctx, command)
}

func (r *Reader) take(ctx context.Context) error {
	r.mu.Lock()
	r.wanted++
	if r.hush != nil {
		r.hush()
	}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.wanted--
		r.mu.Unlock()
	}()
	select {
	case <-r.token:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, context.Cause(ctx))
	}
}

func (r *Reader) release() { r.token <- struct{}{} }

// exchange sends a command that is harmless to repeat and returns the data of its answer. The caller holds the token.
func (r *Reader) exchange(ctx context.Context, command neo2.Frame) ([]byte, error) {
	return r.exchangeWithin(ctx, command, r.answer)
}

func (r *Reader) exchangeWithin(ctx context.Context, command neo2.Frame, within time.Duration) ([]byte, error) {
	for attempt := 0; ; attempt++ {
		if err := r.wire.send(command, within); err != nil {
			return nil, err
		}
		answer, err := r.await(ctx, command, within)
		if err == nil && answer.Sub == neo2.Continues {
			answer, err = r.await(ctx, command, within)
		}
		switch {
		case errors.Is(err, ErrGarbage) && attempt < resends && ctx.Err() == nil:
			if err := r.wire.settle(); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		case answer.Sub != neo2.OK:
			return nil, &StatusError{Command: command.Command, Sub: command.Sub, Status: answer.Sub}
		default:
			return answer.Data, nil
		}
	}
}

// await waits for the answer to command, and passes over events, boot notifications and noise.
func (r *Reader) await(ctx context.Context, command neo2.Frame, within time.Duration) (neo2.Frame, error) {
	until, strange := time.Now().Add(within), 0
	r.wire.decoder.Reset()
	for {
		item, err := r.wire.receive(ctx, until)
		switch {
		case errors.Is(err, line.ErrSilence):
			r.wire.doubt = true
			return neo2.Frame{}, r.nothing(strange)
		case errors.Is(err, line.ErrInterrupted):
			r.wire.doubt = true
			return neo2.Frame{}, fmt.Errorf("card reader, command %02X-%02X: %w", command.Command, command.Sub, context.Cause(ctx))
		case err != nil:
			return neo2.Frame{}, err
		case item.Fault == neo2.Whole && item.Command == command.Command:
			return item.Frame, nil
		case item.Fault == neo2.WrongCRC && item.Command == command.Command:
			r.wire.doubt = true
			return neo2.Frame{}, fmt.Errorf("%w: wrong checksum", ErrGarbage)
		}
		if _, event := eventOf(item.Frame, time.Time{}); event || isBoot(item) {
			continue
		}
		if strange++; strange > maxStrange {
			r.wire.doubt = true
			return neo2.Frame{}, r.nothing(strange)
		}
	}
}

// nothing tells a silent device from one that talks nonsense.
func (r *Reader) nothing(strange int) error {
	if noise := r.wire.decoder.Noise(); strange > 0 || noise > 0 || r.wire.decoder.Partial() {
		return fmt.Errorf("%w: %d foreign frames and %d stray bytes; check the line's speed (115200 8N1) and that it is this "+
			"reader's", ErrGarbage, strange, noise)
	}
	return fmt.Errorf("%w: check its cable and power", ErrNoAnswer)
}

func isBoot(item neo2.Item) bool {
	return item.Fault == neo2.Whole && item.Command == neo2.Boot && item.Sub == neo2.BootSub
}

func printable(text []byte) string {
	clean := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, string(text[:min(len(text), maxVersion)]))
	return strings.TrimSpace(clean)
}
