package scenario

import (
	"cmp"
	"fmt"
	"slices"

	"posagent/txnstore/txn"
)

// Judge compares the books once the dust has settled. The acquirer's are right by definition. It returns every
// disagreement, sorted; nothing else is one truth:
//
//	approved here ⇔ held by the acquirer ⇔ both copies on paper
//
// where an approved sale with a chip card in the slot has the card's word besides, and a void or a refund is held when it stands:
// its money went back to the card, and a pre-authorisation when it stands or was used up by exactly one thing that does. With
// equal totals on both sides, batches
// settled alike, no money made or lost, nothing owed but what truly waits for people, no card data or key anywhere, and nothing
// done that is forbidden, such as sending once the case was opened.
func Judge(b Books) []string {
	return sorted(b.disagreements(), b.unfinished(), b.Leaks, b.Misdeeds)
}

// JudgeFiles is Judge of books that were read from the files of a terminal without power. The mark that a slip was printed
// rides with the next commit, so that what is on paper may still stand there as owed.
func JudgeFiles(b Books) []string {
	return sorted(b.disagreements(), b.unfinishedMoney(), b.Leaks, b.Misdeeds)
}

// Disagreements is the judgement of a world in which things may still be on their way: what is owed is no fault yet, and
// everything else is.
func Disagreements(b Books) []string {
	return sorted(b.disagreements(), b.Leaks, b.Misdeeds)
}

func sorted(findings ...[]string) []string {
	all := slices.Concat(findings...)
	slices.Sort(all)
	return all
}

// String is "000001/000042".
func (v Voucher) String() string { return fmt.Sprintf("%06d/%06d", v.Batch, v.STAN) }

func (v Voucher) compare(o Voucher) int {
	return cmp.Or(cmp.Compare(v.Batch, o.Batch), cmp.Compare(v.STAN, o.STAN))
}

func (s Sale) key() Voucher { return Voucher{s.Batch, s.STAN} }
func (r Row) key() Voucher  { return Voucher{r.Batch, r.STAN} }
func (s Slip) key() Voucher { return Voucher{s.Batch, s.STAN} }

func (s Sale) kind() txn.Kind { return cmp.Or(s.Kind, txn.Sale) }
func (r Row) kind() txn.Kind  { return cmp.Or(r.Kind, txn.Sale) }

// aKind is the kind with its article.
func aKind(k txn.Kind) string {
	if k == txn.OfflineSale {
		return "an " + string(k)
	}
	return "a " + string(k)
}

// findings are a judgement in the making.
type findings []string

func (f *findings) say(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (b Books) disagreements() []string {
	var wrong findings
	here := make(map[Voucher]Sale, len(b.Here))
	for _, s := range b.Here {
		if _, twice := here[s.key()]; twice {
			wrong.say("voucher %s stands in the terminal's books twice", s.key())
		}
		here[s.key()] = s
	}
	there := make(map[Voucher]Row, len(b.There))
	for _, row := range b.There {
		if _, twice := there[row.key()]; twice {
			wrong.say("voucher %s stands in the acquirer's books twice", row.key())
		}
		there[row.key()] = row
		wrong.heldThere(row, here)
	}
	for k, s := range here {
		wrong.claimedHere(s, there[k])
	}
	wrong.undone(there)
	wrong.twice(b.There)
	wrong.used(there)
	wrong.unconfirmed(b)
	smudged := wrong.paper(here, b.Slips)
	wrong.totals(b)
	wrong.settled(b, smudged)
	wrong.accounts(b)
	return wrong
}

// counts reports whether a record says that the acquirer has it booked.
func (s Sale) counts() bool {
	return s.State == txn.Approved || s.State == txn.Resolved && s.Charged
}

// stands reports whether a row counts: what was approved and not reversed, whatever undid or followed it since.
func (r Row) stands() bool {
	switch r.Standing {
	case Held, Voided, Refunded, Given, Completed, Cancelled, Lapsed, Done:
		return true
	}
	return false
}

// worth is what a row that stands came to when it was approved, as a settlement counts it.
func (r Row) worth() txn.Amount { return r.Held + r.Back }

// approved is the same where it is in no settlement: what was held and is not any more came to what was asked for.
func (r Row) approved() txn.Amount {
	if r.kind().Settled() || r.Standing == Held {
		return r.worth()
	}
	return r.Amount
}

func (r Row) credits() bool { return r.Kind.Credits() }

// heldThere holds one row of the acquirer against the terminal's books.
func (f *findings) heldThere(row Row, here map[Voucher]Sale) {
	s, known := here[row.key()]
	verb := "holds money"
	switch {
	case row.credits():
		verb = "gave money back"
	case row.kind() == txn.PreAuthCancel:
		verb = "let money go"
	}
	switch {
	case !row.stands():
	case !known:
		f.say("voucher %s: the acquirer %s for %s that the terminal does not know", row.key(), verb, aKind(row.kind()))
	case s.kind() != row.kind():
		f.say("voucher %s: the acquirer has %s and the terminal %s", row.key(), aKind(row.kind()), aKind(s.kind()))
	case s.Of != Voucher{} && s.Of != row.Of:
		f.say("voucher %s: it undoes %s at the acquirer and %s here", row.key(), row.Of, s.Of)
	case s.State == txn.Suspense || s.State.Open():
		// Not proven here yet: unfinished at worst, and the totals allow for it.
	case !s.counts():
		f.say("voucher %s: the acquirer %s and the terminal says %s", row.key(), verb, s.State)
	case s.Amount != row.approved():
		f.say("voucher %s: the acquirer holds %s and the terminal says %s", row.key(), money(row.approved()), money(s.Amount))
	}
}

// claimedHere holds one of the terminal's records against its row, which is the zero Row where there is none.
func (f *findings) claimedHere(s Sale, row Row) {
	switch {
	case s.counts():
		if !row.stands() {
			f.say("voucher %s: %s here and not held by the acquirer", s.key(), s.State)
		}
	case s.State == txn.Declined:
		if s.Code == "" {
			f.say("voucher %s: declined here and no answer said so", s.key())
		}
	case s.State == txn.Abandoned:
		if row.Standing != "" && row.Standing != Unseen {
			f.say("voucher %s: not sent, says the terminal, and in the acquirer's books it is %s", s.key(), row.Standing)
		}
	}
}

// undone holds what was given back of each sale against the voids and refunds that gave it.
func (f *findings) undone(there map[Voucher]Row) {
	back := map[Voucher]txn.Amount{}
	for _, row := range there {
		if row.credits() {
			back[row.Of] += row.Back
		}
	}
	for k, row := range there {
		if !row.credits() && row.Back != back[k] {
			f.say("voucher %s: %s of it were given back, and its voids and refunds gave %s", k, money(row.Back), money(back[k]))
		}
		delete(back, k)
	}
	for k, amount := range back {
		if amount != 0 {
			f.say("voucher %s: %s were given back, and the acquirer has no such sale", k, money(amount))
		}
	}
}

// unfinished is what should have been done in the time that there was.
func (b Books) unfinished() []string { return slices.Concat(b.unfinishedMoney(), b.unfinishedPaper()) }

func (b Books) unfinishedMoney() []string {
	var wrong findings
	for _, s := range b.Here {
		duty := s.State.Owes()
		switch {
		case duty == txn.Human && s.State == txn.Suspense:
			if Cause(s, b.Tries) == "" {
				wrong.say("voucher %s waits for people and nothing in its record says why", s.key())
			}
		case duty != txn.Nothing:
			wrong.say("voucher %s is %s: still owed (%s)", s.key(), s.State, duty)
		}
	}
	for _, c := range b.Closings {
		if !c.Step.Over() {
			wrong.say("batch %06d is being closed: %s", c.Batch, c.Step)
		}
	}
	return wrong
}

func (b Books) unfinishedPaper() []string {
	var wrong findings
	for _, s := range b.Here {
		if s.Merchant == txn.SlipOwed {
			wrong.say("voucher %s: the merchant's slip is still owed", s.key())
		}
		if s.Customer == txn.SlipOwed {
			wrong.say("voucher %s: the customer's slip is still owed", s.key())
		}
	}
	for _, c := range b.Closings {
		if c.Report == txn.SlipOwed {
			wrong.say("batch %06d: its report is still owed", c.Batch)
		}
	}
	return wrong
}

// money prints minor units of a currency with two decimals, the only ones a bench has.
func money(a txn.Amount) string {
	if a < 0 {
		return "-" + money(-a)
	}
	return fmt.Sprintf("%d.%02d", a/100, a%100)
}
