package terminal

import (
	"context"
	"fmt"

	"posagent/txnstore/txn"
)

// Void undoes an approved sale of the open batch, with the card that paid and a supervisor's approval. It is a financial
// transaction of its own: recorded before it is sent, reversed when its fate is unknown, and then the sale stands again.
// That a sale is voided follows from the records: a void of it is approved. What it returns is as for Sale.
func (t *Terminal) Void(ctx context.Context, o Order) (txn.Txn, error) {
	if err := t.approval(o); err != nil {
		return txn.Txn{}, err
	}
	var sale txn.Txn
	return t.perform(ctx, o, deed{
		kind: txn.Void,
		same: func(earlier txn.Txn) (bool, error) { return t.isOf(earlier, o.Original) },
		draft: func() (d txn.Draft, err error) {
			if sale, err = t.voidable(o.Original, txn.Sale); err != nil {
				return txn.Draft{}, err
			}
			return txn.Draft{Amount: sale.Amount, Original: sale.Of(), Code: sale.Code.Undone()}, nil
		},
		judge:    func(_ *txn.Draft, c txn.Card) error { return sameCard(sale, c) },
		exchange: (*Terminal).request,
	})
}

// voidable finds what is undone whole, in the batch in which it was made, and says why it cannot be, where it cannot.
func (t *Terminal) voidable(n Named, kind txn.Kind) (txn.Txn, error) {
	sale, err := t.original(n, kind)
	if err != nil {
		return sale, err
	}
	refuse := func(format string, args ...any) (txn.Txn, error) {
		return txn.Txn{}, fmt.Errorf("%w: voucher %06d of batch %06d "+format, append([]any{ErrOriginal, sale.STAN, sale.Batch}, args...)...)
	}
	switch open := t.store.Batch(); {
	case sale.Batch != open:
		return refuse("is settled, batch %06d is open; refund it instead", open)
	case sale.Answer.RRN == "":
		return refuse("has no reference number of the acquirer; call the acquirer")
	}
	undone, err := t.undone(sale.ID)
	if err != nil {
		return sale, err
	}
	for _, x := range undone {
		return refuse("has a %s already, voucher %06d, which is %s", x.Kind, x.STAN, x.State)
	}
	return sale, nil
}
