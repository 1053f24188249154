package terminal

import (
	"math/bits"

	"posagent/txnstore/txn"
)

// mostTried bounds the search for what explains a difference: every selection of so many doubtful transactions is tried.
const mostTried = 12

// explain looks for doubtful transactions that make up the difference between the acquirer's totals and the terminal's: a
// suspended sale that the acquirer holds counts there and not here. It returns those that explain it exactly, the fewest
// that do, and the others. Nothing is changed by it: people decide, with this in their hands.
func explain(c txn.Closing, doubtful []txn.Txn) (explains, others []txn.ID) {
	doubtful = doubtful[:min(len(doubtful), txn.MaxDoubts)]
	chosen := 0
	if len(doubtful) <= mostTried {
		for selection := 1; selection < 1<<len(doubtful); selection++ {
			sum := c.Own
			for i, x := range doubtful {
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
	for i, x := range doubtful {
		if chosen&(1<<i) != 0 {
			explains = append(explains, x.ID)
		} else {
			others = append(others, x.ID)
		}
	}
	return explains, others
}

func ones(n int) int { return bits.OnesCount(uint(n)) }
