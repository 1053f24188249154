package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
)

// closing makes one attempt at settling a doubtful transaction while the customer waits; the agent goes on with it afterwards.
func (t *Terminal) closing(ctx context.Context, o Order, x txn.Txn) (txn.Txn, error) {
	_ = t.recover(ctx) // the record's state says how far it got
	now, err := t.store.Get(x.ID)
	if err != nil {
		return x, err
	}
	return t.withPaper(ctx, o, now)
}

// approvedButNotRecorded handles the one commit whose failure has money behind it: the acquirer holds it and the store
// could not say so. It is undone with reason 96. If even that cannot be written the record is still pending, which owes
// the same reversal.
func (t *Terminal) approvedButNotRecorded(x txn.Txn, a txn.Answer, sent txn.Evidence, cause error) (txn.Txn, error) {
	if now, err := t.store.Get(x.ID); err == nil && now.State == txn.Approved {
		return now, nil // the commit became durable after all; paper follows from the record
	}
	undone, err := t.store.Advance(x.ID, txn.Reversing, func(x *txn.Txn) {
		x.Answer, x.Sent, x.Reason = a, sent, txn.NotDone
		t.note(x, "approved, could not be recorded")
	})
	if err != nil {
		return x, fmt.Errorf("the acquirer approved and the store cannot record it; it will be reversed: %w", errors.Join(cause, err))
	}
	return undone, nil
}

// ended commits an outcome without money. If it cannot be written the record is still pending, which owes a reversal.
func (t *Terminal) ended(x txn.Txn, as txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	now, err := t.store.Advance(x.ID, as, change)
	if err != nil {
		return x, fmt.Errorf("the %s was %s and the store cannot record it; it will be reversed: %w", x.Kind, as, err)
	}
	return now, nil
}

// decideReversal commits the decision. After it a late approval is worth nothing.
func (t *Terminal) decideReversal(x txn.Txn, why txn.Reason, sent txn.Evidence, event string) (txn.Txn, error) {
	decided, err := t.store.Advance(x.ID, txn.Reversing, func(x *txn.Txn) {
		x.Reason = why
		if sent.Total > 0 {
			x.Sent = sent
		}
		t.note(x, event)
	})
	if err != nil {
		return x, fmt.Errorf("the outcome is unknown and the store cannot record it; it will be reversed: %w", err)
	}
	return decided, nil
}

// reasonOf asks an error for field 39 of the reversal. Only the packages that saw the answer know better than 98.
func reasonOf(err error) txn.Reason {
	if why, known := reasonIn(err); known {
		return why
	}
	return txn.NoAnswer
}

func reasonIn(err error) (why txn.Reason, known bool) {
	var reasoned interface{ ReversalReason() txn.Reason }
	if errors.As(err, &reasoned) {
		return reasoned.ReversalReason(), true
	}
	return "", false
}

func (t *Terminal) note(x *txn.Txn, event string) { x.Note(t.o.Now(), t.boot, event) }

// briefly is a journal line: what happened, and the cause in the words of whoever can say it shortest.
func briefly(what string, err error) string {
	cause := err.Error()
	var brief interface{ Brief() string }
	if errors.As(err, &brief) {
		cause = brief.Brief()
	}
	if what == "" {
		return cause
	}
	return what + ": " + cause
}
