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
	Amount    txn.Amount
	Reference string      // a repeated one returns the first outcome
	Again     bool        // the customer agreed to pay the same amount with the same card again
	Progress  func(Event) // called from the goroutine of Sale; may be nil
}

func (o Order) say(s words.Stage, x txn.Txn) {
	if o.Progress != nil {
		o.Progress(Event{Stage: s, Txn: x})
	}
}

// Sale charges one card. It returns the record as it stands and nil when a transaction was begun, even if its outcome
// is not proven yet; read txn.Txn.State. An error without a record means that nothing was begun; an error beside a
// record means that the store failed and recovery will finish it.
//
// ctx may cancel it until the record is durable. From there on only the acquirer or a timer ends it.
func (t *Terminal) Sale(ctx context.Context, o Order) (txn.Txn, error) {
	if !o.Amount.Valid() {
		return txn.Txn{}, fmt.Errorf("%w: %d minor units", txn.ErrAmount, o.Amount)
	}
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

	if earlier, found, err := t.repeated(ctx, o); found || err != nil {
		return earlier, err
	}
	if err := t.makeReady(ctx, o); err != nil {
		return txn.Txn{}, err
	}
	o.say(words.Present, txn.Txn{})
	presented, err := t.reader.Present(ctx, o.Amount, t.o.Currency)
	if err != nil {
		return txn.Txn{}, fmt.Errorf("%w: %w", ErrNoCard, err)
	}
	o.say(words.CardRead, txn.Txn{})
	if err := t.questionLookalike(o, presented.Card.PAN); err != nil {
		return txn.Txn{}, err
	}
	if err := ctx.Err(); err != nil {
		return txn.Txn{}, fmt.Errorf("cancelled before it was recorded: %w", err)
	}

	x, err := t.store.Begin(txn.Draft{Kind: txn.Sale, Reference: o.Reference, Operator: t.o.Operator,
		Amount: o.Amount, Currency: t.o.Currency, Card: presented.Card})
	if err != nil {
		// Not sent, and never will be. If the commit became durable after all, recovery reverses it.
		return txn.Txn{}, fmt.Errorf("the sale could not be recorded, so it was not sent: %w", err)
	}
	o.say(words.Recorded, x)

	ctx = context.WithoutCancel(ctx)
	answer, sent, err := t.host.Request(ctx, x, presented)
	switch {
	case errors.Is(err, txn.ErrNotSent):
		return t.store.Advance(x.ID, txn.Abandoned, func(x *txn.Txn) { x.Sent = sent; t.note(x, "not sent") })
	case err != nil:
		x, err = t.decideReversal(x, reasonOf(err), sent, briefly("", err))
		if err != nil {
			return x, err
		}
		o.say(words.Unknown, x)
		return t.closing(ctx, o, x)
	case !answer.Approved:
		return t.store.Advance(x.ID, txn.Declined, func(x *txn.Txn) {
			x.Answer, x.Sent = answer, sent
			t.note(x, "declined "+answer.Code)
		})
	default:
		approved, err := t.store.Advance(x.ID, txn.Approved, func(x *txn.Txn) {
			x.Answer, x.Sent = answer, sent
			x.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
			t.note(x, "approved "+answer.Code)
		})
		if err != nil {
			return t.approvedButNotRecorded(x, answer, sent, err)
		}
		o.say(words.Held, approved)
		return t.withPaper(ctx, o, approved)
	}
}

// repeated answers a request that was made before: never a second charge, always the first one's state as it is now. A
// store that cannot be read leaves the question open, and the answer is then that nobody knows.
func (t *Terminal) repeated(ctx context.Context, o Order) (txn.Txn, bool, error) {
	earlier, found, err := t.store.ByReference(o.Reference)
	switch {
	case err != nil:
		return txn.Txn{}, false, &UnreadableError{o.Reference, err}
	case !found:
		return txn.Txn{}, false, nil
	case earlier.Amount != o.Amount:
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
	if err := t.recover(ctx); err != nil {
		return err
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

// recent is how many of the newest records the duplicate guard looks at.
const recent = 20

// questionLookalike stops a second charge of the same card and amount while the first one may hold money.
func (t *Terminal) questionLookalike(o Order, pan txn.PAN) error {
	if o.Again {
		return nil
	}
	newest, err := t.store.List(recent)
	if err != nil {
		return err
	}
	for _, x := range newest {
		age := t.o.Now().Sub(x.Began)
		mayHoldMoney := x.State == txn.Approved || x.State.Owes() != txn.Nothing
		if mayHoldMoney && x.Amount == o.Amount && x.Card.PAN.Equal(pan) && age >= 0 && age < t.o.Lookalike {
			return &LookalikeError{x}
		}
	}
	return nil
}

// closing makes one attempt at settling a doubtful sale while the customer waits; the agent goes on with it afterwards.
func (t *Terminal) closing(ctx context.Context, o Order, x txn.Txn) (txn.Txn, error) {
	_ = t.recover(ctx) // the record's state says how far it got
	now, err := t.store.Get(x.ID)
	if err != nil {
		return x, err
	}
	return t.withPaper(ctx, o, now)
}

// approvedButNotRecorded handles the one commit whose failure has money behind it: the acquirer holds it and the store
// could not say so. It is undone with reason 96. If even that cannot be written the record is still pending, which owes
// the same reversal.
func (t *Terminal) approvedButNotRecorded(x txn.Txn, a txn.Answer, sent txn.Evidence, cause error) (txn.Txn, error) {
	if now, err := t.store.Get(x.ID); err == nil && now.State == txn.Approved {
		return now, nil // the commit became durable after all; paper follows from the record
	}
	undone, err := t.store.Advance(x.ID, txn.Reversing, func(x *txn.Txn) {
		x.Answer, x.Sent, x.Reason = a, sent, txn.NotDone
		t.note(x, "approved, could not be recorded")
	})
	if err != nil {
		return x, fmt.Errorf("the acquirer approved and the store cannot record it; it will be reversed: %w", errors.Join(cause, err))
	}
	return undone, nil
}

// decideReversal commits the decision. After it a late approval is worth nothing.
func (t *Terminal) decideReversal(x txn.Txn, why txn.Reason, sent txn.Evidence, event string) (txn.Txn, error) {
	decided, err := t.store.Advance(x.ID, txn.Reversing, func(x *txn.Txn) {
		x.Reason = why
		if sent.Total > 0 {
			x.Sent = sent
		}
		t.note(x, event)
	})
	if err != nil {
		return x, fmt.Errorf("the outcome is unknown and the store cannot record it; it will be reversed: %w", err)
	}
	return decided, nil
}

// reasonOf asks an error for field 39 of the reversal. Only the packages that saw the answer know better than 98.
func reasonOf(err error) txn.Reason {
	var reasoned interface{ ReversalReason() txn.Reason }
	if errors.As(err, &reasoned) {
		return reasoned.ReversalReason()
	}
	return txn.NoAnswer
}

func (t *Terminal) note(x *txn.Txn, event string) { x.Note(t.o.Now(), t.boot, event) }

// briefly is a journal line: what happened, and the cause in the words of whoever can say it shortest.
func briefly(what string, err error) string {
	cause := err.Error()
	var brief interface{ Brief() string }
	if errors.As(err, &brief) {
		cause = brief.Brief()
	}
	if what == "" {
		return cause
	}
	return what + ": " + cause
}
