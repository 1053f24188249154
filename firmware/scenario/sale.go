package scenario

import (
	"fmt"
	"strconv"

	"posagent/firmware/agent"
	"posagent/txnstore/txn"
)

// SaleFrom takes a record as it stands in the store.
func SaleFrom(x txn.Txn) Sale {
	s := Sale{Batch: x.Batch, STAN: x.STAN, Kind: x.Kind, Reference: x.Reference, Amount: x.Amount, State: x.State,
		Code: x.Answer.Code, Reason: x.Reason, Reversal: x.Tries.Code, Tries: x.Tries.Made - x.Tries.Unsent, Bearer: x.Sent.Bearer,
		Merchant: x.Slips.Merchant, Customer: x.Slips.Customer}
	for _, line := range x.Journal {
		s.Journal = append(s.Journal, line.Event)
	}
	return s
}

// SaleOf takes a record as the socket shows it.
func SaleOf(r agent.Record) (Sale, error) {
	s := Sale{Kind: r.Kind, Reference: r.Reference, State: r.State, Code: r.Code, Reason: r.Reason, Reversal: r.Reversal,
		Tries: r.Tries, Bearer: r.Bearer, Merchant: r.Merchant, Customer: r.Customer}
	for _, line := range r.Journal {
		s.Journal = append(s.Journal, line.Event)
	}
	batch, err := strconv.ParseUint(r.Batch, 10, 32)
	if err != nil {
		return s, fmt.Errorf("batch %q of a record is no number", r.Batch)
	}
	stan, err := strconv.ParseUint(r.STAN, 10, 32)
	if err != nil {
		return s, fmt.Errorf("STAN %q of a record is no number", r.STAN)
	}
	s.Batch, s.STAN = uint32(batch), uint32(stan)
	currency, err := txn.CurrencyOf(r.Currency)
	if err != nil {
		return s, err
	}
	s.Amount, err = currency.ParseAmount(r.Amount)
	return s, err
}

// String is "2 over 100.50".
func (s Sum) String() string { return fmt.Sprintf("%d over %s", s.Count, money(s.Amount)) }

// byReference finds the newest record with a reference.
func (b Books) byReference(reference string) (Sale, bool) {
	for i := len(b.Here) - 1; i >= 0; i-- {
		if b.Here[i].Reference == reference {
			return b.Here[i], true
		}
	}
	return Sale{}, false
}

// row finds what the acquirer has of a transaction.
func (b Books) row(s Sale) (Row, bool) {
	for _, r := range b.There {
		if r.key() == s.key() {
			return r, true
		}
	}
	return Row{}, false
}

// owed counts transactions by what they wait for.
func (b Books) owed(what Subject) int {
	n := 0
	for _, s := range b.Here {
		human := s.State.Owes() == txn.Human
		switch {
		case what == Suspense && human,
			what == Owed && !human && s.State.Owes() != txn.Nothing,
			what == SlipsOwed && (s.Merchant == txn.SlipOwed || s.Customer == txn.SlipOwed):
			n++
		}
	}
	return n
}
