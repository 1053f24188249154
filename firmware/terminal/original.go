package terminal

import (
	"fmt"
	"slices"

	"posagent/txnstore/txn"
)

// Named is how people call a transaction: by the voucher number on its slip, which belongs to the open batch, or by the
// caller's reference. A refund may also name a sale that these books do not hold, by the acquirer's reference number and
// date, and what follows a pre-authorisation may name that by its authorisation code and date: it is of another batch, and
// may be of another terminal. One of the four is enough.
type Named struct {
	STAN      uint32
	Reference string
	RRN       string // as on the slip
	AuthCode  string // as on the slip
	Date      string // of RRN or AuthCode: MMDD
}

// approval asks for a supervisor, and keeps the number on record and slip; the cashier's own number is not one.
func (t *Terminal) approval(o Order) error { return t.approves(o.Approver, o.Password) }

// approves makes sure of a supervisor. A terminal without a list of them takes the till's word.
func (t *Terminal) approves(number string, password txn.Password) error {
	switch {
	case number == "" || len(number) > 3:
		return fmt.Errorf("%w: name the supervisor's number, one to three characters", ErrApproval)
	case number == t.o.Operator:
		return fmt.Errorf("%w other than the cashier, who is number %s", ErrApproval, t.o.Operator)
	case t.o.Supervisors == nil:
		return nil
	}
	if err := t.o.Supervisors.Allow(number, password); err != nil {
		return fmt.Errorf("%w: %w", ErrApproval, err)
	}
	return nil
}

// original finds an approved transaction of one of some kinds, by what people call it.
func (t *Terminal) original(n Named, kinds ...txn.Kind) (x txn.Txn, err error) {
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
	case !slices.Contains(kinds, x.Kind):
		return x, fmt.Errorf("%w: voucher %06d is a %s, no %s", ErrOriginal, x.STAN, x.Kind, kinds[0])
	case x.State != txn.Approved:
		return x, fmt.Errorf("%w: voucher %06d is %s and holds no money that is certain", ErrOriginal, x.STAN, x.State)
	}
	return x, nil
}

// isOf reports whether x undoes or follows what is called so.
func (t *Terminal) isOf(x txn.Txn, n Named) (bool, error) {
	if n.AuthCode != "" {
		return x.Original.AuthCode == n.AuthCode && x.Original.Date == n.Date, nil
	}
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

// sameCard refuses any card but the one that paid. Where only masks are known it refuses what is another card for certain; which of
// the cards that share a mask it is, the acquirer sees in the ciphertext.
func sameCard(sale txn.Txn, c txn.Card) error {
	if !c.PAN.MayBe(sale.Card.PAN) {
		return ErrOtherCard
	}
	return nil
}
