package terminal

import (
	"math/bits"
	"slices"

	"posagent/txnstore/txn"
)

// mostTried bounds the search for what explains a difference: every selection of so many doubtful transactions is tried.
const mostTried = 12

// explain looks for doubtful transactions that make up the difference between the acquirer's totals and the terminal's: a
// suspended sale that the acquirer holds counts there and not here. It returns those that explain it exactly, the fewest
// that do, and the others, at most txn.MaxDoubts in all. What is in no settlement explains nothing. Nothing is changed by it:
// people decide, with this in their hands.
func explain(c txn.Closing, doubtful []txn.Txn) (explains, others []txn.ID) {
	counted, uncounted := parted(doubtful)
	counted = counted[:min(len(counted), txn.MaxDoubts)]
	uncounted = uncounted[:min(len(uncounted), txn.MaxDoubts-len(counted))]
	chosen := 0
	if len(counted) <= mostTried && c.Own.All() != c.Host.All() {
		for selection := 1; selection < 1<<len(counted); selection++ {
			sum := c.Own
			for i, x := range counted {
				if selection&(1<<i) != 0 {
					x.State = txn.Approved // as the acquirer would have it
					sum.Add(x)
				}
			}
			if sum.All() == c.Host.All() && (chosen == 0 || ones(selection) < ones(chosen)) {
				chosen = selection
			}
		}
	}
	for i, x := range counted {
		if chosen&(1<<i) != 0 {
			explains = append(explains, x.ID)
		} else {
			others = append(others, x.ID)
		}
	}
	for _, x := range uncounted {
		others = append(others, x.ID)
	}
	slices.Sort(others)
	return explains, others
}

// parted sorts out what is held for later, or was let go: it is on neither side of a settlement.
func parted(all []txn.Txn) (counted, uncounted []txn.Txn) {
	for _, x := range all {
		if x.Kind.Settled() {
			counted = append(counted, x)
		} else {
			uncounted = append(uncounted, x)
		}
	}
	return counted, uncounted
}

func ones(n int) int { return bits.OnesCount(uint(n)) }
