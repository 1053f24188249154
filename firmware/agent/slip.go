package agent

import (
	"fmt"

	"posagent/printer/receipt"
	"posagent/txnstore/txn"
)

// SlipOf lays a transaction's slip out as it would be printed again, marked as a duplicate. No copy means the customer's
// where there is one.
func SlipOf(x txn.Txn, c txn.Copy, l receipt.Layout) (Event, error) {
	if c == "" {
		c = txn.CustomerCopy
		if x.State != txn.Approved {
			c = txn.MerchantCopy
		}
	}
	slip, err := receipt.Render(x, c, l, true)
	if err != nil {
		return Event{}, fmt.Errorf("%w; only what is approved, reversed or in suspense has a slip", err)
	}
	return Event{Event: "slip", Slip: &slip}, nil
}

func (a *Agent) slip(q Request) Event {
	x, err := a.find(q)
	if err != nil {
		return failed(err)
	}
	e, err := SlipOf(x, txn.Copy(q.Copy), a.o.Layout)
	if err != nil {
		return failed(err)
	}
	return e
}
