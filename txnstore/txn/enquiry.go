package txn

import (
	"fmt"
	"strconv"
	"time"
)

// Enquiry is a question for what a card's account holds, with its answer. It moves no money, so it is no transaction: it
// is in no batch, nothing is reversed or repeated for it, a power cut leaves nothing of it, and what it tells is the
// cardholder's and is written nowhere but, when they ask for it, on their slip.
type Enquiry struct {
	Terminal, Merchant, Operator string
	Batch, STAN                  uint32
	Card                         Card
	At                           time.Time
	Answer                       Answer
	Balances                     []Balance
}

// Balance is one amount of field 54.
type Balance struct {
	Account  string // two digits, "00" where the issuer names none
	Type     string // two digits: 01 ledger, 02 available
	Currency Currency
	Amount   Amount // negative where the account is in debit
}

// Available reports whether it is what the cardholder can spend.
func (b Balance) Available() bool { return b.Type == "02" }

// balanceLength is account 2, type 2, currency 3, sign 1, amount 12 (ISO 8583:1987, additional amounts).
const balanceLength = 20

// maxBalances is how many amounts a field 54 may hold.
const maxBalances = 6

// ParseBalances reads field 54. The error says what is wrong and repeats no amount.
func ParseBalances(field54 string) ([]Balance, error) {
	n := len(field54) / balanceLength
	if n < 1 || n > maxBalances || len(field54)%balanceLength != 0 {
		return nil, fmt.Errorf("field 54 has %d characters, want %d for each of 1 to %d amounts", len(field54), balanceLength, maxBalances)
	}
	var list []Balance
	for ; len(field54) > 0; field54 = field54[balanceLength:] {
		b, err := parseBalance(field54[:balanceLength])
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

func parseBalance(text string) (b Balance, err error) {
	b.Account, b.Type = text[:2], text[2:4]
	if !digits(b.Account) || !digits(b.Type) {
		return b, fmt.Errorf("field 54: account or type is not two digits")
	}
	if b.Currency, err = CurrencyOf(text[4:7]); err != nil || b.Currency.Number != text[4:7] {
		return b, fmt.Errorf("field 54: its currency is not known here")
	}
	if !digits(text[8:]) {
		return b, fmt.Errorf("field 54: the amount is not twelve digits")
	}
	amount, err := strconv.ParseInt(text[8:], 10, 64)
	if err != nil {
		return b, fmt.Errorf("field 54: the amount is not twelve digits")
	}
	switch text[7] {
	case 'C':
		b.Amount = Amount(amount)
	case 'D':
		b.Amount = -Amount(amount)
	default:
		return b, fmt.Errorf("field 54: the sign is neither C nor D")
	}
	return b, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
