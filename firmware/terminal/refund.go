package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
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
			if o.Original.RRN != "" {
				d.Original, err = elsewhere(o.Original)
				return d, err
			}
			if sale, err = t.refundable(o); err == nil {
				d.Original = sale.Of()
			}
			return d, err
		},
		judge: func(_ txn.Draft, c txn.Card) error {
			if sale == nil {
				return nil // the acquirer knows whose it was
			}
			return sameCard(*sale, c)
		},
		exchange: t.tell,
	})
}

// elsewhere names a sale by what its slip says.
func elsewhere(n Named) (txn.Original, error) {
	if len(n.RRN) > 12 || len(n.Date) != 4 {
		return txn.Original{}, fmt.Errorf("%w: name it by the reference number of its slip, up to 12 characters, and its date as MMDD", ErrOriginal)
	}
	return txn.Original{RRN: n.RRN, Date: n.Date}, nil
}

// refundable finds the sale and says why so much of it cannot be given back, where it cannot.
func (t *Terminal) refundable(o Order) (*txn.Txn, error) {
	sale, err := t.original(o.Original)
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

// tell makes the first attempt, and when its fate is unknown a second while the customer waits.
func (t *Terminal) tell(ctx context.Context, o Order, x txn.Txn, _ txn.Presented) (txn.Txn, error) {
	now, err := t.advise(ctx, x)
	switch {
	case now.ID == 0:
		return x, fmt.Errorf("the outcome is unknown and the store cannot record it; the refund will be repeated: %w", err)
	case now.State.Open():
		o.say(words.Unknown, now)
		return t.closing(ctx, o, now)
	case now.State == txn.Approved:
		o.say(words.Held, now)
	}
	return t.withPaper(ctx, o, now)
}

// duplicate is the answer 94. To the copy of an advice it says that an earlier one was accepted; to the first it says that
// the STAN is another's.
const duplicate = "94"

// notYet reports whether a code says that the network, not the acquirer's books, kept a copy from being judged.
func notYet(code string) bool {
	switch code {
	case "09", "68", "90", "91", "92", "96", "98":
		return true
	}
	return false
}

// advise makes one attempt, or two if the acquirer asks for new keys first. As with a reversal the attempt is counted and
// committed before it is made. A refusal of a copy proves nothing about the copies before it: one of them may have been
// booked, and then people must look.
func (t *Terminal) advise(ctx context.Context, x txn.Txn) (txn.Txn, error) {
	for resigned := false; ; resigned = true {
		earlier := x.Tries.Made - x.Tries.Unsent // copies that may have arrived
		x, err := t.store.Update(x.ID, func(x *txn.Txn) { x.Tries.Made++; x.Tries.Last = t.o.Now() })
		if err != nil {
			return x, err
		}
		answer, sent, err := t.host.Advise(ctx, x)
		switch {
		case errors.Is(err, txn.ErrNotSent) && earlier == 0:
			return t.store.Advance(x.ID, txn.Abandoned, func(x *txn.Txn) { x.Sent = sent; t.note(x, briefly("not sent", err)) })
		case errors.Is(err, txn.ErrNotSent):
			return t.uncounted(x, "refund not sent again", err)
		case err != nil:
			return t.failedTry(x, "", briefly("refund", err), err)
		case answer.Approved || answer.Code == duplicate && earlier > 0:
			answer.Approved = true
			return t.store.Advance(x.ID, txn.Approved, func(x *txn.Txn) {
				x.Answer, x.Sent = answer, sent
				x.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
				t.note(x, "accepted "+answer.Code)
			})
		case earlier == 0:
			return t.store.Advance(x.ID, txn.Declined, func(x *txn.Txn) { x.Answer, x.Sent = answer, sent; t.note(x, "declined "+answer.Code) })
		}
		refused := fmt.Errorf("the acquirer answered the refund with %s", answer.Code)
		switch {
		case !t.host.SignedIn() && !resigned:
			if x, err = t.uncounted(x, "new keys asked for, "+answer.Code, nil); err != nil {
				return x, err
			}
			if err := t.host.SignIn(ctx); err != nil {
				return x, err
			}
		case notYet(answer.Code) || !t.host.SignedIn():
			return t.failedTry(x, answer.Code, "refund refused "+answer.Code, refused)
		default:
			return t.store.Advance(x.ID, txn.Suspense, func(x *txn.Txn) {
				x.Tries.Code = answer.Code
				x.Slips.Merchant = txn.SlipOwed
				t.note(x, "a copy was refused "+answer.Code)
			})
		}
	}
}
