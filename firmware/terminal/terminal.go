package terminal

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Store keeps transactions. Begin, Advance and Update return only after the change is synced; an error from any of them
// leaves the change unknown, and the caller must act as if it may have happened.
type Store interface {
	Begin(txn.Draft) (txn.Txn, error)
	Advance(txn.ID, txn.State, func(*txn.Txn)) (txn.Txn, error)
	Update(txn.ID, func(*txn.Txn)) (txn.Txn, error)
	Mark(txn.ID, func(*txn.Txn)) (txn.Txn, error) // rides with the next commit
	Get(txn.ID) (txn.Txn, error)
	ByReference(string) (txn.Txn, bool, error)
	Owed() ([]txn.Txn, error)      // oldest first
	OwedPaper() ([]txn.Txn, error) // oldest first
	List(max int) ([]txn.Txn, error)
	Boot() uint32
}

// Host is the acquirer. An error wrapping txn.ErrNotSent means that not one byte of the financial message left; any
// other error leaves its fate unknown. Evidence is valid beside an error too.
type Host interface {
	SignedIn() bool
	SignIn(context.Context) error
	Request(context.Context, txn.Txn, txn.Presented) (txn.Answer, txn.Evidence, error)
	Reverse(context.Context, txn.Txn) (txn.Answer, txn.Evidence, error)
	Hangup() error
}

// Reader asks for a card and gives up when ctx does.
type Reader interface {
	Present(ctx context.Context, a txn.Amount, c txn.Currency) (txn.Presented, error)
}

// Printer prints one copy and says whether the printer proved it. An error wrapping txn.ErrNotSent means that nothing
// was put on paper.
type Printer interface {
	Print(ctx context.Context, t txn.Txn, c txn.Copy, reprint bool) (proven bool, err error)
}

// Options are the merchant's policy.
type Options struct {
	Currency      txn.Currency
	Operator      string
	ReversalTries int           // counted tries before suspense; 3 when zero
	Lookalike     time.Duration // same card and amount within this is questioned; 5 min when zero
	MaxSuspense   int           // this many unproven transactions refuse new sales; 20 when zero
	Now           func() time.Time
}

// Terminal is the engine. Its methods may be called from any goroutine; it does one thing at a time.
type Terminal struct {
	store   Store
	host    Host
	reader  Reader
	printer Printer
	o       Options

	boot    uint32 // constant while the store is open; changes to records run under the store's lock and must not ask it
	selling atomic.Bool
	turn    chan struct{}    // holds one token: whoever took it owns everything below and all four wires
	tried   map[slipKey]bool // slips that this run of the program may have put on paper without proof
}

type slipKey struct {
	id   txn.ID
	copy txn.Copy
}

// New joins the engine to its four partners.
func New(s Store, h Host, r Reader, p Printer, o Options) *Terminal {
	if o.ReversalTries == 0 {
		o.ReversalTries = 3
	}
	if o.Lookalike == 0 {
		o.Lookalike = 5 * time.Minute
	}
	if o.MaxSuspense == 0 {
		o.MaxSuspense = 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	t := &Terminal{store: s, host: h, reader: r, printer: p, o: o, boot: s.Boot(), turn: make(chan struct{}, 1), tried: map[slipKey]bool{}}
	t.turn <- struct{}{}
	return t
}

// takeTurn waits until nothing else is being done.
func (t *Terminal) takeTurn(ctx context.Context) error {
	select {
	case <-t.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Terminal) giveTurn() { t.turn <- struct{}{} }

// Event is one visible step of a sale.
type Event struct {
	Stage words.Stage
	Txn   txn.Txn // zero until recorded
}

// The refusals a caller can act on. None of them began a transaction.
var (
	ErrBusy      = errors.New("another sale is in progress on this terminal; wait until it has ended")
	ErrReference = errors.New("this reference was used for a different sale; give each sale a reference of its own")
	ErrSuspense  = errors.New("too many unproven transactions are waiting for people; have them looked at before selling")
	ErrNoCard    = errors.New("no card was read")
)

// OwedError refuses a sale because an earlier transaction could not be finished first.
type OwedError struct {
	Txn   txn.Txn
	Cause error
}

func (e *OwedError) Error() string {
	return fmt.Sprintf("voucher %06d of batch %06d must be reversed first and the acquirer did not settle it: %v", e.Txn.STAN, e.Txn.Batch, e.Cause)
}
func (e *OwedError) Unwrap() error { return e.Cause }

// LookalikeError questions a second charge of the same card and amount. The caller shows Earlier and, if the customer
// agrees, asks again with Order.Again.
type LookalikeError struct{ Earlier txn.Txn }

func (e *LookalikeError) Error() string {
	return fmt.Sprintf("the same card and amount were sold minutes ago (voucher %06d, %s); repeat with \"again\" if it is meant",
		e.Earlier.STAN, e.Earlier.State)
}

// OfflineError refuses a sale because the terminal could not sign in.
type OfflineError struct{ Cause error }

func (e *OfflineError) Error() string {
	return fmt.Sprintf("no sign-in at the acquirer, so nothing can be sold: %v", e.Cause)
}
func (e *OfflineError) Unwrap() error { return e.Cause }
