package linktest

import (
	"fmt"
	"maps"
	"slices"

	"posagent/txnstore/txn"
)

// Ledger is the acquirer's books, the judge of every test: what is held, for whom, and what was undone. It is plain
// data, safe to print and to write to disk: card numbers are masked, accounts go by the name of their card.
type Ledger struct {
	Next      uint64                  `json:"next"` // the last reference number given
	Accounts  map[string]AccountBook  `json:"accounts"`
	Terminals map[string]TerminalBook `json:"terminals"`
}

// AccountBook is one cardholder's account, in minor units. Opening is always Balance plus Held.
type AccountBook struct {
	Card    string     `json:"card"` // masked
	Opening txn.Amount `json:"opening"`
	Balance txn.Amount `json:"balance"`
	Held    txn.Amount `json:"held"`
}

// TerminalBook is what one terminal has sent.
type TerminalBook struct {
	Merchant string `json:"merchant"`
	Batch    uint32 `json:"batch"` // the open one
	Rows     []Row  `json:"rows"`  // oldest first
}

// Standing is what became of a row.
type Standing string

const (
	Held     Standing = "held"     // the money is held for the merchant
	Reversed Standing = "reversed" // it was held and was given back
	Refused  Standing = "declined" // never held
	Absent   Standing = "absent"   // never seen: a reversal came for it, and a sale that comes late finds the door shut
)

// Row is one sale, found again by terminal, merchant, batch and STAN.
type Row struct {
	Batch     uint32     `json:"batch"`
	STAN      uint32     `json:"stan"`
	Amount    txn.Amount `json:"amount"` // asked for, minor units
	Held      txn.Amount `json:"held"`   // held for the merchant now
	Currency  string     `json:"currency"`
	PAN       string     `json:"pan"` // masked
	Account   string     `json:"account,omitempty"`
	RRN       string     `json:"rrn,omitempty"`
	Auth      string     `json:"auth,omitempty"`
	State     Standing   `json:"state"`
	Reversals int        `json:"reversals"` // reversal requests processed for it
	Code      string     `json:"code"`      // field 39 of the answer
	Day       string     `json:"day"`       // business date, MMDD
}

// Find returns the newest row of a terminal with this STAN, whatever its batch.
func (l Ledger) Find(terminal string, stan uint32) (Row, bool) {
	rows := l.Terminals[terminal].Rows
	for i := len(rows) - 1; i >= 0; i-- {
		if rows[i].STAN == stan {
			return rows[i], true
		}
	}
	return Row{}, false
}

// HeldBy is the sum and the number of what a terminal's merchant is owed in one batch.
func (l Ledger) HeldBy(terminal string, batch uint32) (sum txn.Amount, count int) {
	for _, row := range l.Terminals[terminal].Rows {
		if row.Batch == batch && row.State == Held {
			sum, count = sum+row.Held, count+1
		}
	}
	return sum, count
}

// Check proves that no money was made or lost: every account's opening is its balance plus what is held of it, what is
// held is what the rows say, and no row appears twice.
func (l Ledger) Check() error {
	held := map[string]txn.Amount{}
	for terminal, book := range l.Terminals {
		seen := map[[2]uint32]bool{}
		for _, row := range book.Rows {
			key := [2]uint32{row.Batch, row.STAN}
			if seen[key] {
				return fmt.Errorf("terminal %s batch %06d STAN %06d stands in the books twice", terminal, row.Batch, row.STAN)
			}
			seen[key] = true
			if (row.State == Held) != (row.Held > 0) || row.Held > row.Amount {
				return fmt.Errorf("terminal %s batch %06d STAN %06d is %s and holds %d of %d", terminal, row.Batch, row.STAN, row.State, row.Held, row.Amount)
			}
			held[row.Account] += row.Held
		}
	}
	for name, account := range l.Accounts {
		if account.Balance < 0 || account.Opening != account.Balance+account.Held || account.Held != held[name] {
			return fmt.Errorf("account %s opened with %d, has %d and %d held, rows say %d", name, account.Opening, account.Balance, account.Held, held[name])
		}
		delete(held, name)
	}
	for name, sum := range held {
		if sum != 0 {
			return fmt.Errorf("account %q is not in the books and has %d held", name, sum)
		}
	}
	return nil
}

// clone shares nothing with l.
func (l Ledger) clone() Ledger {
	l.Accounts = maps.Clone(l.Accounts)
	l.Terminals = maps.Clone(l.Terminals)
	for terminal, book := range l.Terminals {
		book.Rows = slices.Clone(book.Rows)
		l.Terminals[terminal] = book
	}
	return l
}
