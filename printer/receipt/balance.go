package receipt

import (
	"errors"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Balance lays out what an account holds, for the cardholder alone: it is printed when they ask for it, once, and there
// is no copy. It refuses an enquiry that was not answered, and a layout of impossible width.
func Balance(e txn.Enquiry, l Layout) (Slip, error) {
	if err := l.Check(); err != nil {
		return Slip{}, err
	}
	if !e.Answer.Approved || len(e.Balances) == 0 {
		return Slip{}, errors.New("receipt: the enquiry has no balance to print")
	}
	p := l.page()
	p.title(words.BalanceTitle)
	p.text(l.MerchantName, centred)
	p.rule()
	p.row(words.MerchantNo, e.Merchant)
	p.row(words.TerminalNo, e.Terminal)
	p.row(words.CardNo, e.Card.PAN.Masked()+entryLetter(e.Card.Entry))
	p.row(words.IssuerName, e.Answer.Issuer)
	p.row(words.VoucherNo, sixDigits(e.STAN))
	p.row(words.Reference, e.Answer.RRN)
	p.row(words.DateTime, moment(txn.Txn{Began: e.At, Answer: e.Answer}, l.Zone))
	p.rule()
	for _, b := range e.Balances {
		p.say(words.OfBalance(b), Line{})
		p.text(currencyMark(b.Currency)+" "+b.Currency.Format(b.Amount), Line{Align: Right, Bold: true})
	}
	p.rule()
	p.sentence(words.NoMoneyMoved, centred)
	p.sentence(words.NotAReceipt, strong)
	return p.slip(), nil
}
