package terminal

import (
	"context"
	"fmt"
	"slices"

	"posagent/txnstore/txn"
)

// A pre-authorisation holds money on a card that is charged later, when it is known how much: a hotel, a rented car.
//
//	preauth ──┬─ completion ──────────► charged          up to a limit above what was held
//	(held)    │      └─ completion-cancel ─► held again   in the batch of the completion
//	          ├─ completion-notice ───► charged          told, not asked: neither undone nor reversed
//	          └─ preauth-cancel ──────► let go
//
// It is in no settlement and outlives its batch: days later it is named by its authorisation code and date, and found in these
// books by its card, if they hold it. Whether it was used follows from the records that used it.

// PreAuth holds an amount on a card. Its fate unknown, it is reversed like a sale. What it returns is as for Sale.
func (t *Terminal) PreAuth(ctx context.Context, o Order) (txn.Txn, error) {
	if !o.Amount.Valid() {
		return txn.Txn{}, fmt.Errorf("%w: %d minor units", txn.ErrAmount, o.Amount)
	}
	return t.perform(ctx, o, deed{
		kind:     txn.PreAuth,
		same:     func(earlier txn.Txn) (bool, error) { return earlier.Amount == o.Amount, nil },
		draft:    func() (txn.Draft, error) { return txn.Draft{Amount: o.Amount}, nil },
		judge:    func(_ *txn.Draft, c txn.Card) error { return t.questionLookalike(txn.PreAuth, o, c.PAN) },
		exchange: (*Terminal).request,
	})
}

// CancelPreAuth lets go what a pre-authorisation holds, all of it, with a supervisor's approval. One that these books do not
// hold needs its amount. What it returns is as for Sale.
func (t *Terminal) CancelPreAuth(ctx context.Context, o Order) (txn.Txn, error) {
	if err := t.approval(o); err != nil {
		return txn.Txn{}, err
	}
	return t.perform(ctx, o, t.using(txn.PreAuthCancel, o, (*Terminal).request))
}

// using is the deed of what ends a pre-authorisation. One that is known by name is checked before a card is asked for, one
// that is known by code and date alone once its card is read.
func (t *Terminal) using(kind txn.Kind, o Order, exchange exchange) deed {
	var hold txn.Txn // zero while it is not known
	settle := func(d *txn.Draft) error {
		if err := t.unused(hold); err != nil {
			return err
		}
		d.Original = hold.Of()
		if kind == txn.PreAuthCancel {
			if d.Amount != 0 && d.Amount != hold.Amount {
				return fmt.Errorf("%w: voucher %06d holds %s; it is cancelled as a whole", ErrOriginal, hold.STAN, t.o.Currency.Format(hold.Amount))
			}
			d.Amount = hold.Amount
			return nil
		}
		return t.withinCap(hold, d.Amount)
	}
	return deed{
		kind: kind,
		same: func(earlier txn.Txn) (bool, error) {
			is, err := t.isOf(earlier, o.Original)
			return is && (o.Amount == 0 || earlier.Amount == o.Amount), err
		},
		draft: func() (d txn.Draft, err error) {
			d.Amount = o.Amount
			if kind.Settled() {
				if err := t.roomInBatch(); err != nil {
					return d, err
				}
			}
			if o.Original.AuthCode != "" {
				if !d.Amount.Valid() {
					return d, fmt.Errorf("%w: name the amount too, where the authorisation code names it", txn.ErrAmount)
				}
				d.Original, err = byAuthCode(o.Original)
				return d, err
			}
			if hold, err = t.original(o.Original, txn.PreAuth); err != nil {
				return d, err
			}
			return d, settle(&d)
		},
		judge: func(d *txn.Draft, c txn.Card) (err error) {
			if hold.ID != 0 {
				return sameCard(hold, c)
			}
			var found bool
			if hold, found, err = t.holdOf(c.PAN, o.Original); err != nil || !found {
				return err // the acquirer alone knows it
			}
			return settle(d)
		},
		exchange: exchange,
	}
}

// byAuthCode names a pre-authorisation by what its slip says.
func byAuthCode(n Named) (txn.Original, error) {
	if len(n.AuthCode) > 6 || len(n.Date) != 4 {
		return txn.Original{}, fmt.Errorf("%w: name it by the authorisation code of its slip, up to 6 characters, and its date as MMDD", ErrOriginal)
	}
	return txn.Original{AuthCode: n.AuthCode, Date: n.Date}, nil
}

// lookedBack is how many records back a pre-authorisation is looked for by its card. What is older is the acquirer's to judge.
const lookedBack = 2000

// holdOf finds a card's pre-authorisation by code and date.
func (t *Terminal) holdOf(pan txn.PAN, n Named) (txn.Txn, bool, error) {
	list, err := t.store.ByCard(pan, lookedBack)
	for _, x := range list {
		if x.Kind == txn.PreAuth && x.State == txn.Approved && x.Answer.AuthCode == n.AuthCode && x.Answer.HostDate == n.Date {
			return x, true, err
		}
	}
	return txn.Txn{}, false, err
}

// unused says why a pre-authorisation can no longer be used, where it cannot.
func (t *Terminal) unused(hold txn.Txn) error {
	if hold.Answer.AuthCode == "" || hold.Answer.HostDate == "" {
		return fmt.Errorf("%w: voucher %06d has no authorisation code or date of the acquirer; call the acquirer", ErrOriginal, hold.STAN)
	}
	followed, err := t.followed(hold.ID)
	if err != nil {
		return err
	}
	for _, x := range followed {
		return fmt.Errorf("%w: voucher %06d of batch %06d has a %s already, voucher %06d, which is %s",
			ErrOriginal, hold.STAN, hold.Batch, x.Kind, x.STAN, x.State)
	}
	return nil
}

// followed lists what ended a pre-authorisation, or may have. A completion that was cancelled has not: the money is held again.
func (t *Terminal) followed(preauth txn.ID) (list []txn.Txn, err error) {
	err = t.store.Since(preauth+1, func(x txn.Txn) error {
		switch {
		case x.Follows(preauth):
			list = append(list, x)
		case x.Kind == txn.CompletionCancel && x.State == txn.Approved:
			list = slices.DeleteFunc(list, func(c txn.Txn) bool { return c.ID == x.Original.ID })
		}
		return nil
	})
	return list, err
}
