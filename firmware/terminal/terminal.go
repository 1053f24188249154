package terminal

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
	ByCard(pan txn.PAN, recent int) ([]txn.Txn, error) // those of the newest that were begun with this card
	ByVoucher(batch, stan uint32) (txn.Txn, bool, error)
	Since(txn.ID, func(txn.Txn) error) error                     // every transaction from a number on, in order
	InBatch(uint32, func(txn.Txn) error) (unread int, err error) // every transaction of a batch, in order
	Begun(batch uint32) (int, error)                             // how many those are
	Closing(batch uint32) (txn.Closing, bool, error)             // of the newest batch that has one, with 0
	OwedReports() ([]txn.Closing, error)                         // of closed batches, oldest first
	SaveClosing(txn.Closing) (txn.Closing, error)                // the step that closes a batch opens the next with it
	Boot() uint32
	Batch() uint32
	Able() error // nil when a sale could be recorded and finished now
}

// Host is the acquirer. Settle, Upload and EndBatch are repeated until they succeed; an error of theirs that has a method
// ResponseCode is an answer. For the others, an error wrapping txn.ErrNotSent means that not one byte of the financial message left; any
// other error leaves its fate unknown. Evidence is valid beside an error too.
type Host interface {
	SignedIn() bool
	SignIn(context.Context) error
	Request(context.Context, txn.Txn, txn.Presented) (txn.Answer, txn.Evidence, error)
	Advise(context.Context, txn.Txn) (txn.Answer, txn.Evidence, error)
	Reverse(context.Context, txn.Txn) (txn.Answer, txn.Evidence, error)
	Enquire(context.Context, txn.Currency, txn.Presented) (txn.Enquiry, error)
	Settle(context.Context, txn.Closing) (host txn.Totals, domestic, foreign txn.Verdict, err error)
	Upload(context.Context, txn.Closing, []txn.Txn) error
	EndBatch(context.Context, txn.Closing) error
	Hangup() error
}

// Reader asks for a card and gives up when ctx does. The amount 0 asks the card for nothing but itself. A card that was inserted
// waits in the slot until Release, and Complete brings it the acquirer's answer, once. An error of Complete means that the card
// has not agreed; one that has a method ReversalReason says why in the acquirer's terms, and one that wraps txn.ErrCardRemoved
// that it was taken out. Release does nothing where no card waits.
type Reader interface {
	Present(ctx context.Context, a txn.Amount, c txn.Currency) (txn.Presented, error)
	Complete(ctx context.Context, a txn.Answer) (txn.Confirmation, error)
	Release(ctx context.Context) error
}

// Printer prints one copy and says whether the printer proved it. An error wrapping txn.ErrNotSent means that nothing
// was put on paper.
type Printer interface {
	Print(ctx context.Context, t txn.Txn, c txn.Copy, reprint bool) (proven bool, err error)
	Report(ctx context.Context, c txn.Closing, doubts []txn.Txn, reprint bool) (proven bool, err error)
	Balance(ctx context.Context, e txn.Enquiry) error
}

// PINPad asks the cardholder for a PIN and gives up when ctx does. No PIN and no error is a cardholder who has none. An error
// that wraps ErrNoPIN is the cardholder's will.
type PINPad interface {
	Enter(ctx context.Context, p txn.Presented, a txn.Amount, c txn.Currency) (txn.PINBlock, error)
}

// Scanner waits for a payment code on the customer's telephone and gives up when ctx does.
type Scanner interface {
	Scan(ctx context.Context) (txn.PayCode, error)
}

// Supervisors make sure that a supervisor is who the till says.
type Supervisors interface {
	Allow(number string, password txn.Password) error
}

// Options are the merchant's policy.
type Options struct {
	Supervisors   Supervisors         // nil takes the till's word
	PINPad        PINPad              // nil asks for no PIN
	Scanner       Scanner             // nil takes no payment codes
	AsksPIN       func(txn.Kind) bool // which kinds ask for that of a card that wants one; nil is txn.Kind.AsksPIN
	Held          func() error        // what forbids to send now, asked before a try is counted; nil forbids nothing
	Currency      txn.Currency
	Operator      string
	ReversalTries int                         // counted tries before suspense; 3 when zero
	Lookalike     time.Duration               // same card and amount within this is questioned; 5 min when zero
	MaxRefund     txn.Amount                  // a refund of more is not begun; 0 sets no limit
	MaxCharge     txn.Amount                  // a charge of more is not begun; 0 sets no limit
	MaxDay        txn.Amount                  // nor one with which a day's charges come to more; 0 sets no limit
	MaxCardDay    txn.Amount                  // nor one with which a card's charges of a day come to more; 0 sets no limit
	MaxCardCount  int                         // nor one that would be a card's next of a day after so many; 0 sets no limit
	Bins          []BinRange                  // of card numbers, none contradicting another
	OtherBins     BinRule                     // for a card in none of them; empty accepts it
	Blocked       func(txn.PAN) (bool, error) // whether a card may not be charged; nil blocks none
	Masked        bool                        // the card reader shows masks of numbers alone
	MaxBatch      int                         // with so many transactions a batch takes no further sale; 0 sets no limit
	MaxQueued     int                         // so many that wait to be told refuse a further one; 50 when zero
	CompletionCap int                         // the most that a completion may come to, in percent of its pre-authorisation; 115 when zero
	ReversalEnds  []string                    // codes that end a reversal besides 00, 12 and 25, as its acquirer documents them
	MaxSuspense   int                         // this many unproven transactions refuse new sales; 20 when zero
	Now           func() time.Time
}

// Terminal is the engine. Its methods may be called from any goroutine; it does one thing at a time.
type Terminal struct {
	store   Store
	host    Host
	reader  Reader
	printer Printer
	o       Options

	retried map[txn.ID]time.Time // of what waits for people: its last daily try in this run; owned with the turn

	boot    uint32     // constant while the store is open; changes to records run under the store's lock and must not ask it
	mu      sync.Mutex // guards who is selling
	selling string     // the reference of the sale in progress
	sellers int        // requests for it: the first, and repeats of it that wait for its outcome

	turn  chan struct{}    // holds one token: whoever took it owns everything below and all four wires
	tried map[slipKey]bool // slips that this run of the program may have put on paper; true where it has
}

type slipKey struct {
	id     txn.ID
	copy   txn.Copy
	report uint32 // of a batch
}

// New joins the engine to its four partners.
func New(s Store, h Host, r Reader, p Printer, o Options) *Terminal {
	if o.ReversalTries == 0 {
		o.ReversalTries = 3
	}
	if o.Lookalike == 0 {
		o.Lookalike = 5 * time.Minute
	}
	if o.MaxQueued == 0 {
		o.MaxQueued = 50
	}
	if o.CompletionCap == 0 {
		o.CompletionCap = 115
	}
	if o.MaxSuspense == 0 {
		o.MaxSuspense = 20
	}
	if o.AsksPIN == nil {
		o.AsksPIN = txn.Kind.AsksPIN
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	t := &Terminal{store: s, host: h, reader: r, printer: p, o: o, boot: s.Boot(), turn: make(chan struct{}, 1), tried: map[slipKey]bool{}, retried: map[txn.ID]time.Time{}}
	t.turn <- struct{}{}
	return t
}

// admit lets one sale at a time in, and repeats of that sale behind it: a till that lost its connection asks again with
// the same reference, and must hear that sale's outcome and nothing else.
func (t *Terminal) admit(reference string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sellers > 0 && t.selling != reference {
		return false
	}
	t.selling = reference
	t.sellers++
	return true
}

func (t *Terminal) dismiss() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sellers--
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

// Alone does something with the wires if nothing else is being done, and otherwise returns ErrBusy at once.
func (t *Terminal) Alone(ctx context.Context, do func(context.Context) error) error {
	select {
	case <-t.turn:
	default:
		return ErrBusy
	}
	defer t.giveTurn()
	return do(ctx)
}

func (t *Terminal) giveTurn() { t.turn <- struct{}{} }

// Event is one visible step of a sale.
type Event struct {
	Stage words.Stage
	Txn   txn.Txn // zero until recorded
	Fault error   // what is in the way, of PaperOwed
}

// The refusals a caller can act on. None of them began a transaction.
var (
	ErrBusy     = errors.New("another sale is in progress on this terminal; wait until it has ended")
	ErrSuspense = errors.New("too many unproven transactions are waiting for people; have them looked at before selling")
	ErrNoCard   = errors.New("no card was read")
	ErrNoPIN    = errors.New("no PIN was entered: cancelled at the PIN pad, or nobody typed")
	ErrNoCodes  = errors.New("payment codes are not taken here: the terminal has no scanner, or its acquirer's profile no message for them")
	ErrNoCode   = errors.New("no payment code was read")
	ErrPINPad   = errors.New("no PIN can be entered")
	ErrBatch    = errors.New("the batch is full; close it before the next sale")
	ErrQueue    = errors.New("too many transactions wait to be told to the acquirer; bring the line up first")

	// ErrNotClosed means that there is no report, because no batch was closed or that one was not.
	ErrNotClosed = errors.New("no report: that batch is not closed here")
	// ErrOriginal refuses a void or a refund of what cannot be undone so; the text says why and what to do.
	ErrOriginal = errors.New("that transaction cannot be undone or followed so")
	// ErrApproval refuses to take money back where no supervisor has allowed it.
	ErrApproval = errors.New("what takes money back needs a supervisor")
	// ErrOtherCard means that not the card of the original was presented.
	ErrOtherCard = errors.New("this is not the card of that transaction; present the card that paid")
)

// OwedError refuses a sale because an earlier transaction could not be finished first.
type OwedError struct {
	Txn   txn.Txn
	Cause error
}

func (e *OwedError) Error() string {
	duty := "reversed"
	if e.Txn.State.Owes() == txn.Repeat {
		duty = "acknowledged"
	}
	return fmt.Sprintf("voucher %06d of batch %06d must be %s first and the acquirer did not settle it: %v", e.Txn.STAN, e.Txn.Batch, duty, e.Cause)
}
func (e *OwedError) Unwrap() error { return e.Cause }

// LookalikeError questions a second charge of the same card and amount. The caller shows Earlier and, if the customer
// agrees, asks again with Order.Again.
type LookalikeError struct{ Earlier txn.Txn }

func (e *LookalikeError) Error() string {
	return fmt.Sprintf("the same card and amount were sold minutes ago (voucher %06d, %s); repeat with \"again\" if it is meant",
		e.Earlier.STAN, e.Earlier.State)
}

// ReferenceError refuses a reference that belongs to another sale. Earlier says what became of that one.
type ReferenceError struct{ Earlier txn.Txn }

func (e *ReferenceError) Error() string {
	return fmt.Sprintf("reference %q belongs to a %s of %s; give each transaction a reference of its own",
		e.Earlier.Reference, e.Earlier.Kind, e.Earlier.Currency.Format(e.Earlier.Amount))
}

// CodeError refuses a payment code that was submitted under another order. Earlier says what became of that one.
type CodeError struct{ Earlier txn.Txn }

func (e *CodeError) Error() string {
	return fmt.Sprintf("this payment code was used for order %q (voucher %06d of batch %06d), which is %s; it is never submitted twice: "+
		"ask the customer for a fresh code", e.Earlier.Reference, e.Earlier.STAN, e.Earlier.Batch, e.Earlier.State)
}
func (e *CodeError) Unwrap() error { return txn.ErrCodeUsed }

// UnreadableError means that the store cannot say whether a reference was sold before. The outcome of the request is
// unknown: a sale under this reference may hold money.
type UnreadableError struct {
	Reference string
	Cause     error
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("the store cannot say what became of reference %q; ask again once it can be read: %v", e.Reference, e.Cause)
}
func (e *UnreadableError) Unwrap() error { return e.Cause }

// OfflineError refuses a sale because the terminal could not sign in.
type OfflineError struct{ Cause error }

func (e *OfflineError) Error() string {
	return fmt.Sprintf("no sign-in at the acquirer, so nothing can be sold: %v", e.Cause)
}
func (e *OfflineError) Unwrap() error { return e.Cause }
