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
	Next      uint64                  `json:"next"`           // the last reference number given
	Days      int                     `json:"days,omitempty"` // business days that the host's clock was put forward
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

	Closings []Closing `json:"closings,omitempty"` // settlements, oldest first
}

// Standing is what became of a row.
type Standing string

const (
	Held     Standing = "held"     // the money is held for the merchant, all of it or what refunds have left
	Voided   Standing = "voided"   // a sale whose void stands
	Refunded Standing = "refunded" // a sale that refunds have given back wholly
	Given    Standing = "given"    // a void or a refund that stands: its money went back to the card

	Completed Standing = "completed" // a pre-authorisation whose completion stands in its place
	Cancelled Standing = "cancelled" // a pre-authorisation whose cancellation stands
	Lapsed    Standing = "lapsed"    // one that came back into force and found the account empty
	Done      Standing = "done"      // the cancellation of a pre-authorisation that stands
	Reversed  Standing = "reversed"  // it stood, and was undone
	Refused   Standing = "declined"  // never stood
	Absent    Standing = "absent"    // never seen: a reversal came for it, and a request that comes late finds the door shut
)

// Kind is what a row is.
type Kind string

const (
	Sale             Kind = "" // books of older programs hold nothing else
	Void             Kind = "void"
	Refund           Kind = "refund"
	PreAuth          Kind = "preauth"
	PreAuthCancel    Kind = "preauth-cancel"
	Completion       Kind = "completion"
	CompletionCancel Kind = "completion-cancel"
	CompletionNotice Kind = "completion-notice"
	OfflineSale      Kind = "offline-sale"
)

// credits reports whether a row of this kind gives a merchant's money back.
func (k Kind) credits() bool { return k == Void || k == Refund || k == CompletionCancel }

// counts reports whether it is in a settlement at all: what is held for later is not.
func (k Kind) counts() bool { return k != PreAuth && k != PreAuthCancel }

// pays reports whether it is what a merchant is paid by.
func (k Kind) pays() bool { return k.counts() && !k.credits() }

func (k Kind) String() string {
	if k == Sale {
		return "sale"
	}
	return string(k)
}

// Voucher is how one row calls another of the same terminal.
type Voucher struct {
	Batch uint32 `json:"batch"`
	STAN  uint32 `json:"stan"`
}

// Row is one transaction, found again by terminal, merchant, batch and STAN.
type Row struct {
	Batch     uint32     `json:"batch"`
	STAN      uint32     `json:"stan"`
	Kind      Kind       `json:"kind,omitempty"`
	Of        Voucher    `json:"of,omitzero"`    // of a void or refund: its sale
	Amount    txn.Amount `json:"amount"`         // asked for, minor units
	Held      txn.Amount `json:"held"`           // held for the merchant now
	Back      txn.Amount `json:"back,omitempty"` // given back: of a sale by its void and refunds, of those what they gave
	Currency  string     `json:"currency"`
	PAN       string     `json:"pan"` // masked
	Scheme    string     `json:"scheme,omitempty"`
	Account   string     `json:"account,omitempty"`
	RRN       string     `json:"rrn,omitempty"`
	Auth      string     `json:"auth,omitempty"`
	State     Standing   `json:"state"`
	Reversals int        `json:"reversals"`      // reversal requests processed for it
	Code      string     `json:"code"`           // field 39 of the answer
	Day       string     `json:"day"`            // business date, MMDD
	Paid      string     `json:"paid,omitempty"` // digest of the payment code that came with it, if one did
	Sent      string     `json:"sent,omitempty"` // by the terminal's clock, MMDDhhmmss in GMT, where its messages say so
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
		if row.Batch == batch && row.State == Held && row.Kind.pays() {
			sum, count = sum+row.Held, count+1
		}
	}
	return sum, count
}

// Check proves that no money was made or lost: every account's opening is its balance plus what is held of it, what is
// held is what the rows say, what was given back of a sale is what its void and its refunds gave, and no row appears twice.
func (l Ledger) Check() error {
	held := map[string]txn.Amount{}
	for terminal, book := range l.Terminals {
		if err := book.check(held); err != nil {
			return fmt.Errorf("terminal %s %w", terminal, err)
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

// check adds up what the rows hold, by account.
func (t TerminalBook) check(held map[string]txn.Amount) error {
	for i, c := range t.Closings {
		stans := map[uint32]bool{}
		for _, d := range c.Details {
			if stans[d.STAN] {
				return fmt.Errorf("batch %06d was told STAN %06d twice and counts it twice", c.Batch, d.STAN)
			}
			stans[d.STAN] = true
		}
		if c.Ended && c.Batch >= t.Batch || i > 0 && c.Batch <= t.Closings[i-1].Batch || c.Equal && len(c.Details) > 0 {
			return fmt.Errorf("the settlement of batch %06d does not fit, batch %06d is open", c.Batch, t.Batch)
		}
	}
	back := map[Voucher]txn.Amount{}
	rows := map[Voucher]Row{}
	for _, row := range t.Rows {
		key := Voucher{row.Batch, row.STAN}
		if _, twice := rows[key]; twice {
			return fmt.Errorf("batch %06d STAN %06d stands in the books twice", row.Batch, row.STAN)
		}
		rows[key] = row
		if !row.sound() {
			return fmt.Errorf("batch %06d STAN %06d, a %s, is %s and holds %d, gave back %d, of %d", row.Batch, row.STAN, row.Kind, row.State, row.Held, row.Back, row.Amount)
		}
		held[row.Account] += row.Held
		if row.Kind.credits() {
			back[row.Of] += row.Back
		}
	}
	for key, row := range rows {
		if row.Kind.pays() && row.Back != back[key] {
			return fmt.Errorf("batch %06d STAN %06d gave back %d, its void and refunds say %d", row.Batch, row.STAN, row.Back, back[key])
		}
		if !row.Kind.credits() || row.Back == 0 {
			continue
		}
		if sale, known := rows[row.Of]; !known || !sale.Kind.pays() || sale.Account != row.Account {
			return fmt.Errorf("batch %06d STAN %06d gave back what is no sale of that account", row.Batch, row.STAN)
		}
	}
	return checkHolds(rows)
}

// checkHolds proves that what was held for later is held, or was turned into exactly one thing.
func checkHolds(rows map[Voucher]Row) error {
	became := map[Voucher][]Standing{}
	for _, row := range rows {
		switch {
		case (row.Kind == Completion || row.Kind == CompletionNotice) && (row.State == Held || row.State == Refunded):
			became[row.Of] = append(became[row.Of], Completed)
		case row.Kind == PreAuthCancel && row.State == Done:
			became[row.Of] = append(became[row.Of], Cancelled)
		}
	}
	for key, row := range rows {
		ended := row.State == Completed || row.State == Cancelled
		if row.Kind != PreAuth && (ended || row.State == Lapsed) || row.Kind != PreAuthCancel && row.State == Done {
			return fmt.Errorf("batch %06d STAN %06d, a %s, is %s", row.Batch, row.STAN, row.Kind, row.State)
		}
		if row.Kind != PreAuth {
			continue
		}
		if ended && (len(became[key]) != 1 || became[key][0] != row.State) || !ended && len(became[key]) > 0 {
			return fmt.Errorf("batch %06d STAN %06d, a pre-authorisation, is %s and became %v", row.Batch, row.STAN, row.State, became[key])
		}
	}
	return nil
}

// Stands reports whether the row counts: what was approved and not reversed, whatever undid or followed it since.
func (r Row) Stands() bool {
	switch r.State {
	case Held, Voided, Refunded, Given, Completed, Cancelled, Lapsed, Done:
		return true
	}
	return false
}

// sound holds a row's money against its standing.
func (r Row) sound() bool {
	if r.Held < 0 || r.Back < 0 || r.Held+r.Back > r.Amount {
		return false
	}
	switch r.State {
	case Held:
		return !r.Kind.credits() && r.Kind != PreAuthCancel && r.Held > 0 && (r.Kind != PreAuth || r.Back == 0)
	case Voided, Refunded:
		return r.Kind.pays() && r.Held == 0 && r.Back > 0
	case Given:
		return r.Kind.credits() && r.Held == 0 && r.Back == r.Amount
	default:
		return r.Held == 0 && r.Back == 0
	}
}

// clone shares nothing with l.
func (l Ledger) clone() Ledger {
	l.Accounts = maps.Clone(l.Accounts)
	l.Terminals = maps.Clone(l.Terminals)
	for terminal, book := range l.Terminals {
		book.Rows = slices.Clone(book.Rows)
		book.Closings = slices.Clone(book.Closings)
		l.Terminals[terminal] = book
	}
	return l
}
