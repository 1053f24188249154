package terminal

import (
	"context"
	"fmt"

	"posagent/txnstore/txn"
)

// Complete charges what a pre-authorisation held, or less, or up to the cap a little more. It is asked for and reversed like a
// sale. What it returns is as for Sale.
func (t *Terminal) Complete(ctx context.Context, o Order) (txn.Txn, error) {
	if !o.Amount.Valid() {
		return txn.Txn{}, fmt.Errorf("%w: %d minor units", txn.ErrAmount, o.Amount)
	}
	return t.perform(ctx, o, t.using(txn.Completion, o, (*Terminal).request))
}

// NotifyCompletion is a completion that is told and not asked for: done at the counter once it is recorded, told to the
// acquirer until that has answered, never reversed and never cancelled. It needs no line. What it returns is as for Sale.
func (t *Terminal) NotifyCompletion(ctx context.Context, o Order) (txn.Txn, error) {
	if !o.Amount.Valid() {
		return txn.Txn{}, fmt.Errorf("%w: %d minor units", txn.ErrAmount, o.Amount)
	}
	return t.perform(ctx, o, t.using(txn.CompletionNotice, o, (*Terminal).queue))
}

// CancelCompletion undoes a completion of the open batch, with the card that paid and a supervisor's approval. The money is
// then held again as before. What it returns is as for Sale.
func (t *Terminal) CancelCompletion(ctx context.Context, o Order) (txn.Txn, error) {
	if err := t.approval(o); err != nil {
		return txn.Txn{}, err
	}
	var completion txn.Txn
	return t.perform(ctx, o, deed{
		kind: txn.CompletionCancel,
		same: func(earlier txn.Txn) (bool, error) { return t.isOf(earlier, o.Original) },
		draft: func() (d txn.Draft, err error) {
			if completion, err = t.voidable(o.Original, txn.Completion); err != nil {
				return d, err
			}
			original := completion.Of()
			if original.AuthCode == "" {
				original.AuthCode = completion.Original.AuthCode // that of its pre-authorisation
			}
			return txn.Draft{Amount: completion.Amount, Original: original}, nil
		},
		judge:    func(_ *txn.Draft, c txn.Card) error { return sameCard(completion, c) },
		exchange: (*Terminal).request,
	})
}

// withinCap keeps a completion within what its pre-authorisation allows.
func (t *Terminal) withinCap(hold txn.Txn, amount txn.Amount) error {
	most := hold.Amount * txn.Amount(t.o.CompletionCap) / 100
	if amount > most {
		return fmt.Errorf("%w: voucher %06d holds %s, and a completion comes to at most %s", txn.ErrAmount, hold.STAN,
			t.o.Currency.Format(hold.Amount), t.o.Currency.Format(most))
	}
	return nil
}
