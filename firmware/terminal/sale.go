package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Sale charges one card, or one payment code. It returns the record as it stands and nil when a transaction was begun, even if its outcome
// is not proven yet; read txn.Txn.State. An error without a record means that nothing was begun; an error beside a
// record means that the store failed and recovery will finish it.
//
// ctx may cancel it until the record is durable. From there on only the acquirer or a timer ends it.
func (t *Terminal) Sale(ctx context.Context, o Order) (txn.Txn, error) {
	if !o.Amount.Valid() {
		return txn.Txn{}, fmt.Errorf("%w: %d minor units", txn.ErrAmount, o.Amount)
	}
	if o.Scan && t.o.Scanner == nil {
		return txn.Txn{}, ErrNoCodes
	}
	return t.perform(ctx, o, deed{
		kind:     txn.Sale,
		same:     func(earlier txn.Txn) (bool, error) { return earlier.Amount == o.Amount, nil },
		draft:    func() (txn.Draft, error) { return txn.Draft{Amount: o.Amount}, t.roomInBatch() },
		judge:    func(_ *txn.Draft, c txn.Card) error { return t.questionLookalike(txn.Sale, o, c.PAN) },
		exchange: (*Terminal).request,
	})
}

// request sends what is reversed when its fate is unknown: everything that is no advice.
func (t *Terminal) request(ctx context.Context, o Order, x txn.Txn, presented txn.Presented) (txn.Txn, error) {
	answer, sent, err := t.host.Request(ctx, x, presented)
	answer, issuer := answer.Kept()
	switch {
	case errors.Is(err, txn.ErrNotSent):
		return t.ended(x, txn.Abandoned, func(x *txn.Txn) { x.Sent = sent; t.note(x, "not sent") })
	case err != nil:
		x, err = t.decideReversal(x, reasonOf(err), sent, briefly("", err))
		if err != nil {
			return x, err
		}
		o.say(words.Unknown, x)
		t.letGo(ctx, x.Card)
		return t.closing(ctx, o, x)
	case !answer.Approved:
		declined, err := t.ended(x, txn.Declined, func(x *txn.Txn) {
			x.Answer, x.Sent = answer, sent
			t.note(x, "declined "+answer.Code)
		})
		t.tellCard(ctx, x, answer, issuer)
		return declined, err
	case inSlot(x):
		return t.confirm(ctx, o, x, answer, issuer, sent)
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
