package terminal

import (
	"context"
	"fmt"

	"posagent/txnstore/txn"
)

// Refund gives back a sale, or a part of it, with the card that paid and a supervisor's approval. It is an advice (0220):
// nobody reverses it. Once recorded it is told to the acquirer until that has answered, by this call and then by
// recovery; the acquirer knows a copy by its STAN and books it once. A sale that these books do not hold is named by its
// reference number and date, and the acquirer alone judges it. What it returns is as for Sale.
//
//	advising ─► told ─┬─ approved, or 94 to a copy ─────────────► approved ─► paper
//	                  ├─ refused, and no earlier copy ──────────► declined
//	                  ├─ not a byte left, and no earlier copy ──► abandoned
//	                  ├─ a copy refused for good, tries spent ──► suspense
//	                  └─ anything else ─► told again
func (t *Terminal) Refund(ctx context.Context, o Order) (txn.Txn, error) {
	switch {
	case !o.Amount.Valid():
		return txn.Txn{}, fmt.Errorf("%w: %d minor units", txn.ErrAmount, o.Amount)
	case t.o.MaxRefund > 0 && o.Amount > t.o.MaxRefund:
		return txn.Txn{}, fmt.Errorf("%w: this terminal refunds at most %s", txn.ErrAmount, t.o.Currency.Format(t.o.MaxRefund))
	}
	if err := t.approval(o); err != nil {
		return txn.Txn{}, err
	}
	var sale *txn.Txn
	return t.perform(ctx, o, deed{
		kind: txn.Refund,
		same: func(earlier txn.Txn) (bool, error) {
			if o.Original.RRN != "" {
				return earlier.Amount == o.Amount && earlier.Original.RRN == o.Original.RRN, nil
			}
			is, err := t.isOf(earlier, o.Original)
			return is && earlier.Amount == o.Amount, err
		},
		draft: func() (d txn.Draft, err error) {
			d.Amount = o.Amount
			if sale, err = t.refundable(o); err == nil && sale == nil {
				d.Original, err = elsewhere(o.Original)
			} else if err == nil {
				d.Original, d.Code = sale.Of(), sale.Code.Undone()
			}
			return d, err
		},
		judge: func(_ *txn.Draft, c txn.Card) error {
			if sale == nil {
				return nil // the acquirer knows whose it was
			}
			return sameCard(*sale, c)
		},
		exchange: (*Terminal).tell,
	})
}

// paidByCode finds a sale by payment code by the acquirer's number and date. A record that cannot be read is none, as one that
// was pruned is none. Its cost follows the books.
func (t *Terminal) paidByCode(n Named) (sale txn.Txn) {
	_ = t.store.Since(1, func(x txn.Txn) error {
		if x.Kind == txn.Sale && !x.Code.IsZero() && x.State == txn.Approved && x.Answer.RRN == n.RRN && x.Answer.HostDate == n.Date {
			sale = x
		}
		return nil
	})
	return sale
}

// elsewhere names a sale by what its slip says.
func elsewhere(n Named) (txn.Original, error) {
	if len(n.RRN) > 12 || len(n.Date) != 4 {
		return txn.Original{}, fmt.Errorf("%w: name it by the reference number of its slip, up to 12 characters, and its date as MMDD", ErrOriginal)
	}
	return txn.Original{RRN: n.RRN, Date: n.Date}, nil
}

// refundable finds the sale and says why so much of it cannot be given back, where it cannot. A sale that is named by its reference
// number and is in these books as one by payment code is that sale: there is no card that could be presented for it. Of
// any other that is named so nil is returned, and the acquirer alone judges it.
func (t *Terminal) refundable(o Order) (*txn.Txn, error) {
	var sale txn.Txn
	var err error
	if o.Original.RRN == "" {
		sale, err = t.original(o.Original, txn.Sale, txn.Completion, txn.CompletionNotice, txn.OfflineSale)
	} else if sale = t.paidByCode(o.Original); sale.ID == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if sale.Answer.RRN == "" || sale.Answer.HostDate == "" {
		return nil, fmt.Errorf("%w: voucher %06d has no reference number or date of the acquirer; call the acquirer", ErrOriginal, sale.STAN)
	}
	undone, err := t.undone(sale.ID)
	if err != nil {
		return nil, err
	}
	left := sale.Amount
	for _, x := range undone {
		left -= x.Amount
	}
	if o.Amount > left {
		return nil, fmt.Errorf("%w: of voucher %06d of batch %06d %s are left", ErrOriginal, sale.STAN, sale.Batch, t.o.Currency.Format(left))
	}
	return &sale, nil
}
