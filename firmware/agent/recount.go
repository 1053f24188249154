package agent

import (
	"fmt"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// Recount holds the kept totals against the records, for people and scripts.
type Recount struct {
	Agrees  bool    `json:"agrees"`
	Records int     `json:"records"`
	Bad     int     `json:"unreadable"` // records and totals
	Kept    []Total `json:"kept"`
	Counted []Total `json:"counted"`
}

// Total is what a batch comes to in one currency.
type Total struct {
	Batch    string `json:"batch"`
	Currency string `json:"currency"`
	Credit   bool   `json:"credit,omitempty"` // voids and refunds
	Approved Sum    `json:"approved"`         // held by the acquirer
	Open     Sum    `json:"open"`             // not proven yet
	Void     Sum    `json:"void"`             // nothing charged, undone, or closed by people
}

// Sum is a number of transactions and what they come to.
type Sum struct {
	Count  int    `json:"count"`
	Amount string `json:"amount"`
}

// RecountOf shows a recount.
func RecountOf(r txnstore.Recount) *Recount {
	return &Recount{r.Agrees(), r.Records, r.Bad, totalsOf(r.Kept), totalsOf(r.Counted)}
}

func totalsOf(all []txnstore.Total) []Total {
	list := []Total{}
	for _, t := range all {
		c, err := txn.CurrencyOf(t.Currency)
		if err != nil {
			c = txn.Currency{Number: t.Currency, Letters: t.Currency} // in minor units
		}
		sum := func(s txnstore.Sum) Sum { return Sum{s.Count, c.Format(s.Amount)} }
		list = append(list, Total{fmt.Sprintf("%06d", t.Batch), c.Letters, t.Credit, sum(t.Approved), sum(t.Open), sum(t.Void)})
	}
	return list
}

// mostTotals keeps an answer within a line: the newest batches are shown, all of them are compared.
const mostTotals = 100

func (a *Agent) recount() Event {
	count, err := a.store.Recount()
	if err != nil {
		return failed(err)
	}
	r := RecountOf(count)
	r.Kept, r.Counted = r.Kept[max(0, len(r.Kept)-mostTotals):], r.Counted[max(0, len(r.Counted)-mostTotals):]
	return Event{Event: "recount", Recount: r}
}
