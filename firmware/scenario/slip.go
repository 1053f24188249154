package scenario

import (
	"regexp"
	"strconv"
	"strings"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Slip is one piece of paper as a person reads it.
type Slip struct {
	Name      string // its file, or its place in the pile
	Text      string
	Batch     uint32   // 批次号; 0 where none can be read
	STAN      uint32   // 凭证号, the voucher number; 0 where none can be read
	Amount    string   // "12.50"
	Kind      txn.Kind // a sale where none can be read
	Reversal  bool     // 冲正通知: says that nothing was charged
	Unknown   bool     // 结果未知: says that nobody knows yet
	Duplicate bool     // 重打印: may not be the first
	Merchant  bool     // the merchant's copy
	Report    bool     // 批结算单: of a batch, and of no transaction
	Balance   bool     // 余额查询: of an account, and of no transaction
	Torn      bool     // power failed while it was printed
	Joined    int      // so many slips are on the piece: a cut that was lost on the line leaves them together
	Smudged   bool     // it was printed while the printer's line lost or changed bytes: what stands on it proves nothing
}

// oncePerSlip are captions that a slip has once, from its top to its end: a line that loses bytes may take some of them away.
var oncePerSlip = [...]string{"商户编号", "终端编号", "批次号", "凭证号", "日期/时间", "订单号"}

// ReadSlip looks at a slip with a merchant's eyes: it knows words, not fields.
func ReadSlip(name, text string) Slip {
	s := Slip{Name: name, Text: text, Kind: kindOn(text)}
	s.Reversal = strings.Contains(text, "冲正通知") // the reason of a reversal stands on a slip of doubt too
	s.Duplicate = strings.Contains(text, "重打印")
	s.Merchant = strings.Contains(text, "商户存根")
	s.Torn = strings.Contains(text, "-- torn --")
	s.Report = strings.Contains(text, "批结算单")
	s.Balance = strings.Contains(text, "余额查询")
	s.Unknown = strings.Contains(text, "结果未知")
	s.Batch, s.STAN = sixDigits(batch, text), sixDigits(voucher, text)
	s.Joined = 1
	for _, caption := range oncePerSlip {
		s.Joined = max(s.Joined, countOwn(caption, text))
	}
	if found := sum.FindStringSubmatch(text); found != nil {
		s.Amount = found[1]
	}
	return s
}

// countOwn counts a caption where it does not speak of the original.
func countOwn(caption, text string) (n int) {
	for {
		before, after, found := strings.Cut(text, caption)
		if !found {
			return n
		}
		if !strings.HasSuffix(before, "原") {
			n++
		}
		text = after
	}
}

// kindOn reads the kind of transaction behind its caption.
func kindOn(text string) txn.Kind {
	found := kindRow.FindStringSubmatch(text)
	if found == nil {
		return txn.Sale
	}
	for _, k := range txn.Kinds() {
		if name, known := words.OfKind(k); known && name.ZH == found[1] {
			return k
		}
	}
	return txn.Sale
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

// kindRow is the line with the kind, whose name stands below it where the paper is narrow. On the notice of a reversed sale
// it is that of the original.
var kindRow = regexp.MustCompile(`交易类型(?: ORIGINAL)?(?: TYPE)?\s+(\S+)`)

var batch = regexp.MustCompile(`批次号[^0-9]*([0-9]{6})`)

// voucher is the line with the slip number, on a sale slip and on a notice.
var voucher = regexp.MustCompile(`凭证号[^0-9]*([0-9]{6})`)

// sum is the amount, of the sale or of what was reversed.
var sum = regexp.MustCompile(`RMB *([0-9]+\.[0-9]{2})`)
