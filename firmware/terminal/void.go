package terminal

import (
	"context"
	"fmt"

	"posagent/txnstore/txn"
)

// Named is how people call a sale: by the voucher number on its slip, which belongs to the open batch, or by the
// caller's reference. A refund may also name one that these books do not hold, by the acquirer's reference number and
// date. One of the three is enough.
type Named struct {
	STAN      uint32
	Reference string
	RRN, Date string // as on the slip; the date is MMDD
}

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
			if sale, err = t.voidable(o.Original); err != nil {
				return txn.Draft{}, err
			}
			return txn.Draft{Amount: sale.Amount, Original: sale.Of()}, nil
		},
		judge:    func(_ txn.Draft, c txn.Card) error { return sameCard(sale, c) },
		exchange: t.request,
	})
}

// approval asks for a supervisor. The terminal takes the till's word for who that is, and keeps it on record and slip; the
// cashier's own number is not one.
func (t *Terminal) approval(o Order) error {
	switch {
	case o.Approver == "" || len(o.Approver) > 3:
		return fmt.Errorf("%w: name the supervisor's number, one to three characters", ErrApproval)
	case o.Approver == t.o.Operator:
		return fmt.Errorf("%w other than the cashier, who is number %s", ErrApproval, t.o.Operator)
	}
	return nil
}

// voidable finds the sale and says why it cannot be voided, where it cannot.
func (t *Terminal) voidable(n Named) (txn.Txn, error) {
	sale, err := t.original(n)
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

// original finds a sale that holds money, by what people call it.
func (t *Terminal) original(n Named) (x txn.Txn, err error) {
	found := false
	switch {
	case n.Reference != "":
		x, found, err = t.store.ByReference(n.Reference)
	case n.STAN != 0:
		x, found, err = t.store.ByVoucher(t.store.Batch(), n.STAN)
	default:
		return x, fmt.Errorf("%w: name it, by the voucher number on its slip or by its reference", ErrOriginal)
	}
	switch {
	case err != nil:
		return x, err
	case !found && n.Reference != "":
		return x, fmt.Errorf("%w: no transaction has the reference %q", ErrOriginal, n.Reference)
	case !found:
		return x, fmt.Errorf("%w: the open batch %06d has no voucher %06d; name an older one by its reference", ErrOriginal, t.store.Batch(), n.STAN)
	case x.Kind != txn.Sale:
		return x, fmt.Errorf("%w: voucher %06d is a %s, no sale", ErrOriginal, x.STAN, x.Kind)
	case x.State != txn.Approved:
		return x, fmt.Errorf("%w: voucher %06d is %s and holds no money that is certain", ErrOriginal, x.STAN, x.State)
	}
	return x, nil
}

// isOf reports whether a void or a refund undoes the sale that is called so.
func (t *Terminal) isOf(x txn.Txn, n Named) (bool, error) {
	if n.Reference == "" {
		return n.STAN != 0 && x.Original.STAN == n.STAN, nil
	}
	sale, found, err := t.store.ByReference(n.Reference)
	return found && sale.ID == x.Original.ID, err
}

// undone lists what takes money back from a sale, or may. Its cost follows what came after the sale.
func (t *Terminal) undone(sale txn.ID) (list []txn.Txn, err error) {
	err = t.store.Since(sale+1, func(x txn.Txn) error {
		if x.Undoes(sale) {
			list = append(list, x)
		}
		return nil
	})
	return list, err
}

// sameCard refuses any card but the one that paid.
func sameCard(sale txn.Txn, c txn.Card) error {
	if !c.PAN.Equal(sale.Card.PAN) {
		return ErrOtherCard
	}
	return nil
}
