package agent

import (
	"cmp"
	"slices"
	"strconv"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// RecordOf shows a transaction.
func RecordOf(x txn.Txn) *Record {
	r := &Record{
		ID: uint64(x.ID), State: x.State, Outcome: words.OutcomeIn(x.Kind, x.State), Reference: x.Reference, Kind: x.Kind,
		Batch: sixDigits(x.Batch), STAN: sixDigits(x.STAN),
		Amount: x.Currency.Format(x.Amount), Currency: x.Currency.Letters, Card: cmp.Or(x.Code.Masked(), x.Card.PAN.Masked()), Platform: x.Code.Platform(), Entry: x.Card.Entry,
		Code: x.Answer.Code, RRN: x.Answer.RRN, AuthCode: x.Answer.AuthCode, HostDate: x.Answer.HostDate,
		Reason: x.Reason, Reversal: x.Tries.Code, Tries: x.Tries.Made - x.Tries.Unsent,
		Bearer: x.Sent.Bearer, Written: x.Sent.Written, Total: x.Sent.Total, Address: x.Sent.Address,
		Handed: x.Sent.Handed, Acked: x.Sent.Acked,
		Merchant: x.Slips.Merchant, Customer: x.Slips.Customer, Approver: x.Approver, Began: momentOf(x.Began), Boot: x.Boot,
	}
	if o := x.Original; o != (txn.Original{}) {
		r.Original = &Original{ID: uint64(o.ID), RRN: o.RRN, Auth: o.AuthCode, Date: o.Date}
		if o.STAN != 0 {
			r.Original.Batch, r.Original.STAN = sixDigits(o.Batch), sixDigits(o.STAN)
		}
	}
	if x.Resolved != (txn.Resolution{}) {
		r.Resolved = &Resolution{x.Resolved.Charged, x.Resolved.Evidence, x.Resolved.By, x.Resolved.With}
	}
	if len(x.Journal) > 0 {
		r.Journal = make([]Entry, 0, len(x.Journal))
	}
	for _, l := range x.Journal {
		r.Journal = append(r.Journal, Entry{momentOf(l.At), l.Boot, l.Event})
	}
	return r
}

// RecordsOf shows the newest transactions, newest first. What undoes a sale is newer than it, so each sale among them
// comes with all that undid it.
func RecordsOf(newest []txn.Txn) []Record {
	list := []Record{}
	undone, cancelled := map[txn.ID][]txn.Txn{}, map[txn.ID]bool{}
	for _, x := range newest {
		r := RecordOf(x)
		if x.Kind == txn.CompletionCancel && x.State == txn.Approved {
			cancelled[x.Original.ID] = true // and its pre-authorisation is in force again
		}
		if x.Undoes(x.Original.ID) || x.Follows(x.Original.ID) && !cancelled[x.ID] {
			undone[x.Original.ID] = append(undone[x.Original.ID], x)
		}
		r.undone(x, undone[x.ID])
		list = append(list, *r)
	}
	return list
}

// undone says what took money back, or used a pre-authorisation up, and what is left of a charge for certain.
func (r *Record) undone(sale txn.Txn, by []txn.Txn) (left txn.Amount) {
	left = sale.Amount
	for _, x := range by {
		r.UndoneBy = append(r.UndoneBy, undoOf(x))
		if x.State == txn.Approved {
			left -= x.Amount
		}
	}
	if len(by) > 0 && sale.Kind.Charges() {
		r.Left = sale.Currency.Format(left)
	}
	return left
}

func undoOf(x txn.Txn) Undo {
	return Undo{uint64(x.ID), x.Kind, x.State, sixDigits(x.STAN), x.Currency.Format(x.Amount)}
}

// Shown is a record with what undid it; since visits the transactions from a number on.
func Shown(x txn.Txn, since func(txn.ID, func(txn.Txn) error) error) (Event, error) {
	e := outcome(x, nil)
	if !x.Kind.Charges() && x.Kind != txn.PreAuth {
		return e, nil
	}
	var by []txn.Txn
	err := since(x.ID+1, func(later txn.Txn) error {
		if later.Kind == txn.CompletionCancel && later.State == txn.Approved {
			by = slices.DeleteFunc(by, func(c txn.Txn) bool { return c.ID == later.Original.ID && c.Follows(x.ID) })
		}
		if later.Undoes(x.ID) || later.Follows(x.ID) {
			by = append(by, later)
		}
		return nil
	})
	if e.Txn.undone(x, by) == 0 && x.State == txn.Approved && x.Kind.Charges() {
		text := words.GivenBackSale
		e.Text = &text
	}
	return e, err
}

// shown answers "show". A record that cannot be read, among those that are newer, does not hide this one.
func (a *Agent) shown(x txn.Txn) Event {
	e, err := Shown(x, a.store.Since)
	if err != nil {
		e.Error, e.Fault = err.Error(), faultOf(err)
	}
	return e
}

func sixDigits(n uint32) string {
	digits := strconv.FormatUint(uint64(n), 10)
	return "000000"[min(len(digits), 6):] + digits
}
