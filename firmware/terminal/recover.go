package terminal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"posagent/txnstore/txn"
)

// Recover finishes or reverses what is owed, oldest first, and then prints what paper is owed. Boot, the agent's timer
// and every sale run it. Its cost depends on what is owed, not on history. It returns an OwedError when the acquirer did
// not settle something; calling it again is always safe.
func (t *Terminal) Recover(ctx context.Context) error {
	if err := t.takeTurn(ctx); err != nil {
		return err
	}
	defer t.giveTurn()
	return errors.Join(t.recover(ctx), t.retrySuspense(ctx), t.printOwed(ctx))
}

// DecideOwed commits, without touching any line, the decision to reverse everything that a previous run left open. The
// agent calls it once at the start, so that a decision does not wait for a connection.
func (t *Terminal) DecideOwed(ctx context.Context) error {
	if err := t.takeTurn(ctx); err != nil {
		return err
	}
	defer t.giveTurn()
	owed, err := t.store.Owed()
	if err != nil {
		return err
	}
	for _, x := range owed {
		if _, err := t.decided(x); err != nil {
			return err
		}
	}
	return nil
}

func (t *Terminal) recover(ctx context.Context) error { return t.recoverFor(ctx, Order{}) }

// recoverFor shows the steps of a closing to whoever waits.
func (t *Terminal) recoverFor(ctx context.Context, o Order) error {
	owed, err := t.store.Owed()
	if err != nil {
		return err
	}
	for _, x := range owed {
		if x, err = t.decided(x); err != nil {
			return err
		}
		now, err := t.settle(ctx, x)
		if now.ID == 0 { // its commit failed
			now = x
		}
		if err != nil {
			return &OwedError{now, err}
		}
	}
	return t.resumeClosing(ctx, o)
}

// settle makes the attempt that a transaction owes, if it owes one that a machine can make.
func (t *Terminal) settle(ctx context.Context, x txn.Txn) (txn.Txn, error) {
	switch x.State.Owes() {
	case txn.Reverse:
		return t.reverse(ctx, x)
	case txn.Repeat:
		return t.advise(ctx, x)
	default:
		return x, nil
	}
}

// decided turns what a power cut left into a decision. Pending means that a request may have reached the acquirer;
// authorized that it was approved and the card did not finish.
func (t *Terminal) decided(x txn.Txn) (txn.Txn, error) {
	switch x.State {
	case txn.Pending:
		return t.decideReversal(x, txn.NoAnswer, txn.Evidence{}, "interrupted before an answer")
	case txn.Authorized:
		return t.decideReversal(x, txn.NotDone, txn.Evidence{}, "interrupted before the card confirmed")
	default:
		return x, nil
	}
}

// notFound is the answer 25, unable to locate the original (ISO 8583:1987 response codes). It ends a reversal, but
// after a change of business day the acquirer no longer looks at yesterday, so it proves nothing.
const notFound = "25"

// reverse makes one attempt, or two if the acquirer asks for new keys first. The attempt is counted and committed before
// it is made: a power cut in the middle must not make tries free.
func (t *Terminal) reverse(ctx context.Context, x txn.Txn) (txn.Txn, error) {
	for resigned := false; ; resigned = true {
		x, err := t.counted(x)
		if err != nil {
			return x, err
		}
		answer, sent, err := t.host.Reverse(ctx, x)
		switch {
		case errors.Is(err, txn.ErrNotSent):
			return t.uncounted(x, "reversal not sent", err)
		case err != nil:
			return t.failedTry(x, "", briefly("reversal", err), err)
		}
		ends := answer.Approved || slices.Contains(t.o.ReversalEnds, answer.Code)
		doubt, err := t.doubted(x, answer)
		switch {
		case err != nil:
			return x, err
		case ends && doubt != "":
			return t.suspend(x.ID, func(x *txn.Txn) { x.Tries.Code = answer.Code; t.note(x, doubt) })
		case ends:
			return t.store.Advance(x.ID, txn.Reversed, func(x *txn.Txn) {
				x.Tries.Code = answer.Code
				if x.Sent.Bearer == "" {
					x.Sent.Bearer = sent.Bearer
				}
				x.Slips.Merchant = txn.SlipOwed
				t.note(x, "reversed "+answer.Code)
			})
		}
		refused := fmt.Errorf("the acquirer answered the reversal with %s", answer.Code)
		if t.host.SignedIn() || resigned {
			return t.failedTry(x, answer.Code, "reversal refused "+answer.Code, refused)
		}
		if x, err = t.uncounted(x, "new keys asked for, "+answer.Code, nil); err != nil {
			return x, err
		}
		if err := t.host.SignIn(ctx); err != nil {
			return x, err
		}
	}
}

// doubted looks at an answer 25 a second time, and says why it proves nothing, where it does not: after a change of business
// day the acquirer no longer looks at yesterday, nor after a settlement at what it has settled, and what was undone since is
// no longer found as it was.
func (t *Terminal) doubted(x txn.Txn, answer txn.Answer) (why string, err error) {
	if answer.Code != notFound {
		return "", nil
	}
	if dayChanged(x, answer, t.o.Now()) {
		return "25 after a day change proves nothing", nil
	}
	if settled, err := t.maybeSettled(x.Batch); err != nil || settled {
		return "25 after its batch was closed proves nothing", err
	}
	undone, err := t.undone(x.ID)
	if err != nil || len(undone) == 0 {
		return "", err
	}
	return fmt.Sprintf("25 and a %s, voucher %06d, prove nothing", undone[0].Kind, undone[0].STAN), nil
}

// maybeSettled reports whether the acquirer may have ended a batch: it was closed here, or is being closed, and an
// acknowledgement may be on its way or lost.
func (t *Terminal) maybeSettled(batch uint32) (bool, error) {
	if batch != t.store.Batch() {
		return true, nil
	}
	c, found, err := t.store.Closing(batch)
	return found && c.Step != txn.Refused, err
}

// uncounted gives a try back: nothing of it reached the acquirer, or the acquirer only asked for new keys. The mark
// rides with the next commit; a power cut before that merely counts the try.
func (t *Terminal) uncounted(x txn.Txn, event string, cause error) (txn.Txn, error) {
	x, err := t.store.Mark(x.ID, func(x *txn.Txn) { x.Tries.Unsent++; t.note(x, event) })
	return x, errors.Join(cause, err)
}

// counted counts a try before a byte of it can leave. While sending is forbidden none is begun: with a supply that fails, the
// note that it was not sent after all might not reach the disk.
func (t *Terminal) counted(x txn.Txn) (txn.Txn, error) {
	if t.o.Held != nil {
		if err := t.o.Held(); err != nil {
			return x, fmt.Errorf("%w: %w", txn.ErrNotSent, err)
		}
	}
	return t.store.Update(x.ID, func(x *txn.Txn) { x.Tries.Made++; x.Tries.Last = t.o.Now() })
}

// failedTry leaves the reversal owed, or hands it to people once the allowance is used up. It is never given up.
func (t *Terminal) failedTry(x txn.Txn, code, event string, cause error) (txn.Txn, error) {
	reason := x.Reason
	if why, known := reasonIn(cause); known && reason != "" {
		reason = why // what came back in its place, of the next try
	}
	if x.Tries.Made-x.Tries.Unsent >= t.o.ReversalTries {
		return t.suspend(x.ID, func(x *txn.Txn) {
			x.Tries.Code, x.Reason = code, reason
			t.note(x, event)
			t.note(x, "tries spent, people must look")
		})
	}
	x, err := t.store.Mark(x.ID, func(x *txn.Txn) { x.Tries.Code, x.Reason = code, reason; t.note(x, event) })
	return x, errors.Join(cause, err)
}

// Late records that an answer came after the decision to reverse, or to repeat. It is evidence, and it changes nothing
// else.
func (t *Terminal) Late(stan uint32, code string) error {
	newest, err := t.store.List(recent)
	if err != nil {
		return err
	}
	for _, x := range newest {
		if x.STAN == stan {
			event := "late answer " + code + ", not honoured"
			if x.Kind.Advice() {
				event = "late answer " + code + ", asked again instead"
			}
			_, err := t.store.Mark(x.ID, func(x *txn.Txn) { t.note(x, event) })
			return err
		}
	}
	return nil
}
