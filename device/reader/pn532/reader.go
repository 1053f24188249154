package pn532

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/device/line"
	"posagent/device/reader"
	"posagent/device/reader/pn532/emv"
	"posagent/device/reader/pn532/hsu"
	"posagent/txnstore/txn"
)

// ErrDevelopmentOnly refuses a board without Opts.Development.
var ErrDevelopmentOnly = errors.New("a PN532 board checks nothing of a card and is for development only: use a certified reader")

// Opts are the board's settings.
type Opts struct {
	Development bool               // must be true: whoever sets it knows that this is no payment reader
	Answer      time.Duration      // of the board to a command that does not wait for a card; default 1 s
	Events      func(reader.Event) // called from the goroutine that calls Activate; it must return soon
	Now         func() time.Time   // the date that cards are told; default time.Now
}

// Numbers we chose.
const (
	defaultAnswer = time.Second
	ackPart       = 10              // of the answer's time: the chip takes 15 ms at most (UM 6.2.2), the rest is for a USB adapter
	cardTime      = 3 * time.Second // and the answer's, for a command to a card; its own limit is 5 s and seldom comes near (ISO/IEC 14443-4, 7.2)
	resends       = 2

	leftQuiet = 30 * time.Millisecond // silence after which an ended command is believed to be over
	leftLimit = time.Second

	maxTimeout = 255 * time.Second // as of the other readers
)

// Reader is one board. Its methods may be called from any goroutine.
type Reader struct {
	opts Opts
	turn line.Turn
	chip *chip // owned by whoever has the turn
}

// New wakes the board up, configures it and asks what it is. The line stays the caller's and is never closed.
func New(port line.Port, o *Opts) (*Reader, error) {
	if o == nil || !o.Development {
		return nil, ErrDevelopmentOnly
	}
	r := &Reader{opts: *o}
	if r.opts.Answer == 0 {
		r.opts.Answer = defaultAnswer
	}
	if r.opts.Answer < 0 {
		return nil, fmt.Errorf("PN532 board: an answer's time of %v is negative", r.opts.Answer)
	}
	r.chip = newChip(port, r.opts.Answer)
	if r.opts.Events == nil {
		r.opts.Events = func(reader.Event) {}
	}
	if r.opts.Now == nil {
		r.opts.Now = time.Now
	}
	if err := r.Ping(context.Background()); err != nil {
		return nil, fmt.Errorf("PN532 board not usable: %w", err)
	}
	return r, nil
}

// String names the device and what it must not be used for.
func (r *Reader) String() string { return "PN532 board (development only)" }

// Ping wakes and configures the board and proves that it is a PN532.
func (r *Reader) Ping(ctx context.Context) error {
	_, err := r.Version(ctx)
	return err
}

// Version is the firmware's version, such as "1.6". It is refused with reader.ErrBusy while a card is awaited.
func (r *Reader) Version(ctx context.Context) (string, error) {
	ctx, over, free := r.turn.Begin(ctx, reader.ErrCancelled)
	if !free {
		return "", reader.ErrBusy
	}
	defer over()
	if err := r.chip.begin(ctx); err != nil {
		return "", inWords(ctx, err)
	}
	version, err := r.chip.do(ctx, hsu.GetFirmwareVersion)
	switch {
	case err != nil:
		return "", inWords(ctx, err)
	case len(version) != 4 || version[0] != hsu.ChipPN532:
		return "", fmt.Errorf("%w: it is no PN532", reader.ErrGarbage)
	}
	return fmt.Sprintf("%d.%d", version[1], version[2]), nil
}

// Activate waits for a card to be tapped, reads its number and track, and returns them as txn.Tapped. It ends as the
// Activate of package reader does: ErrTimeout, ErrCancelled with the context's own error, ErrBusy, ErrNoAnswer, ErrGarbage,
// ErrCardUnread, ErrCardRefused, ErrUseContact, or the line's error. The timeout is 1 ms to 255 s.
func (r *Reader) Activate(ctx context.Context, q reader.Request) (txn.Presented, error) {
	if q.Timeout <= 0 || q.Timeout > maxTimeout {
		return txn.Presented{}, fmt.Errorf("card timeout %v is outside 0 to %v", q.Timeout, maxTimeout)
	}
	if q.Amount != 0 && !q.Amount.Valid() {
		return txn.Presented{}, fmt.Errorf("%w: %d minor units", txn.ErrAmount, q.Amount)
	}
	ctx, over, free := r.turn.Begin(ctx, reader.ErrCancelled)
	if !free {
		return txn.Presented{}, reader.ErrBusy
	}
	defer over()
	presented, err := r.read(ctx, q)
	return presented, inWords(ctx, err)
}

func (r *Reader) read(ctx context.Context, q reader.Request) (txn.Presented, error) {
	if err := r.chip.begin(ctx); err != nil {
		return txn.Presented{}, err
	}
	defer r.chip.fieldOff()
	r.tell(reader.PresentCard)
	target, err := r.chip.find(ctx, q.Timeout)
	if err != nil {
		return txn.Presented{}, err
	}
	r.tell(reader.CardFound)
	transmit := func(ctx context.Context, command []byte) ([]byte, error) {
		return r.chip.transmit(ctx, target, command)
	}
	presented, err := emv.Read(ctx, transmit, emv.Terms{Amount: q.Amount, Currency: q.Currency.Number, Country: q.Country, Date: r.opts.Now()})
	if err == nil {
		r.tell(reader.CardRead)
	}
	return presented, err
}

func (r *Reader) tell(p reader.Prompt) { r.opts.Events(reader.Event{At: r.opts.Now(), Prompt: p}) }

// Cancel makes an Activate that is under way end, and returns once it has. Without one it does nothing.
func (r *Reader) Cancel(ctx context.Context) error { return r.turn.Cancel(ctx) }

// Halt is Cancel with a limit of twice an answer's time.
func (r *Reader) Halt() error {
	ctx, stop := context.WithTimeout(context.Background(), 2*r.opts.Answer)
	defer stop()
	return r.Cancel(ctx)
}

// inWords turns the line's answers into those of a card reader.
func inWords(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(err, line.ErrInterrupted) && errors.Is(cause, reader.ErrCancelled):
		return reader.ErrCancelled
	case errors.Is(err, line.ErrInterrupted):
		return fmt.Errorf("%w: %w", reader.ErrCancelled, cause)
	case errors.Is(err, line.ErrStuck):
		return fmt.Errorf("%w: %w", reader.ErrNoAnswer, err)
	case errors.Is(err, line.ErrBabble):
		return fmt.Errorf("%w: %w", reader.ErrGarbage, err)
	}
	return err
}
