package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// The closing of a batch is a record of its own in the store, and each step is committed before the next is taken, so that
// after a power cut recovery goes on where it stood. From the first step to the last nothing is sold.
//
//	recover what is owed ─► asking: totals ─┬─ balanced ─────────────────────────────────► ending ─► closed ─► report
//	                                        ├─ not ─► details ─► advices, each told once ──────┘
//	                                        └─ refused: the batch stays open
//
// A message whose fate is unknown is repeated as it was: the cursor moves only when the acquirer has acknowledged what lies
// before it, and the acquirer knows a copy by its STANs.

// errClosing is why nothing is recorded while a batch is being closed.
var errClosing = errors.New("nothing is added to a batch while its totals are being compared")

// ErrEmptyBatch refuses to close a batch in which nothing was begun.
var ErrEmptyBatch = errors.New("the open batch has no transactions; there is nothing to close")

// ClosingError refuses a sale because a batch is being closed and that could not be brought to an end first.
type ClosingError struct {
	Closing txn.Closing
	Cause   error
}

func (e *ClosingError) Error() string {
	return fmt.Sprintf("batch %06d is being closed (%s) and must be closed first: %v", e.Closing.Batch, e.Closing.Step, e.Cause)
}
func (e *ClosingError) Unwrap() error { return e.Cause }

// reservedReference admits the closing of a batch in a sale's place. No caller's reference can be this one.
const reservedReference = "\x00batch"

// CloseBatch settles the open batch with the acquirer, or goes on with a closing that was begun. It returns the closing as it
// stands; with an error beside it the closing goes on by itself, at the next round, boot or sale. An error without a
// closing (Batch 0) means that none was begun.
//
// ctx may cancel it until the closing is durable.
func (t *Terminal) CloseBatch(ctx context.Context, progress func(Event)) (txn.Closing, error) {
	if !t.admit(reservedReference) {
		return txn.Closing{}, ErrBusy
	}
	defer t.dismiss()
	if err := t.takeTurn(ctx); err != nil {
		return txn.Closing{}, err
	}
	defer t.giveTurn()
	o := Order{Progress: progress}

	begun, _, err := t.store.Closing(0)
	if err != nil {
		return txn.Closing{}, err
	}
	if err := t.recoverShown(ctx, o); err != nil {
		return t.unfinished(), err
	}
	if begun.Batch != 0 && !begun.Step.Over() {
		return t.reported(ctx, o, begun.Batch) // recovery has just ended what an earlier call began
	}
	if err := t.store.Able(); err != nil {
		return txn.Closing{}, fmt.Errorf("nothing can be recorded, so nothing can be closed: %w", err)
	}
	c, err := t.decideClosing(t.store.Batch())
	if err != nil {
		return txn.Closing{}, err
	}
	if c, err = t.carryOn(context.WithoutCancel(ctx), o, c); err != nil {
		return c, err
	}
	return t.reported(ctx, o, c.Batch)
}

// unfinished is a closing in the middle, or none.
func (t *Terminal) unfinished() txn.Closing {
	c, _, err := t.store.Closing(0)
	if err != nil || c.Step.Over() {
		return txn.Closing{}
	}
	return c
}

func (t *Terminal) recoverShown(ctx context.Context, o Order) error {
	owed, err := t.store.Owed()
	if err != nil {
		return err
	}
	for _, x := range owed {
		if x.State.Open() {
			o.say(words.Recovering, x)
			break
		}
	}
	return t.recoverFor(ctx, o)
}

// reported prints and returns a closing as it then stands. The batch is closed whatever becomes of its report.
func (t *Terminal) reported(ctx context.Context, o Order, batch uint32) (txn.Closing, error) {
	o.say(words.Printing, txn.Txn{})
	if err := t.printOwed(ctx); err != nil && o.Progress != nil {
		o.Progress(Event{Stage: words.PaperOwed, Fault: err})
	}
	c, _, err := t.store.Closing(batch)
	return c, err
}

// Totals are what the open batch comes to now, and what of it is in doubt.
func (t *Terminal) Totals() (own txn.Totals, doubtful []txn.Txn, err error) {
	b, err := t.count(t.store.Batch())
	return b.own, b.doubtful, err
}

// content is what a batch holds.
type content struct {
	own             txn.Totals
	doubtful        []txn.Txn
	records, unread int
}

func (t *Terminal) count(batch uint32) (b content, err error) {
	b.unread, err = t.store.InBatch(batch, func(x txn.Txn) error {
		b.records++
		b.own.Add(x)
		if x.State.Owes() != txn.Nothing || x.State == txn.Resolved && x.Resolved.Charged {
			b.doubtful = append(b.doubtful, x) // or closed by people as charged, and then the acquirer's totals have it
		}
		return nil
	})
	return b, err
}

// mostCounted is the largest number of transactions that one side of a settlement can carry (field 48, three digits).
const mostCounted = 999

// decideClosing commits the first step, again if an earlier closing of the same batch was refused. From here on the batch
// takes nothing any more.
func (t *Terminal) decideClosing(batch uint32) (txn.Closing, error) {
	refused, _, err := t.store.Closing(batch)
	if err != nil {
		return txn.Closing{}, err
	}
	b, err := t.count(batch)
	if err != nil {
		return txn.Closing{}, err
	}
	all := b.own.All()
	switch {
	case b.records+b.unread == 0:
		return txn.Closing{}, ErrEmptyBatch
	case max(all.Debit.Count, all.Credit.Count) > mostCounted:
		return txn.Closing{}, fmt.Errorf("the batch has %d sales and %d voids and refunds, and its settlement counts to %d; call the acquirer",
			all.Debit.Count, all.Credit.Count, mostCounted)
	}
	return t.store.SaveClosing(txn.Closing{Batch: batch, Gen: refused.Gen, Step: txn.Asking, Operator: t.o.Operator,
		Currency: t.o.Currency, Began: t.o.Now(), Own: b.own, Unread: b.unread})
}

// resumeClosing goes on with a closing that was begun; mostly there is none.
func (t *Terminal) resumeClosing(ctx context.Context, o Order) error {
	c, found, err := t.store.Closing(0)
	if err != nil || !found || c.Step.Over() {
		return err
	}
	if c, err = t.carryOn(ctx, o, c); err != nil && !c.Step.Over() {
		return &ClosingError{c, err}
	}
	return nil
}

// carryOn takes one step after the other until the closing is over, and returns it as it then stands. An error leaves it
// where it is, or is the acquirer's refusal.
func (t *Terminal) carryOn(ctx context.Context, o Order, c txn.Closing) (txn.Closing, error) {
	for !c.Step.Over() {
		take, shown := t.step(c.Step)
		if take == nil {
			return c, fmt.Errorf("step %q of the closing is not known to this version", c.Step)
		}
		o.say(shown, txn.Txn{})
		next, err := take(ctx, c)
		if next.Batch != 0 {
			c = next
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func (t *Terminal) step(s txn.Step) (take func(context.Context, txn.Closing) (txn.Closing, error), shown words.Stage) {
	switch s {
	case txn.Asking:
		return t.ask, words.Settling
	case txn.Details, txn.Advices, txn.Certificates:
		return t.tellOne, words.Uploading
	case txn.Ending:
		return t.end, words.EndingBatch
	}
	return nil, ""
}
