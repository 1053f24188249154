package scenario

import (
	"regexp"
	"strconv"
	"strings"
)

// Slip is one piece of paper as a person reads it.
type Slip struct {
	Name      string // its file, or its place in the pile
	Text      string
	STAN      uint32 // the voucher number on it; 0 where there is none
	Amount    string // "12.50"
	Reversal  bool   // 冲正通知: says that nothing was charged
	Duplicate bool   // 重打印: may not be the first
	Merchant  bool   // the merchant's copy
	Torn      bool   // power failed while it was printed
}

// ReadSlip looks at a slip with a merchant's eyes: it knows words, not fields.
func ReadSlip(name, text string) Slip {
	s := Slip{Name: name, Text: text}
	s.Reversal = strings.Contains(text, "冲正")
	s.Duplicate = strings.Contains(text, "重打印")
	s.Merchant = strings.Contains(text, "商户存根")
	s.Torn = strings.Contains(text, "-- torn --")
	if found := voucher.FindStringSubmatch(text); found != nil {
		n, _ := strconv.ParseUint(found[1], 10, 32) // six digits
		s.STAN = uint32(n)
	}
	if found := sum.FindStringSubmatch(text); found != nil {
		s.Amount = found[1]
	}
	return s
}

// voucher is the line with the slip number, on a sale slip and on a notice.
var voucher = regexp.MustCompile(`凭证号[^0-9]*([0-9]{6})`)

// sum is the amount, of the sale or of what was reversed.
var sum = regexp.MustCompile(`RMB *([0-9]+\.[0-9]{2})`)
