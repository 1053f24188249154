package scenario

import (
	"slices"
	"strings"

	"posagent/txnstore/txn"
)

// settled holds the closings of both sides against each other, and what the acquirer was told against the records: every
// batch is closed once, over the same totals, and where they differ everything that stands here is told once and what is
// in doubt explains the rest.
func (f *findings) settled(b Books, smudged int) {
	there := map[uint32]Settled{}
	for _, c := range b.Settled {
		if _, twice := there[c.Batch]; twice {
			f.say("batch %06d was settled twice", c.Batch)
		}
		there[c.Batch] = c
		f.told(c, b)
	}
	for _, c := range b.Closings {
		if c.Step == txn.Closed {
			f.closed(c, there[c.Batch])
			f.explained(c, b)
			f.report(c, b.Slips, &smudged)
		}
	}
	if b.Closings == nil {
		return // of a bench that shows none
	}
	for _, c := range b.Settled {
		closed := func(h Closing) bool { return h.Batch == c.Batch && (h.Step == txn.Closed || !h.Step.Over()) }
		if c.Ended && !slices.ContainsFunc(b.Closings, closed) {
			f.say("batch %06d was ended at the acquirer and is not closed here", c.Batch)
		}
	}
	closing := slices.ContainsFunc(b.Closings, func(c Closing) bool { return !c.Step.Over() })
	if b.Open != 0 && b.OpenAt != 0 && b.Open != b.OpenAt && !closing {
		f.say("batch %06d is open here and batch %06d at the acquirer", b.Open, b.OpenAt)
	}
}

// told holds what the acquirer was told of a batch whose totals differed against the records: nothing twice, nothing that
// does not stand, and, once it is ended, nothing skipped but what it refused.
func (f *findings) told(c Settled, b Books) {
	told := map[uint32]Detail{}
	for _, d := range c.Details {
		if _, twice := told[d.STAN]; twice {
			f.say("batch %06d: record %06d was told twice", c.Batch, d.STAN)
		}
		if told[d.STAN] = d; !d.Match {
			f.say("batch %06d: record %06d over %s was told, and the acquirer has it otherwise", c.Batch, d.STAN, money(d.Amount))
		}
	}
	skipped := 0
	for _, s := range b.Here {
		if s.Batch != c.Batch || s.State != txn.Approved || !s.kind().Settled() {
			continue
		}
		d, was := told[s.STAN]
		delete(told, s.STAN)
		switch {
		case was && d.Amount != s.Amount:
			f.say("batch %06d: record %06d was told over %s and the terminal says %s", c.Batch, s.STAN, money(d.Amount), money(s.Amount))
		case !was:
			skipped++
		}
	}
	for stan := range told {
		f.say("batch %06d: record %06d was told and does not stand here", c.Batch, stan)
	}
	for _, h := range b.Closings {
		if h.Batch == c.Batch && c.Ended && !c.Equal && skipped > h.Refused {
			f.say("batch %06d: %d records were not told, and the acquirer refused %d", c.Batch, skipped, h.Refused)
		}
	}
}

// closed holds a batch that the terminal has closed against the acquirer's settlement of it, which is the zero Settled where
// there is none. A record whose acknowledgement was lost and whose copy was refused stands there, and is refused here.
func (f *findings) closed(c Closing, there Settled) {
	switch {
	case !there.Ended:
		f.say("batch %06d is closed here and the acquirer has not ended it", c.Batch)
		return
	case c.Own != there.Said:
		f.say("batch %06d: the terminal settled over %s and the acquirer was told %s", c.Batch, sides(c.Own.All()), sides(there.Said.All()))
	case c.Host != there.Own:
		f.say("batch %06d: the acquirer came to %s and the terminal heard %s", c.Batch, sides(there.Own.All()), sides(c.Host.All()))
	}
	if c.Agrees != there.Equal {
		f.say("batch %06d: agrees=%v here and equal=%v at the acquirer", c.Batch, c.Agrees, there.Equal)
	}
	sums := c.Own.All()
	all := sums.Debit.Count + sums.Credit.Count
	if c.Agrees {
		all = 0
	}
	if has := len(there.Details); c.Told+c.Refused != all || c.Told > has || has > all || c.Told != there.Told {
		f.say("batch %06d: %d of %d records were told, %d refused; the acquirer has %d and was told of %d", c.Batch, c.Told, all,
			c.Refused, has, there.Told)
	}
}

// mostTried is up to how many transactions in doubt a terminal looks for what explains a difference, and mostNamed how many
// it names.
const (
	mostTried = 12
	mostNamed = txn.MaxDoubts
)

// explained holds a difference against what the terminal says of it: it names what is in doubt in the batch, and some of
// that comes to the difference exactly, unless the acquirer holds only a part of such a sale.
func (f *findings) explained(c Closing, b Books) {
	sum, named := c.Own.All(), map[Voucher]bool{} // true explains
	for _, v := range c.Doubts {
		named[v] = false
	}
	for _, v := range c.Explains {
		named[v] = true
	}
	partly := b.partly()
	parts := false
	for _, s := range b.Here {
		if s.Batch != c.Batch {
			continue
		}
		explains, known := named[s.key()]
		delete(named, s.key())
		inDoubt := s.State == txn.Suspense || s.State == txn.Resolved
		cleared := s.State == txn.Reversed && slices.ContainsFunc(s.Journal, func(line string) bool { return strings.Contains(line, "daily try") }) // since
		switch {
		case known && !inDoubt && !cleared:
			f.say("batch %06d: voucher %s is named as in doubt and is %s", c.Batch, s.key(), s.State)
		case !known && inDoubt && len(c.Explains)+len(c.Doubts) < mostNamed:
			f.say("batch %06d: voucher %s is in doubt and not named", c.Batch, s.key())
		}
		parts = parts || inDoubt && partly[s.key()]
		if !explains {
			continue
		}
		if !s.kind().Settled() {
			f.say("batch %06d: voucher %s is said to explain a difference, and a %s is in no settlement", c.Batch, s.key(), s.kind())
		}
		at := &sum.Debit
		if s.kind().Credits() {
			at = &sum.Credit
		}
		at.Count, at.Amount = at.Count+1, at.Amount+s.Amount
	}
	for v := range named {
		f.say("batch %06d: voucher %s is named as in doubt and is none of the batch", c.Batch, v)
	}
	if sum != c.Host.All() && !parts && len(c.Explains)+len(c.Doubts) <= mostTried {
		f.say("batch %06d differs, %s here and %s there, and what is in doubt explains only %s", c.Batch, sides(c.Own.All()), sides(c.Host.All()), sides(sum))
	}
}

// partly lists what the acquirer approved a part of.
func (b Books) partly() map[Voucher]bool {
	parts := map[Voucher]bool{}
	for _, row := range b.There {
		if row.stands() && row.kind().Settled() && row.worth() != row.Amount {
			parts[row.key()] = true
		}
	}
	return parts
}

// report looks for the settlement report.
func (f *findings) report(c Closing, slips []Slip, smudged *int) {
	whole, unmarked := 0, 0
	for _, s := range slips {
		if s.Report && s.Batch == c.Batch && !s.Torn && !s.Smudged {
			whole++
			if !s.Duplicate {
				unmarked++
			}
		}
	}
	if whole == 0 && c.Report != txn.SlipOwed && !standsIn(smudged) {
		f.say("batch %06d: its report is %s and not on paper", c.Batch, c.Report)
	}
	if unmarked > 1 {
		f.say("batch %06d: %d unmarked reports", c.Batch, unmarked)
	}
}

// settledTotals holds a batch that the acquirer has ended against what both sides have of it. Nothing comes into a batch
// once it is being closed.
func (f *findings) settledTotals(c Settled, here, there txn.Sums) {
	if !c.Ended {
		return
	}
	if c.Said.All() != here {
		f.say("batch %06d: settled over %s and the terminal's records say %s", c.Batch, sides(c.Said.All()), sides(here))
	}
	if c.Own.All() != there {
		f.say("batch %06d: settled by the acquirer over %s and its rows say %s", c.Batch, sides(c.Own.All()), sides(there))
	}
	if c.Equal != (c.Own == c.Said) {
		f.say("batch %06d: the acquirer says equal=%v of %s there and %s here", c.Batch, c.Equal, sides(c.Own.All()), sides(c.Said.All()))
	}
}

// ClosingFrom takes a closing as it stands in the store; find reads the transactions that it names.
func ClosingFrom(c txn.Closing, find func(txn.ID) (txn.Txn, error)) (Closing, error) {
	s := Closing{Batch: c.Batch, Step: c.Step, Own: c.Own, Host: c.Host, Agrees: c.Agrees(), Told: c.Told, Refused: c.Unaccepted, Report: c.Report}
	for i, id := range slices.Concat(c.Explains, c.Doubts) {
		x, err := find(id)
		if err != nil {
			return s, err
		}
		list := &s.Explains
		if i >= len(c.Explains) {
			list = &s.Doubts
		}
		*list = append(*list, Voucher{x.Batch, x.STAN})
	}
	return s, nil
}
