package terminal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/txnstore/txn"
)

// What tries could not settle waits for people, and is never forgotten meanwhile: it is tried again once a day, it is named
// by every settlement, and it is closed by the acquirer's own answer or by two people with evidence.

// daily is how often what waits for people is tried again.
const daily = 24 * time.Hour

// suspend commits that people must look. The merchant gets a notice, which is another slip than what may be on paper.
func (t *Terminal) suspend(id txn.ID, change func(*txn.Txn)) (txn.Txn, error) {
	x, err := t.store.Advance(id, txn.Suspense, func(x *txn.Txn) { change(x); x.Slips.Merchant = txn.SlipOwed })
	if err == nil {
		delete(t.tried, slipKey{id: id, copy: txn.MerchantCopy})
	}
	return x, err
}

// retrySuspense makes the daily tries that are due. That one proves nothing is no news; none of them keeps the shop from
// trading.
func (t *Terminal) retrySuspense(ctx context.Context) error {
	owed, err := t.store.Owed()
	if err != nil {
		return err
	}
	for _, x := range owed {
		if x.State != txn.Suspense || !t.retryDue(x) {
			continue
		}
		t.retried[x.ID] = time.Now()
		if err := t.retry(ctx, x); err != nil && !errors.Is(err, txn.ErrNotSent) {
			return fmt.Errorf("voucher %06d of batch %06d still waits for people: %w", x.STAN, x.Batch, err)
		}
	}
	return nil
}

// retryDue goes by the record, and by this run's own time where the clock was set back.
func (t *Terminal) retryDue(x txn.Txn) bool {
	if last, tried := t.retried[x.ID]; tried && time.Since(last) < daily {
		return false
	}
	return t.o.Now().Sub(x.Tries.Last).Abs() >= daily
}

// retry makes one try, counted before it is made. An answer that settles the matter closes it: what was to be undone is
// undone, or was never there; what was to be told is booked. Every other answer changes nothing but the journal.
func (t *Terminal) retry(ctx context.Context, x txn.Txn) error {
	x, err := t.counted(x)
	if err != nil {
		return err
	}
	if x.Kind.Advice() {
		answer, _, err := t.host.Advise(ctx, x)
		if err != nil {
			return t.unsettled(x, briefly("daily try", err), err)
		}
		if answer.Approved || answer.Code == duplicate {
			_, err = t.store.Advance(x.ID, txn.Resolved, func(x *txn.Txn) {
				x.Resolved = txn.Resolution{Charged: true, Evidence: "the acquirer answered " + answer.Code, By: x.Operator, With: "-"}
				x.Tries.Code, x.Slips = answer.Code, txn.Slips{}
				t.note(x, "booked, answered "+answer.Code+" to a daily try")
			})
			return err
		}
		return t.unsettled(x, "daily try answered "+answer.Code, nil)
	}
	answer, _, err := t.host.Reverse(ctx, x)
	if err != nil {
		return t.unsettled(x, briefly("daily try", err), err)
	}
	doubt, err := t.doubted(x, answer)
	switch {
	case err != nil:
		return err
	case !answer.Approved || doubt != "":
		return t.unsettled(x, "daily try answered "+answer.Code, nil)
	}
	delete(t.tried, slipKey{id: x.ID, copy: txn.MerchantCopy}) // what is on paper is another slip
	_, err = t.store.Advance(x.ID, txn.Reversed, func(x *txn.Txn) {
		x.Tries.Code = answer.Code
		x.Slips.Merchant = txn.SlipOwed
		t.note(x, "reversed "+answer.Code+" by a daily try")
	})
	return err
}

// unsettled leaves it to people. A try without a line is no try.
func (t *Terminal) unsettled(x txn.Txn, event string, cause error) error {
	_, err := t.store.Mark(x.ID, func(x *txn.Txn) {
		if errors.Is(cause, txn.ErrNotSent) {
			x.Tries.Unsent++
		}
		t.note(x, event)
	})
	return errors.Join(cause, err)
}

// Resolve is what two people say of what no machine could prove.
type Resolve struct {
	Amount   txn.Amount // as typed: that of the transaction, so that the right one is meant
	Charged  bool
	Evidence string
	By, With Signature
}

// Signature is a supervisor who stands for it.
type Signature struct {
	Number   string
	Password txn.Password
}

// ErrResolve refuses to close a transaction so; the text says why.
var ErrResolve = errors.New("it cannot be closed so")

// Resolve closes what waits for people, on their evidence, and appends that to its record. Nothing is deleted: the journal
// goes on, and what they found decides whether it still stands in the way of a void or refund. Only suspense is closed so;
// what a machine can still settle is not.
func (t *Terminal) Resolve(ctx context.Context, id txn.ID, r Resolve) (txn.Txn, error) {
	if err := t.takeTurn(ctx); err != nil {
		return txn.Txn{}, err
	}
	defer t.giveTurn()
	x, err := t.store.Get(id)
	if err != nil {
		return x, err
	}
	found := txn.Resolution{Charged: r.Charged, Evidence: r.Evidence, By: r.By.Number, With: r.With.Number}
	if err := found.Check(); err != nil {
		return x, fmt.Errorf("%w: %w", ErrResolve, err)
	}
	switch {
	case x.State != txn.Suspense:
		return x, fmt.Errorf("%w: it is %s and waits for nobody", ErrResolve, x.State)
	case r.Amount != x.Amount:
		return x, fmt.Errorf("%w: its amount is another than the one typed", ErrResolve)
	}
	for _, s := range []Signature{r.By, r.With} {
		if err := t.approves(s.Number, s.Password); err != nil {
			return x, err
		}
	}
	as := "not charged"
	if r.Charged {
		as = "charged"
	}
	return t.store.Advance(id, txn.Resolved, func(x *txn.Txn) {
		x.Resolved = found
		x.Slips = txn.Slips{}    // what it was in doubt about is no longer so
		x.Card.Chip = txn.Chip{} // nothing will be reversed with it
		t.note(x, fmt.Sprintf("closed as %s by %s and %s", as, found.By, found.With))
	})
}
