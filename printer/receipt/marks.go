package receipt

import "posagent/txnstore/txn"

// entryLetter is how the card was read, as slips write it after the number.
func entryLetter(e txn.Entry) string {
	switch e {
	case txn.Swiped, txn.Fallback:
		return " /S"
	case txn.Inserted:
		return " /I"
	case txn.Contactless, txn.Tapped:
		return " /C"
	case txn.Keyed:
		return " /K"
	}
	return ""
}

// currencyMark is what slips write before an amount: the yuan is RMB in the trade, the others go by their letters.
func currencyMark(c txn.Currency) string {
	if c.Letters == "CNY" {
		return "RMB"
	}
	return c.Letters
}
