package scenario

import (
	"strings"

	"posagent/txnstore/txn"
)

// totals adds up both sides, each batch to the cent. What the terminal cannot prove yet may be held by the acquirer, and is
// then counted apart; everything else is equal. Where a side keeps totals of its own, they are what its records say.
func (f *findings) totals(b Books) {
	here, there, open := map[uint32]Sum{}, map[uint32]Sum{}, map[uint32]Sum{}
	unproven := map[key]bool{}
	for _, s := range b.Here {
		switch {
		case s.State == txn.Approved:
			here[s.Batch] = here[s.Batch].plus(s.Amount)
		case s.State == txn.Suspense || s.State.Open():
			unproven[s.key()] = true
		}
	}
	for _, row := range b.There {
		if row.Standing != Held {
			continue
		}
		there[row.Batch] = there[row.Batch].plus(row.Held)
		if unproven[row.key()] {
			open[row.Batch] = open[row.Batch].plus(row.Held)
		}
	}
	for n := range merged(here, there) {
		theirs := Sum{there[n].Count - open[n].Count, there[n].Amount - open[n].Amount}
		if here[n] != theirs {
			f.say("batch %06d: the totals differ: %s here, %s there", n, here[n], theirs)
		}
	}
	for _, kept := range b.Batches {
		if kept.Here != here[kept.Number] {
			f.say("batch %06d: the terminal's total is %s and its records say %s", kept.Number, kept.Here, here[kept.Number])
		}
		if kept.There != there[kept.Number] {
			f.say("batch %06d: the acquirer's total is %s and its rows say %s", kept.Number, kept.There, there[kept.Number])
		}
	}
}

func merged(a, b map[uint32]Sum) map[uint32]bool {
	all := map[uint32]bool{}
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
		if (row.Standing == Held) != (row.Held > 0) || row.Held > row.Amount {
			f.say("voucher %s is %s in the acquirer's books and holds %s of %s", row.key(), row.Standing, money(row.Held), money(row.Amount))
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

// Cause says in few words why a transaction waits for people, or nothing where its record does not. Tries is how many
// reversals must have been made before they are spent, 0 where that is not known.
func Cause(s Sale, tries int) string {
	journal := strings.Join(s.Journal, "\n")
	switch {
	case s.State != txn.Suspense:
		return ""
	case s.Reversal == "25" && strings.Contains(journal, "25 after a day change proves nothing"):
		return "not found after a day change"
	case s.Tries < max(1, tries) || !strings.Contains(journal, "tries spent, people must look"):
		return ""
	case s.Reversal == "":
		return "reversal never answered"
	default:
		return "reversal refused " + s.Reversal
	}
}
