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
	Amount    txn.Amount  // of a void: zero, it is that of its sale
	Reference string      // a repeated one returns the first outcome
	Again     bool        // the customer agreed to pay the same amount with the same card again
	Original  Named       // of a void or a refund: the sale it undoes
	Approver  string      // of a void or a refund: the supervisor who allows it
	Progress  func(Event) // called from the goroutine of Sale; may be nil
}

func (o Order) say(s words.Stage, x txn.Txn) {
	if o.Progress != nil {
		o.Progress(Event{Stage: s, Txn: x})
	}
}

// deed is what distinguishes a sale, a void and a refund; perform is what they share.
type deed struct {
	kind     txn.Kind
	same     func(earlier txn.Txn) (bool, error) // the record of a repeated reference is what this order asks for
	draft    func() (txn.Draft, error)           // once the terminal is ready: what shall be begun, or why it may not be
	judge    func(txn.Draft, txn.Card) error     // whether this card may be used for it
	exchange func(context.Context, Order, txn.Txn, txn.Presented) (txn.Txn, error)
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
	return t.perform(ctx, o, deed{
		kind:     txn.Sale,
		same:     func(earlier txn.Txn) (bool, error) { return earlier.Amount == o.Amount, nil },
		draft:    func() (txn.Draft, error) { return txn.Draft{Amount: o.Amount}, t.roomInBatch() },
		judge:    func(_ txn.Draft, c txn.Card) error { return t.questionLookalike(o, c.PAN) },
		exchange: t.request,
	})
}

// perform is the story of every transaction with a card.
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
	if err := t.makeReady(ctx, o); err != nil {
		return txn.Txn{}, err
	}
	draft, err := d.draft()
	if err != nil {
		return txn.Txn{}, err
	}
	o.say(words.Present, txn.Txn{})
	presented, err := t.reader.Present(ctx, draft.Amount, t.o.Currency)
	if err != nil {
		return txn.Txn{}, fmt.Errorf("%w: %w", ErrNoCard, err)
	}
	o.say(words.CardRead, txn.Txn{})
	if err := d.judge(draft, presented.Card); err != nil {
		return txn.Txn{}, err
	}
	if err := ctx.Err(); err != nil {
		return txn.Txn{}, fmt.Errorf("cancelled before it was recorded: %w", err)
	}

	draft.Kind, draft.Reference, draft.Operator, draft.Approver = d.kind, o.Reference, t.o.Operator, o.Approver
	draft.Currency, draft.Card = t.o.Currency, presented.Card
	x, err := t.store.Begin(draft)
	if err != nil {
		// Not sent, and never will be. If the commit became durable after all, recovery undoes it.
		return txn.Txn{}, fmt.Errorf("the %s could not be recorded, so it was not sent: %w", d.kind, err)
	}
	o.say(words.Recorded, x)
	return d.exchange(context.WithoutCancel(ctx), o, x, presented)
}

// request sends what is reversed when its fate is unknown: a sale, or the void of one.
func (t *Terminal) request(ctx context.Context, o Order, x txn.Txn, presented txn.Presented) (txn.Txn, error) {
	answer, sent, err := t.host.Request(ctx, x, presented)
	switch {
	case errors.Is(err, txn.ErrNotSent):
		return t.ended(x, txn.Abandoned, func(x *txn.Txn) { x.Sent = sent; t.note(x, "not sent") })
	case err != nil:
		x, err = t.decideReversal(x, reasonOf(err), sent, briefly("", err))
		if err != nil {
			return x, err
		}
		o.say(words.Unknown, x)
		return t.closing(ctx, o, x)
	case !answer.Approved:
		return t.ended(x, txn.Declined, func(x *txn.Txn) {
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

// roomInBatch keeps a batch within what its settlement can count. Voids and refunds are never kept from undoing a sale.
func (t *Terminal) roomInBatch() error {
	if t.o.MaxBatch == 0 {
		return nil
	}
	begun, err := t.store.Begun(t.store.Batch())
	if err == nil && begun >= t.o.MaxBatch {
		err = fmt.Errorf("%w: it has %d transactions", ErrBatch, begun)
	}
	return err
}

// recent is how many of the newest records the duplicate guard looks at.
const recent = 20

// questionLookalike stops a second charge of the same card and amount while the first one may hold money. A void is newer
// than its sale, so whenever the sale is among the newest its void is too.
func (t *Terminal) questionLookalike(o Order, pan txn.PAN) error {
	if o.Again {
		return nil
	}
	same, err := t.store.ByCard(pan, recent)
	if err != nil {
		return err
	}
	voided := map[txn.ID]bool{}
	for _, x := range same {
		if x.Kind == txn.Void && x.State == txn.Approved {
			voided[x.Original.ID] = true
		}
		age := t.o.Now().Sub(x.Began)
		if x.Kind == txn.Sale && x.MayHold() && !voided[x.ID] && x.Amount == o.Amount && age >= 0 && age < t.o.Lookalike {
			return &LookalikeError{x}
		}
	}
	return nil
}

// closing makes one attempt at settling a doubtful transaction while the customer waits; the agent goes on with it afterwards.
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

// ended commits an outcome without money. If it cannot be written the record is still pending, which owes a reversal.
func (t *Terminal) ended(x txn.Txn, as txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	now, err := t.store.Advance(x.ID, as, change)
	if err != nil {
		return x, fmt.Errorf("the %s was %s and the store cannot record it; it will be reversed: %w", x.Kind, as, err)
	}
	return now, nil
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
