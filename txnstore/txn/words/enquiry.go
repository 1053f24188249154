package words

import "posagent/txnstore/txn"

// The words of a balance enquiry, for the screen and for its slip.
var (
	BalanceTitle   = Pair{"余额查询", "BALANCE ENQUIRY"}
	AvailableLabel = Pair{"可用余额", "AVAILABLE BALANCE"}
	LedgerLabel    = Pair{"账面余额", "LEDGER BALANCE"}
	OtherBalance   = Pair{"余额", "BALANCE"}
	NoMoneyMoved   = Pair{"查询不涉及资金变动", "NO MONEY WAS MOVED"}
)

// OfBalance names what an amount of field 54 is.
func OfBalance(b txn.Balance) Pair {
	switch b.Type {
	case "01":
		return LedgerLabel
	case "02":
		return AvailableLabel
	}
	return OtherBalance
}

// OfEnquiry is the closing line of a balance enquiry.
func OfEnquiry(o Outcome) Pair {
	switch o {
	case OutcomeApproved:
		return Pair{"查询成功。请仅告知持卡人本人。", "The issuer has answered. The balance is for the cardholder alone."}
	case OutcomeDeclined:
		return Pair{"查询被拒绝。没有资金变动。", "The enquiry was declined. No money was moved."}
	default:
		return Pair{"查询未成功。没有资金变动，可以重新查询。", "No balance came back. No money was moved; it may be asked for again."}
	}
}
