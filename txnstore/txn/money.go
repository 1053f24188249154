package txn

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Amount is money in the minor units of its currency (fen, cents). ISO 8583 field 4 carries twelve digits.
type Amount int64

// MaxAmount is the largest amount that field 4 can carry.
const MaxAmount Amount = 999_999_999_999

// Currency is an ISO 4217 currency as a terminal needs it.
type Currency struct {
	Number   string // three digits, field 49: "156"
	Letters  string // three letters, for people: "CNY"
	Exponent int    // decimal places of the minor unit
}

var currencies = []Currency{
	{"156", "CNY", 2}, {"344", "HKD", 2}, {"446", "MOP", 2}, {"392", "JPY", 0}, {"702", "SGD", 2},
	{"826", "GBP", 2}, {"840", "USD", 2}, {"978", "EUR", 2}, {"414", "KWD", 3},
}

// CurrencyOf finds a currency by its ISO 4217 number ("156") or letters ("CNY").
func CurrencyOf(code string) (Currency, error) {
	for _, c := range currencies {
		if c.Number == code || c.Letters == strings.ToUpper(code) {
			return c, nil
		}
	}
	return Currency{}, fmt.Errorf("currency %q is not known: use an ISO 4217 code such as CNY or 156", code)
}

// ErrAmount is wrapped by every refusal of an amount.
var ErrAmount = errors.New("amount not accepted")

// ParseAmount reads what a person typed ("12.50") as minor units. It refuses a sign, zero, anything but digits and one
// point, more decimals than the currency has, and more than twelve digits.
func (c Currency) ParseAmount(text string) (Amount, error) {
	refuse := func(why string) (Amount, error) {
		return 0, fmt.Errorf("%w: %q %s; write it like %s", ErrAmount, clip(text, 24), why, c.Format(1250))
	}
	whole, decimals, pointed := strings.Cut(text, ".")
	switch {
	case text == "":
		return refuse("is empty")
	case strings.HasPrefix(text, "-"):
		return refuse("is negative")
	case whole == "" || pointed && decimals == "":
		return refuse("has no digit on one side of the point")
	case strings.Trim(whole+decimals, "0123456789") != "":
		return refuse("is not a plain number")
	case len(decimals) > c.Exponent:
		return refuse(fmt.Sprintf("has %d decimals and %s has %d", len(decimals), c.Letters, c.Exponent))
	}
	digits := strings.TrimLeft(whole+decimals+strings.Repeat("0", c.Exponent-len(decimals)), "0")
	switch {
	case digits == "":
		return refuse("is zero")
	case len(digits) > 12:
		return refuse("is longer than twelve digits")
	}
	minor, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return refuse("is not a plain number")
	}
	return Amount(minor), nil
}

// Format writes an amount with the currency's decimals and no separators: "1250.00".
func (c Currency) Format(a Amount) string {
	sign := ""
	if a < 0 {
		sign, a = "-", -a
	}
	digits := fmt.Sprintf("%0*d", c.Exponent+1, int64(a))
	if c.Exponent == 0 {
		return sign + digits
	}
	point := len(digits) - c.Exponent
	return sign + digits[:point] + "." + digits[point:]
}

// Valid reports whether a can be the amount of a transaction.
func (a Amount) Valid() bool { return a > 0 && a <= MaxAmount }

func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	return s[:max] + "…"
}
