package scenario

import (
	"regexp"
	"strconv"
	"strings"

	"posagent/txnstore/txn"
)

// Slip is one piece of paper as a person reads it.
type Slip struct {
	Name      string // its file, or its place in the pile
	Text      string
	Batch     uint32 // 批次号; 0 where none can be read
	STAN      uint32 // 凭证号, the voucher number; 0 where none can be read
	Amount    string // "12.50"
	Kind      txn.Kind
	Reversal  bool // 冲正通知: says that nothing was charged
	Unknown   bool // 结果未知: says that nobody knows yet
	Duplicate bool // 重打印: may not be the first
	Merchant  bool // the merchant's copy
	Report    bool // 批结算单: of a batch, and of no transaction
	Torn      bool // power failed while it was printed
	Smudged   bool // it was printed while the printer's line lost or changed bytes: what stands on it proves nothing
}

// ReadSlip looks at a slip with a merchant's eyes: it knows words, not fields.
func ReadSlip(name, text string) Slip {
	s := Slip{Name: name, Text: text, Kind: txn.Sale}
	switch {
	case strings.Contains(text, "消费撤销"):
		s.Kind = txn.Void
	case strings.Contains(text, "退货"):
		s.Kind = txn.Refund
	}
	s.Reversal = strings.Contains(text, "冲正通知") // the reason of a reversal stands on a slip of doubt too
	s.Duplicate = strings.Contains(text, "重打印")
	s.Merchant = strings.Contains(text, "商户存根")
	s.Torn = strings.Contains(text, "-- torn --")
	s.Report = strings.Contains(text, "批结算单")
	s.Unknown = strings.Contains(text, "结果未知")
	s.Batch, s.STAN = sixDigits(batch, text), sixDigits(voucher, text)
	if found := sum.FindStringSubmatch(text); found != nil {
		s.Amount = found[1]
	}
	return s
}

// sixDigits reads a number behind its caption, 0 where there is none.
func sixDigits(caption *regexp.Regexp, text string) uint32 {
	found := caption.FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, _ := strconv.ParseUint(found[1], 10, 32) // six digits
	return uint32(n)
}

var batch = regexp.MustCompile(`批次号[^0-9]*([0-9]{6})`)

// voucher is the line with the slip number, on a sale slip and on a notice.
var voucher = regexp.MustCompile(`凭证号[^0-9]*([0-9]{6})`)

// sum is the amount, of the sale or of what was reversed.
var sum = regexp.MustCompile(`RMB *([0-9]+\.[0-9]{2})`)
