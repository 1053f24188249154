package linktest

import (
	"fmt"
	"time"

	"posagent/txnstore/txn"
)

// rowKey is how a host finds an original: merchant, terminal, batch and STAN. A terminal has one merchant here, and a
// message of another merchant is refused before it reaches the books.
type rowKey struct {
	terminal    string
	batch, stan uint32
}

// books is a ledger open for business. Its owner holds the lock.
type books struct {
	Ledger
	index map[rowKey]int // of Rows
}

// entry is a request, or the reversal of one, as read from the message.
type entry struct {
	rowKey
	kind     Kind
	of       Voucher // of a void or the cancellation of a completion: what it undoes
	rrn      string  // of those and of a refund: the original's reference number
	date     string  // of a refund and of what follows a pre-authorisation: the original's date, MMDD
	auth     string
	amount   txn.Amount
	currency string
	pan      txn.PAN
	expiry   string // YYMM
	pin      []byte // field 52; nil without a PIN
	scanned  bool   // no card
	code     string // the payment code, of a sale
	now      time.Time
	sent     string // field 7, where the profile has it
}

// openBooks continues a ledger. Accounts and terminals that it does not know are opened; those it knows keep what it
// says of them, and those that the configuration no longer names stay in it: money does not vanish from books.
func openBooks(l Ledger, accounts map[string]Account, terminals map[string]string, batch uint32) books {
	b := books{Ledger: l.clone(), index: map[rowKey]int{}}
	if b.Accounts == nil {
		b.Accounts = map[string]AccountBook{}
	}
	if b.Terminals == nil {
		b.Terminals = map[string]TerminalBook{}
	}
	for name, account := range accounts {
		if _, open := b.Accounts[name]; !open {
			b.Accounts[name] = AccountBook{Card: account.PAN.Masked(), Opening: account.Balance, Balance: account.Balance}
		}
	}
	for terminal, merchant := range terminals {
		book, open := b.Terminals[terminal]
		if !open {
			book.Batch = batch
		}
		book.Merchant = merchant
		b.Terminals[terminal] = book
	}
	for terminal, book := range b.Terminals {
		for i, row := range book.Rows {
			b.index[rowKey{terminal, row.Batch, row.STAN}] = i
		}
	}
	return b
}

func (b *books) row(key rowKey) (Row, bool) {
	i, found := b.index[key]
	if !found {
		return Row{}, false
	}
	return b.Terminals[key.terminal].Rows[i], true
}

// write puts a row in its place, appending a new one.
func (b *books) write(terminal string, row Row) {
	key := rowKey{terminal, row.Batch, row.STAN}
	book := b.Terminals[terminal]
	if i, found := b.index[key]; found {
		book.Rows[i] = row
		return
	}
	b.index[key] = len(book.Rows)
	book.Rows = append(book.Rows, row)
	b.Terminals[terminal] = book
}

// sell posts a sale. The answer's code is the caller's: an approval holds the money if there is enough of it, any other
// code is a refusal that holds nothing. Approval 10 holds half.
func (b *books) sell(e entry, name, code string) Row {
	row := b.begin(e, name, code)
	holds := e.amount
	if code == codePartial {
		holds = e.amount / 2
	}
	account := b.Accounts[name]
	switch {
	case !approves(code) || holds == 0:
	case holds > account.Balance:
		row.Code = codeNoFunds
	default:
		row.State, row.Held = Held, holds
		row.Auth = fmt.Sprintf("%06d", b.Next%1_000_000)
		if e.kind == OfflineSale {
			row.Auth = e.auth // somebody gave it by telephone
		}
		b.move(name, holds)
	}
	b.write(e.terminal, row)
	return row
}

// move takes an amount from an account's balance and holds it, or gives it back where it is negative.
func (b *books) move(name string, amount txn.Amount) {
	account := b.Accounts[name]
	account.Balance, account.Held = account.Balance-amount, account.Held+amount
	b.Accounts[name] = account
}

// begin is a new row that holds nothing.
func (b *books) begin(e entry, name, code string) Row {
	b.Next++
	return Row{Batch: e.batch, STAN: e.stan, Kind: e.kind, Of: e.of, Amount: e.amount, Currency: e.currency, PAN: e.payer(), Scheme: e.scheme(), Account: name, Paid: paid(e.code),
		RRN: fmt.Sprintf("%012d", b.Next), State: Refused, Code: code, Day: e.day(), Sent: e.sent}
}

func (e entry) day() string { return e.now.Format("0102") }

// reverse gives a sale back, or revives the sale of a void, and returns the row and the code of the answer. An original that is not found is answered
// 00, so that the terminal stops; what was reversed, voided or refunded before, was settled, or stood on another business date, 25; what
// was never held, 01; a different amount, 64.
func (b *books) reverse(e entry) (Row, string) {
	row, found := b.row(e.rowKey)
	if !found {
		row = Row{Batch: e.batch, STAN: e.stan, Kind: e.kind, Amount: e.amount, Currency: e.currency, PAN: e.payer(),
			State: Absent, Code: codeApproved, Day: e.day()}
	}
	row.Reversals++
	code := codeApproved
	switch {
	case row.State == Absent:
	case row.Kind != e.kind, row.State == Reversed, row.touched():
		code = codeNoOriginal
	case row.Day != e.day(), row.Batch != b.Terminals[e.terminal].Batch: // what is settled is not undone
		code = codeNoOriginal
	case row.State == Refused:
		code = codeCallIssuer
	case row.Amount != e.amount:
		code = codeOtherAmount
	case row.State == Given:
		row, code = b.revive(row, e.terminal)
	case row.Kind == PreAuthCancel:
		b.holdAgain(e.terminal, row.Of)
		row.State = Reversed
	default:
		b.move(row.Account, -row.Held)
		row.State, row.Held = Reversed, 0
		if row.Kind == Completion {
			b.holdAgain(e.terminal, row.Of)
		}
	}
	b.write(e.terminal, row)
	return row, code
}
