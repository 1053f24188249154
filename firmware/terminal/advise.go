package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// queue is for what is done at the counter once it is recorded. What is owed from before is told first, and then this; if the
// acquirer cannot be reached it waits, and the slip does not.
func (t *Terminal) queue(ctx context.Context, o Order, x txn.Txn, _ txn.Presented) (txn.Txn, error) {
	_ = t.recover(ctx) // the record's state says how far it got
	now, err := t.store.Get(x.ID)
	if err != nil {
		return x, err
	}
	switch now.State {
	case txn.Advising:
		o.say(words.Queued, now)
	case txn.Approved:
		o.say(words.Held, now)
	}
	return t.withPaper(ctx, o, now)
}

// handedOver reports whether a slip of x may be in somebody's hands, and the goods with it.
func (t *Terminal) handedOver(x txn.Txn) bool {
	if x.Boot != t.boot {
		return true // what an earlier run has printed it may not have marked
	}
	for _, c := range []txn.Copy{txn.MerchantCopy, txn.CustomerCopy} {
		if x.SlipOf(c) != txn.SlipOwed || t.mayBeOnPaper(slipKey{id: x.ID, copy: c}) {
			return true
		}
	}
	return false
}

// tell makes the first attempt, and when its fate is unknown a second while the customer waits.
func (t *Terminal) tell(ctx context.Context, o Order, x txn.Txn, _ txn.Presented) (txn.Txn, error) {
	now, err := t.advise(ctx, x)
	switch {
	case now.ID == 0:
		return x, fmt.Errorf("the outcome is unknown and the store cannot record it; the %s will be repeated: %w", x.Kind, err)
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
		case errors.Is(err, txn.ErrNotSent) && earlier == 0 && !x.Kind.Final():
			return t.store.Advance(x.ID, txn.Abandoned, func(x *txn.Txn) { x.Sent = sent; t.note(x, briefly("not sent", err)) })
		case errors.Is(err, txn.ErrNotSent):
			return t.uncounted(x, "not told, no line", err)
		case err != nil:
			return t.failedTry(x, "", briefly(string(x.Kind), err), err)
		case answer.Approved || answer.Code == duplicate && earlier > 0:
			answer.Approved = true
			return t.store.Advance(x.ID, txn.Approved, func(x *txn.Txn) {
				x.Answer, x.Sent = answer, sent
				if !x.Kind.Final() {
					x.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
				}
				t.note(x, "accepted "+answer.Code)
			})
		case earlier == 0 && !(x.Kind.Final() && t.handedOver(x)):
			return t.store.Advance(x.ID, txn.Declined, func(x *txn.Txn) {
				x.Answer, x.Sent, x.Slips = answer, sent, txn.Slips{}
				t.note(x, "declined "+answer.Code)
			})
		}
		refused := fmt.Errorf("the acquirer answered the %s with %s", x.Kind, answer.Code)
		switch {
		case !t.host.SignedIn() && !resigned:
			if x, err = t.uncounted(x, "new keys asked for, "+answer.Code, nil); err != nil {
				return x, err
			}
			if err := t.host.SignIn(ctx); err != nil {
				return x, err
			}
		case notYet(answer.Code) || !t.host.SignedIn():
			return t.failedTry(x, answer.Code, "refused "+answer.Code, refused)
		default:
			return t.suspend(x.ID, func(x *txn.Txn) {
				x.Tries.Code = answer.Code
				if earlier == 0 {
					t.note(x, "refused "+answer.Code+" after the slip was given out")
				} else {
					t.note(x, "a copy was refused "+answer.Code)
				}
			})
		}
	}
}
