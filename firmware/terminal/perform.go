package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Order is what the cashier asks for.
type Order struct {
	Amount    txn.Amount // of a void, or the cancellation of a completion: zero, it is that of what is undone
	Reference string     // a repeated one returns the first outcome
	Scan      bool       // of a sale: the customer pays with a payment code, not with a card
	Again     bool       // the customer agreed to pay the same amount with the same card again
	Original  Named      // what is undone, or followed
	Authority Authority  // of an offline sale: who authorised it otherwise
	Approver  string     // of what takes money back: the supervisor who allows it
	Password  txn.Password
	Progress  func(Event) // called from the goroutine of Sale; may be nil
}

func (o Order) say(s words.Stage, x txn.Txn) {
	if o.Progress != nil {
		o.Progress(Event{Stage: s, Txn: x})
	}
}

// deed is what distinguishes the kinds of transaction; perform is what they share.
type deed struct {
	kind     txn.Kind
	same     func(earlier txn.Txn) (bool, error) // the record of a repeated reference is what this order asks for
	draft    func() (txn.Draft, error)           // once the terminal is ready: what shall be begun, or why it may not be
	judge    func(*txn.Draft, txn.Card) error    // whether this card may be used for it, and what it tells of the original
	exchange exchange
}

// exchange brings what was begun to the acquirer, and what became of it into the record.
type exchange func(*Terminal, context.Context, Order, txn.Txn, txn.Presented) (txn.Txn, error)

// perform is the story of every transaction.
func (t *Terminal) perform(ctx context.Context, o Order, d deed) (txn.Txn, error) {
	if err := txn.CheckReference(o.Reference); err != nil {
		return txn.Txn{}, err
	}
	if !t.admit(o.Reference) {
		return txn.Txn{}, ErrBusy
	}
	defer t.dismiss()
	if err := t.takeTurn(ctx); err != nil {
		return txn.Txn{}, err
	}
	defer t.giveTurn()

	if earlier, found, err := t.repeated(ctx, o, d); found || err != nil {
		return earlier, err
	}
	ready := t.makeReady
	if d.kind.Final() {
		ready = t.makeReadyToQueue
	}
	if err := ready(ctx, o); err != nil {
		return txn.Txn{}, err
	}
	draft, err := d.draft()
	if err == nil {
		err = t.withinLimits(d.kind, draft.Amount)
	}
	if err != nil {
		return txn.Txn{}, err
	}
	presented, err := t.present(ctx, o, d, &draft)
	if err != nil {
		return txn.Txn{}, err
	}
	defer t.letGo(ctx, presented.Card) // where it has not been let go before
	if err := ctx.Err(); err != nil {
		return txn.Txn{}, fmt.Errorf("cancelled before it was recorded: %w", err)
	}

	draft.Kind, draft.Reference, draft.Operator, draft.Approver = d.kind, o.Reference, t.o.Operator, o.Approver
	draft.Currency, draft.Card = t.o.Currency, presented.Card
	x, err := t.store.Begin(draft)
	if errors.Is(err, txn.ErrCodeUsed) {
		return txn.Txn{}, &CodeError{x}
	}
	if err != nil {
		// Not sent, and never will be. If the commit became durable after all, recovery undoes it.
		return txn.Txn{}, fmt.Errorf("the %s could not be recorded, so it was not sent: %w", d.kind, err)
	}
	o.say(words.Recorded, x)
	if !inSlot(x) {
		t.letGo(ctx, x.Card) // all that is wanted of it was read
	}
	return d.exchange(t, context.WithoutCancel(ctx), o, x, presented)
}

// present asks for what is paid with, and whether that may be. What undoes a sale by payment code needs nothing of the
// customer: the code is spent, and the acquirer knows the sale by its number.
func (t *Terminal) present(ctx context.Context, o Order, d deed, draft *txn.Draft) (p txn.Presented, err error) {
	p.Card.Entry = txn.Scanned
	switch {
	case !draft.Code.IsZero():
		return p, nil
	case o.Scan:
		o.say(words.ShowCode, txn.Txn{})
		if p.Code, err = t.o.Scanner.Scan(ctx); err != nil {
			return p, fmt.Errorf("%w: %w", ErrNoCode, err)
		}
		draft.Code = p.Code.Kept()
		o.say(words.CodeRead, txn.Txn{})
		return p, nil
	}
	o.say(words.Present, txn.Txn{})
	if p, err = t.reader.Present(ctx, draft.Amount, t.o.Currency); err != nil {
		return p, fmt.Errorf("%w: %w", ErrNoCard, err)
	}
	o.say(words.CardRead, txn.Txn{})
	if err = t.unblocked(d.kind, p.Card.PAN); err == nil {
		err = t.mayCharge(d.kind, draft.Amount, p.Card.PAN)
	}
	if err == nil {
		err = d.judge(draft, p.Card)
	}
	if err == nil && t.o.AsksPIN(d.kind) {
		p, err = t.takePIN(ctx, o, p, draft.Amount)
	}
	if err != nil {
		t.letGo(ctx, p.Card)
	}
	return p, err
}

// repeated answers a request that was made before: never a second charge, always the first one's state as it is now. A
// store that cannot be read leaves the question open, and the answer is then that nobody knows.
func (t *Terminal) repeated(ctx context.Context, o Order, d deed) (txn.Txn, bool, error) {
	earlier, found, err := t.store.ByReference(o.Reference)
	if err == nil && !found {
		return txn.Txn{}, false, nil
	}
	same := err == nil && earlier.Kind == d.kind
	if same {
		same, err = d.same(earlier)
	}
	switch {
	case err != nil:
		return txn.Txn{}, false, &UnreadableError{o.Reference, err}
	case !same:
		return txn.Txn{}, true, &ReferenceError{earlier}
	}
	if earlier.State.Open() {
		o.say(words.Recovering, earlier)
		_ = t.recover(ctx) // the record's state says how far it got
		now, err := t.store.Get(earlier.ID)
		if err != nil {
			return earlier, true, &UnreadableError{o.Reference, err}
		}
		earlier = now
	}
	return earlier, true, nil
}

// makeReady settles what is owed and makes sure of working keys before a customer is asked for a card.
func (t *Terminal) makeReady(ctx context.Context, o Order) error {
	owed, err := t.store.Owed()
	if err != nil {
		return err
	}
	suspense := 0
	for _, x := range owed {
		if x.State.Owes() == txn.Human {
			suspense++
		}
	}
	if suspense >= t.o.MaxSuspense {
		return ErrSuspense
	}
	if len(owed) > suspense {
		o.say(words.Recovering, owed[0])
	}
	if err := t.recoverFor(ctx, o); err != nil {
		return err
	}
	return t.makeReadyToAsk(ctx, o)
}

// makeReadyToAsk makes sure of a place for the record, and of working keys.
func (t *Terminal) makeReadyToAsk(ctx context.Context, o Order) error {
	if err := t.store.Able(); err != nil {
		return fmt.Errorf("nothing can be recorded, so nothing can be sold: %w", err)
	}
	if t.host.SignedIn() {
		return nil
	}
	o.say(words.SigningIn, txn.Txn{})
	if err := t.host.SignIn(ctx); err != nil {
		return &OfflineError{err}
	}
	return nil
}

// makeReadyToQueue is for what is done at the counter once it is recorded: it needs a place for the record, and no line. The
// acquirer hears of it when it can. What waits to be told is bounded, and while a batch is being closed nothing is added to
// it.
func (t *Terminal) makeReadyToQueue(context.Context, Order) error {
	owed, err := t.store.Owed()
	if err != nil {
		return err
	}
	queued, suspense := 0, 0
	for _, x := range owed {
		switch {
		case x.State.Owes() == txn.Human:
			suspense++
		case x.Kind.Final():
			queued++
		}
	}
	c, found, err := t.store.Closing(0)
	switch {
	case err != nil:
		return err
	case suspense >= t.o.MaxSuspense:
		return ErrSuspense
	case queued >= t.o.MaxQueued:
		return fmt.Errorf("%w: %d wait", ErrQueue, queued)
	case found && !c.Step.Over():
		return &ClosingError{c, errClosing}
	}
	if err := t.store.Able(); err != nil {
		return fmt.Errorf("nothing can be recorded, so nothing can be done: %w", err)
	}
	return nil
}
