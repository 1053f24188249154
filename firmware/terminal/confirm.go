package terminal

import (
	"context"
	"errors"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// A chip card has the last word on what was charged to it. That the acquirer approved and that the card completed are recorded
// apart:
//
//	pending ─► authorized ─┬─ the card agrees ───────────────────────► approved ─► paper
//	   (committed before   ├─ the card refuses, is taken out, fails ─► reversing 06
//	    the card is asked) ├─ the reader restarts, is silent, lost ──► reversing 96
//	                       └─ power lost here ─► recovery ───────────► reversing 96
//
// Between the two commits nobody is told that it was approved, and nothing is printed. The card may have agreed when the power
// fails before the second one: the customer then holds a card that has completed a sale which is reversed, and no slip of it.

// confirm brings the acquirer's approval to the card. issuer is what came with it for the card alone.
func (t *Terminal) confirm(ctx context.Context, o Order, x txn.Txn, answer txn.Answer, issuer txn.Chip, sent txn.Evidence) (txn.Txn, error) {
	authorized, err := t.store.Advance(x.ID, txn.Authorized, func(x *txn.Txn) {
		x.Answer, x.Sent = answer, sent
		t.note(x, "approved "+answer.Code+", card to confirm")
	})
	if err != nil {
		t.letGo(ctx, x.Card) // the acquirer is told to undo it, so the card must not complete it
		return t.approvedButNotRecorded(x, answer, sent, err)
	}
	o.say(words.Confirming, authorized)
	told := answer
	told.Chip = issuer
	done, err := t.reader.Complete(ctx, told)
	if err != nil || !done.Agreed {
		return t.unconfirmed(ctx, o, authorized, done, err)
	}
	approved, err := t.store.Advance(x.ID, txn.Approved, func(x *txn.Txn) {
		x.Card.Chip, x.Card.Certificate = done.Signed, done.Certificate
		x.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
		t.note(x, "card confirmed"+scripts(done))
	})
	if err != nil {
		t.letGo(ctx, x.Card)
		return t.approvedButNotRecorded(authorized, answer, sent, err)
	}
	o.say(words.Held, approved)
	t.letGo(ctx, x.Card)
	return t.withPaper(ctx, o, approved)
}

// unconfirmed decides to undo what the acquirer approved and the card did not complete.
func (t *Terminal) unconfirmed(ctx context.Context, o Order, x txn.Txn, done txn.Confirmation, cause error) (txn.Txn, error) {
	why, event, stage := txn.OtherCause, "card refused"+scripts(done), words.CardRefused
	if cause != nil {
		why, event, stage = txn.NotDone, briefly("not confirmed", cause), words.CardLost
		if known, is := reasonIn(cause); is {
			why = known
		}
		if errors.Is(cause, txn.ErrCardRemoved) {
			stage = words.CardRemoved
		}
	}
	decided, err := t.store.Advance(x.ID, txn.Reversing, func(x *txn.Txn) {
		x.Reason = why
		if !done.Reversal.IsZero() {
			x.Card.Chip = done.Reversal
		}
		t.note(x, event)
	})
	t.letGo(ctx, x.Card)
	if err != nil {
		return x, errors.Join(errors.New("the card has not confirmed and the store cannot record it; it will be reversed"), err)
	}
	o.say(stage, decided)
	return t.closing(ctx, o, decided)
}

// tellCard ends the transaction of a card whose acquirer has declined. Nothing depends on what it makes of it.
func (t *Terminal) tellCard(ctx context.Context, x txn.Txn, answer txn.Answer, issuer txn.Chip) {
	if inSlot(x) {
		answer.Chip = issuer
		_, _ = t.reader.Complete(ctx, answer)
	}
	t.letGo(ctx, x.Card)
}

// letGo has a card taken out of the slot. A reader that cannot do it now begins the next sale by cancelling this one.
func (t *Terminal) letGo(ctx context.Context, c txn.Card) {
	if c.Entry == txn.Inserted {
		_ = t.reader.Release(context.WithoutCancel(ctx))
	}
}

// inSlot reports whether the card that pays waits for the acquirer's answer.
func inSlot(x txn.Txn) bool { return x.Card.Entry == txn.Inserted && x.Kind.Confirmed() }

// scripts says what became of the issuer's scripts, for a journal line.
func scripts(done txn.Confirmation) string {
	if done.Scripts == "" {
		return ""
	}
	return ", script " + done.Scripts
}
