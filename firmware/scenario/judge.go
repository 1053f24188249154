package scenario

import (
	"fmt"
	"slices"

	"posagent/txnstore/txn"
)

// Judge compares the books once the dust has settled. The acquirer's are right by definition. It returns every
// disagreement, sorted; nothing else is one truth:
//
//	approved here ⇔ held by the acquirer ⇔ both copies on paper
//
// with equal totals on both sides, no money made or lost, nothing owed but what truly waits for people, and no card data
// or key anywhere.
func Judge(b Books) []string {
	return sorted(b.disagreements(), b.unfinished(), b.Leaks)
}

// Disagreements is the judgement of a world in which things may still be on their way: what is owed is no fault yet, and
// everything else is.
func Disagreements(b Books) []string {
	return sorted(b.disagreements(), b.Leaks)
}

func sorted(findings ...[]string) []string {
	all := slices.Concat(findings...)
	slices.Sort(all)
	return all
}

// key is how both sides find a transaction.
type key struct{ batch, stan uint32 }

func (k key) String() string { return fmt.Sprintf("%06d/%06d", k.batch, k.stan) }

func (s Sale) key() key { return key{s.Batch, s.STAN} }
func (r Row) key() key  { return key{r.Batch, r.STAN} }
func (s Slip) key() key { return key{s.Batch, s.STAN} }

// findings are a judgement in the making.
type findings []string

func (f *findings) say(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (b Books) disagreements() []string {
	var wrong findings
	here := make(map[key]Sale, len(b.Here))
	for _, s := range b.Here {
		if _, twice := here[s.key()]; twice {
			wrong.say("voucher %s stands in the terminal's books twice", s.key())
		}
		here[s.key()] = s
	}
	there := make(map[key]Row, len(b.There))
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
	wrong.paper(here, b.Slips)
	wrong.totals(b)
	wrong.accounts(b)
	return wrong
}

// heldThere holds one row of the acquirer against the terminal's books.
func (f *findings) heldThere(row Row, here map[key]Sale) {
	s, known := here[row.key()]
	switch {
	case row.Standing != Held:
	case !known:
		f.say("voucher %s: the acquirer holds money for a sale that the terminal does not know", row.key())
	case s.State == txn.Suspense || s.State.Open():
		// Not proven here yet: unfinished at worst, and the totals allow for it.
	case s.State != txn.Approved:
		f.say("voucher %s: the acquirer holds money and the terminal says %s", row.key(), s.State)
	case s.Amount != row.Held:
		f.say("voucher %s: the acquirer holds %s and the terminal says %s", row.key(), money(row.Held), money(s.Amount))
	}
}

// claimedHere holds one of the terminal's records against its row, which is the zero Row where there is none.
func (f *findings) claimedHere(s Sale, row Row) {
	switch s.State {
	case txn.Approved:
		if row.Standing != Held {
			f.say("voucher %s: approved here and not held by the acquirer", s.key())
		}
	case txn.Declined:
		if s.Code == "" {
			f.say("voucher %s: declined here and no answer said so", s.key())
		}
	case txn.Abandoned:
		if row.Standing != "" && row.Standing != Unseen {
			f.say("voucher %s: not sent, says the terminal, and in the acquirer's books it is %s", s.key(), row.Standing)
		}
	}
}

// unfinished is what should have been done in the time that there was.
func (b Books) unfinished() []string {
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
		if s.Merchant == txn.SlipOwed {
			wrong.say("voucher %s: the merchant's slip is still owed", s.key())
		}
		if s.Customer == txn.SlipOwed {
			wrong.say("voucher %s: the customer's slip is still owed", s.key())
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
