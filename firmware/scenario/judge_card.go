package scenario

import "posagent/txnstore/txn"

// unconfirmed holds what was approved with a card in the slot against what that card remembers: a sale that the card did not
// complete is none, whatever the acquirer said. Cards know no vouchers, so they are counted by number and amount.
func (f *findings) unconfirmed(b Books) {
	if b.Cards == nil {
		return
	}
	agreed := map[Word]int{}
	for _, w := range b.Cards {
		if w.Agreed {
			agreed[w]++
		}
	}
	for _, s := range b.Here {
		if s.Entry != txn.Inserted || !s.kind().Confirmed() || s.State != txn.Approved {
			continue
		}
		w := Word{s.Card, s.Amount, true}
		if agreed[w]--; agreed[w] < 0 {
			f.say("voucher %s: approved here and its card did not complete it", s.key())
		}
	}
}
