package scenario

import (
	"fmt"

	"posagent/txnstore/txn"
)

// side is one side of a batch's settlement.
type side struct {
	batch  uint32
	credit bool
}

func (s side) String() string {
	if s.credit {
		return fmt.Sprintf("batch %06d, given back", s.batch)
	}
	return fmt.Sprintf("batch %06d", s.batch)
}

// totals adds up both books, each side of each batch to the cent: what was charged, and what was given back; what is held for
// later is on neither. What the
// terminal cannot prove yet may stand in the acquirer's, and is then counted apart; everything else is equal. Where one
// keeps totals of its own, they are what its records say.
func (f *findings) totals(b Books) {
	here, there, open := map[side]Sum{}, map[side]Sum{}, map[side]Sum{}
	since := map[side]Sum{} // of here, booked by an answer that came after the settlement
	unproven := map[Voucher]bool{}
	for _, s := range b.Here {
		switch at := (side{s.Batch, s.Kind.Credits()}); {
		case !s.kind().Settled():
		case s.counts():
			here[at] = here[at].plus(s.Amount)
			if s.State == txn.Resolved {
				since[at] = since[at].plus(s.Amount)
			}
		case s.State == txn.Suspense || s.State.Open():
			unproven[s.key()] = true
		}
	}
	for _, row := range b.There {
		if !row.stands() || !row.kind().Settled() {
			continue
		}
		at := side{row.Batch, row.credits()}
		there[at] = there[at].plus(row.worth())
		if unproven[row.key()] {
			open[at] = open[at].plus(row.worth())
		}
	}
	for at := range merged(here, there) {
		theirs := Sum{there[at].Count - open[at].Count, there[at].Amount - open[at].Amount}
		if here[at] != theirs {
			f.say("%s: the totals differ: %s here, %s there", at, here[at], theirs)
		}
	}
	for _, kept := range b.Batches {
		at := side{kept.Number, kept.Credit}
		if kept.Here != here[at] {
			f.say("%s: the terminal's total is %s and its records say %s", at, kept.Here, here[at])
		}
		if kept.There != there[at] {
			f.say("%s: the acquirer's total is %s and its rows say %s", at, kept.There, there[at])
		}
	}
	for at, late := range since {
		here[at] = Sum{here[at].Count - late.Count, here[at].Amount - late.Amount}
	}
	for _, c := range b.Settled {
		f.settledTotals(c, bothSides(here, c.Batch), bothSides(there, c.Batch))
	}
}

func bothSides(of map[side]Sum, batch uint32) txn.Sums {
	return txn.Sums{Debit: txn.Sum(of[side{batch, false}]), Credit: txn.Sum(of[side{batch, true}])}
}

func merged(a, b map[side]Sum) map[side]bool {
	all := map[side]bool{}
	for n := range a {
		all[n] = true
	}
	for n := range b {
		all[n] = true
	}
	return all
}

func (s Sum) plus(a txn.Amount) Sum { return Sum{s.Count + 1, s.Amount + a} }

// accounts proves that no money was made or lost.
func (f *findings) accounts(b Books) {
	held := map[string]txn.Amount{}
	for _, row := range b.There {
		if !row.sound() {
			f.say("voucher %s is %s in the acquirer's books and holds %s, gave back %s, of %s", row.key(), row.Standing, money(row.Held), money(row.Back), money(row.Amount))
		}
		held[row.Account] += row.Held
	}
	if len(b.Accounts) == 0 {
		return // of a bench that shows none
	}
	for _, a := range b.Accounts {
		if a.Balance < 0 || a.Opening != a.Balance+a.Held {
			f.say("account %s opened with %s, has %s and %s held", a.Name, money(a.Opening), money(a.Balance), money(a.Held))
		}
		if a.Held != held[a.Name] {
			f.say("account %s has %s held and the rows say %s", a.Name, money(a.Held), money(held[a.Name]))
		}
		delete(held, a.Name)
	}
	for name, sum := range held {
		if sum != 0 {
			f.say("account %q is not in the acquirer's books and has %s held", name, money(sum))
		}
	}
}

// sound holds a row's money against its standing.
func (r Row) sound() bool {
	switch {
	case r.Held < 0 || r.Back < 0 || r.worth() > r.Amount:
		return false
	case r.Standing == Held:
		return (r.kind().Charges() || r.kind() == txn.PreAuth && r.Back == 0) && r.Held > 0
	case r.Standing == Voided || r.Standing == Refunded:
		return r.kind().Charges() && r.Held == 0 && r.Back > 0
	case r.Standing == Given:
		return r.credits() && r.Held == 0 && r.Back == r.Amount
	default:
		return r.worth() == 0
	}
}
