package linktest

import (
	"fmt"
	"slices"

	"posagent/txnstore/txn"
)

// Sum, Sums and Totals are what a batch comes to, by side and by organisation.
type (
	Sum struct {
		Count  int        `json:"count"`
		Amount txn.Amount `json:"amount"`
	}
	Sums struct {
		Debit  Sum `json:"debit"`
		Credit Sum `json:"credit"`
	}
	Totals struct {
		Domestic Sums `json:"domestic"`
		Foreign  Sums `json:"foreign"`
	}
)

func (s Sums) digits() string {
	return fmt.Sprintf("%012d%03d%012d%03d", s.Debit.Amount, s.Debit.Count, s.Credit.Amount, s.Credit.Count)
}

// Closing is the settlement of one batch of a terminal.
type Closing struct {
	Batch    uint32   `json:"batch"`
	Asked    int      `json:"asked"`    // 0500 that came
	Host     Totals   `json:"host"`     // of these books, when it was asked last
	Terminal Totals   `json:"terminal"` // as it said
	Equal    bool     `json:"equal"`
	Details  []Detail `json:"details,omitempty"` // each record once, in the order in which it came first
	Copies   int      `json:"copies,omitempty"`  // records that came again
	Ended    bool     `json:"ended"`

	Certificates []Detail `json:"certificates,omitempty"` // of chips, each once
	Told         int      `json:"told"`                   // records, by the end message
}

// Detail is one record that a terminal told after its totals had differed.
type Detail struct {
	STAN    uint32     `json:"stan"`
	Amount  txn.Amount `json:"amount"`
	Foreign bool       `json:"foreign,omitempty"`
	Verdict string     `json:"verdict"` // match, differs, absent
}

// totals are what the rows of a batch come to. A sale counts as approved, whatever was given back of it since; what gave it
// back counts on the other side; what was reversed counts nowhere.
func (b *books) totals(terminal string, batch uint32) (t Totals) {
	for _, row := range b.Terminals[terminal].Rows {
		if row.Batch != batch || !row.Stands() || !row.Kind.counts() {
			continue
		}
		side := &t.Foreign
		if row.Scheme == ownScheme || row.Scheme == "" { // older books knew no other
			side = &t.Domestic
		}
		sum := &side.Debit
		if row.Kind.credits() {
			sum = &side.Credit
		}
		sum.Count++
		sum.Amount += row.amount()
	}
	return t
}

// amount is what a row that stands came to when it was approved.
func (r Row) amount() txn.Amount { return r.Held + r.Back }

// ownScheme is the acquirer's own card organisation.
const ownScheme = "CUP"

// schemeOf is a host's table of number ranges, as long as the test cards need it (ISO/IEC 7812).
func schemeOf(pan txn.PAN) string {
	switch masked := pan.Masked(); {
	case masked == "":
		return ""
	case masked[0] == '4':
		return "VIS"
	case masked[0] == '5':
		return "MCC"
	default:
		return ownScheme
	}
}

// find returns the settlement of a batch that was asked for.
func (t TerminalBook) find(batch uint32) (Closing, bool) {
	i := slices.IndexFunc(t.Closings, func(c Closing) bool { return c.Batch == batch })
	if i < 0 {
		return Closing{}, false
	}
	return t.Closings[i], true
}

func (t TerminalBook) closing(batch uint32) Closing {
	c, known := t.find(batch)
	if !known {
		c.Batch = batch
	}
	return c
}

// keep puts a settlement in its place.
func (b *books) keep(terminal string, c Closing) {
	book := b.Terminals[terminal]
	i := slices.IndexFunc(book.Closings, func(old Closing) bool { return old.Batch == c.Batch })
	if i < 0 {
		book.Closings = append(book.Closings, c)
	} else {
		book.Closings[i] = c
	}
	b.Terminals[terminal] = book
}

// takeCertificate keeps one once, and answers its copy 94.
func (b *books) takeCertificate(terminal string, c Closing, d Detail) string {
	if slices.ContainsFunc(c.Certificates, func(old Detail) bool { return old.STAN == d.STAN }) {
		c.Copies++
		b.keep(terminal, c)
		return codeDuplicate
	}
	c.Certificates = append(c.Certificates[:len(c.Certificates):len(c.Certificates)], d)
	b.keep(terminal, c)
	return codeApproved
}

// takeDetails keeps each record once; a message of nothing but copies is answered 94.
func (b *books) takeDetails(terminal string, c Closing, details []Detail) string {
	fresh := 0
	for _, d := range details {
		if slices.ContainsFunc(c.Details, func(old Detail) bool { return old.STAN == d.STAN }) {
			c.Copies++
			continue
		}
		c.Details = append(c.Details[:len(c.Details):len(c.Details)], d)
		fresh++
	}
	b.keep(terminal, c)
	if fresh == 0 {
		return codeDuplicate
	}
	return codeApproved
}
