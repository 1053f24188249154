package scenario

import (
	"cmp"
	"fmt"
	"strconv"

	"posagent/firmware/agent"
	"posagent/txnstore/txn"
)

// SaleFrom takes a record as it stands in the store.
func SaleFrom(x txn.Txn) Sale {
	s := Sale{Batch: x.Batch, STAN: x.STAN, Kind: x.Kind, Of: Voucher{x.Original.Batch, x.Original.STAN}, Reference: x.Reference, Amount: x.Amount, State: x.State, Charged: x.Resolved.Charged,
		Code: x.Answer.Code, Reason: x.Reason, Reversal: x.Tries.Code, Tries: x.Tries.Made - x.Tries.Unsent, Bearer: x.Sent.Bearer, Entry: x.Card.Entry, Card: cmp.Or(x.Code.Masked(), x.Card.PAN.Masked()),
		Merchant: x.Slips.Merchant, Customer: x.Slips.Customer}
	for _, line := range x.Journal {
		s.Journal = append(s.Journal, line.Event)
	}
	return s
}

// SaleOf takes a record as the socket shows it.
func SaleOf(r agent.Record) (Sale, error) {
	s := Sale{Kind: r.Kind, Reference: r.Reference, State: r.State, Code: r.Code, Reason: r.Reason, Reversal: r.Reversal,
		Tries: r.Tries, Bearer: r.Bearer, Entry: r.Entry, Card: r.Card, Merchant: r.Merchant, Customer: r.Customer}
	s.Charged = r.Resolved != nil && r.Resolved.Charged
	for _, line := range r.Journal {
		s.Journal = append(s.Journal, line.Event)
	}
	own, err := voucherOf(r.Batch, r.STAN)
	if err != nil {
		return s, err
	}
	s.Batch, s.STAN = own.Batch, own.STAN
	if o := r.Original; o != nil && o.STAN != "" {
		if s.Of, err = voucherOf(o.Batch, o.STAN); err != nil {
			return s, err
		}
	}
	currency, err := txn.CurrencyOf(r.Currency)
	if err != nil {
		return s, err
	}
	s.Amount, err = currency.ParseAmount(r.Amount)
	return s, err
}

func voucherOf(batch, stan string) (Voucher, error) {
	b, err := strconv.ParseUint(batch, 10, 32)
	if err != nil {
		return Voucher{}, fmt.Errorf("batch %q of a record is no number", batch)
	}
	n, err := strconv.ParseUint(stan, 10, 32)
	if err != nil {
		return Voucher{}, fmt.Errorf("STAN %q of a record is no number", stan)
	}
	return Voucher{uint32(b), uint32(n)}, nil
}

// String is "2 over 100.50".
func (s Sum) String() string { return fmt.Sprintf("%d over %s", s.Count, money(s.Amount)) }

// sides is "2 over 100.50", and " less 1 over 12.50" where something was given back.
func sides(s txn.Sums) string {
	if s.Credit == (txn.Sum{}) {
		return Sum(s.Debit).String()
	}
	return Sum(s.Debit).String() + " less " + Sum(s.Credit).String()
}

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
