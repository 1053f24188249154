package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// withPaper prints what is due and returns the record as it then stands. A printer fault never changes an outcome: the
// slip stays owed.
func (t *Terminal) withPaper(ctx context.Context, o Order, x txn.Txn) (txn.Txn, error) {
	if !x.OwesPaper() {
		return x, nil
	}
	o.say(words.Printing, x)
	if err := t.printOwed(ctx); err != nil && o.Progress != nil {
		o.Progress(Event{Stage: words.PaperOwed, Txn: x, Fault: err})
	}
	now, err := t.store.Get(x.ID)
	if err != nil {
		return x, err // its outcome was durable before paper was thought of
	}
	return now, nil
}

// PrintOwed prints every slip that is due, oldest first, and stops at the first fault.
func (t *Terminal) PrintOwed(ctx context.Context) error {
	if err := t.takeTurn(ctx); err != nil {
		return err
	}
	defer t.giveTurn()
	return t.printOwed(ctx)
}

func (t *Terminal) printOwed(ctx context.Context) error {
	due, err := t.store.OwedPaper()
	if err != nil {
		return err
	}
	for _, x := range due {
		for _, c := range []txn.Copy{txn.MerchantCopy, txn.CustomerCopy} {
			if x.SlipOf(c) != txn.SlipOwed {
				continue
			}
			if err := t.print(ctx, x, c); err != nil {
				return err
			}
		}
	}
	reports, err := t.store.OwedReports()
	if err != nil {
		return err
	}
	for _, c := range reports {
		if err := t.printReport(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// printReport puts a settlement report on paper.
func (t *Terminal) printReport(ctx context.Context, c txn.Closing) error {
	key := slipKey{report: c.Batch}
	proven, err := t.report(ctx, c, t.mayBeOnPaper(key) || c.Boot != t.boot)
	t.attempted(key, err)
	if err != nil {
		return err
	}
	if c.Report = txn.SlipPrinted; !proven {
		c.Report = txn.SlipDoubted
	}
	_, err = t.store.SaveClosing(c)
	return err
}

// report prints with what the closing has doubts about, as that stands now.
func (t *Terminal) report(ctx context.Context, c txn.Closing, reprint bool) (proven bool, err error) {
	var doubts []txn.Txn
	for _, id := range append(append([]txn.ID{}, c.Explains...), c.Doubts...) {
		if x, err := t.store.Get(id); err == nil {
			doubts = append(doubts, x)
		}
	}
	return t.printer.Report(ctx, c, doubts, reprint)
}

// ReprintReport puts the report of a closed batch on paper again, marked as a duplicate; 0 means the newest.
func (t *Terminal) ReprintReport(ctx context.Context, batch uint32) (txn.Closing, error) {
	if err := t.takeTurn(ctx); err != nil {
		return txn.Closing{}, err
	}
	defer t.giveTurn()
	c, found, err := t.store.Closing(batch)
	switch {
	case err != nil:
		return c, err
	case !found || c.Step != txn.Closed:
		return c, fmt.Errorf("%w: batch %06d", ErrNotClosed, batch)
	case c.OwesReport():
		return c, t.printOwed(ctx)
	}
	_, err = t.report(ctx, c, true)
	return c, err
}

// print puts one copy on paper. A slip that an earlier try, or an earlier boot, may have printed without proof is marked
// as a duplicate: two unmarked slips for one sale are worse than one marked slip too many.
func (t *Terminal) print(ctx context.Context, x txn.Txn, c txn.Copy) error {
	key := slipKey{id: x.ID, copy: c}
	reprint := t.mayBeOnPaper(key) || dueSince(x) != t.boot
	proven, err := t.printer.Print(ctx, x, c, reprint)
	t.attempted(key, err)
	if err != nil {
		return err
	}
	became := txn.SlipPrinted
	if !proven {
		became = txn.SlipDoubted
	}
	_, err = t.store.Mark(x.ID, func(x *txn.Txn) { x.SetSlip(c, became) })
	return err
}

// dueSince is the boot in which a slip of x fell due. What is told and not asked for has its slips once it is recorded: one
// of them may be in somebody's hands, unmarked in the record, when another boot hears that it is booked.
func dueSince(x txn.Txn) uint32 {
	if x.Kind.Final() && x.State != txn.Suspense {
		return x.Boot
	}
	return x.EndBoot
}

func (t *Terminal) mayBeOnPaper(key slipKey) bool {
	_, known := t.tried[key]
	return known
}

// rememberedSlips is how many transactions back a printed slip is remembered.
const rememberedSlips = 64

// attempted remembers what an attempt may have put on paper. A printed slip is remembered too: its mark rides with the next
// commit, and a fault of the disk may take it back before that. The slip is then owed once more, and it is not the first.
func (t *Terminal) attempted(key slipKey, err error) {
	if errors.Is(err, txn.ErrNotSent) {
		return
	}
	t.tried[key] = err == nil
	for old, printed := range t.tried {
		if printed && old.id+rememberedSlips < key.id {
			delete(t.tried, old)
		}
	}
}

// Reprint puts the slip of a closed transaction on paper again, marked as a duplicate.
func (t *Terminal) Reprint(ctx context.Context, id txn.ID) (txn.Txn, error) {
	if err := t.takeTurn(ctx); err != nil {
		return txn.Txn{}, err
	}
	defer t.giveTurn()
	x, err := t.store.Get(id)
	if err != nil {
		return x, err
	}
	if x.OwesPaper() {
		if err := t.printOwed(ctx); err != nil {
			return x, err
		}
		return t.store.Get(id)
	}
	if _, err := t.printer.Print(ctx, x, txn.MerchantCopy, true); err != nil {
		return x, err
	}
	return t.store.Mark(id, func(x *txn.Txn) { t.note(x, "reprinted") })
}
