package simrig

import (
	"posagent/firmware/scenario"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
)

// readBatches reads what was settled, as each side has it.
func (l *life) readBatches(b *scenario.Books, book linktest.TerminalBook) error {
	b.Open, b.OpenAt = l.store.Batch(), book.Batch
	b.Closings = []scenario.Closing{} // this rig shows them, though there be none
	for n := uint32(1); n <= b.Open; n++ {
		c, found, err := l.store.Closing(n)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		closing, err := scenario.ClosingFrom(c, l.store.Get)
		if err != nil {
			return err
		}
		b.Closings = append(b.Closings, closing)
	}
	b.Settled = settledWith(book)
	if !l.world.options.Profile.Flags { // such an acquirer settles one total, and the terminal's are held against that
		for i, c := range b.Closings {
			b.Closings[i].Own, b.Closings[i].Host = whole(c.Own), whole(c.Host)
		}
		for i, s := range b.Settled {
			b.Settled[i].Own, b.Settled[i].Said = whole(s.Own), whole(s.Said)
		}
	}
	return nil
}

func whole(t txn.Totals) txn.Totals { return txn.Totals{Domestic: t.All()} }

// settledWith is what an acquirer's books say of the batches that it settled with one terminal.
func settledWith(book linktest.TerminalBook) (all []scenario.Settled) {
	for _, c := range book.Closings {
		s := scenario.Settled{Batch: c.Batch, Own: totalsOf(c.Host), Said: totalsOf(c.Terminal), Equal: c.Equal, Ended: c.Ended, Told: c.Told}
		for _, d := range c.Details {
			s.Details = append(s.Details, scenario.Detail{STAN: d.STAN, Amount: d.Amount, Match: d.Verdict == "match"})
		}
		all = append(all, s)
	}
	return all
}

func totalsOf(t linktest.Totals) txn.Totals {
	sums := func(s linktest.Sums) txn.Sums { return txn.Sums{Debit: txn.Sum(s.Debit), Credit: txn.Sum(s.Credit)} }
	return txn.Totals{Domestic: sums(t.Domestic), Foreign: sums(t.Foreign)}
}
