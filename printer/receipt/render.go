package receipt

import (
	"fmt"
	"strings"

	"posagent/txnstore/txn"
)

// Render lays out the slip that a transaction deserves in its present state. A reprint is marked at the top and at the
// bottom.
//
// It refuses a state that has no slip, a copy or kind it does not know, an amount without currency, and a layout of
// impossible width. The record is not changed.
func Render(t txn.Txn, c txn.Copy, l Layout, reprint bool) (Slip, error) {
	if err := l.Check(); err != nil {
		return Slip{}, err
	}
	copyName, ok := copyWords(c)
	if !ok {
		return Slip{}, fmt.Errorf("receipt: copy %q is not known: use %q or %q", c, txn.MerchantCopy, txn.CustomerCopy)
	}
	kind, ok := kindWords(t.Kind)
	if !ok {
		return Slip{}, fmt.Errorf("receipt: no slip for a transaction of kind %q", t.Kind)
	}
	w := writer{page: page{columns: l.Columns}, t: t, copy: c, layout: l, kind: kind, copyName: copyName}

	w.mark(reprint)
	var err error
	switch t.State {
	case txn.Approved:
		err = w.sale()
	case txn.Reversed:
		err = w.reversal()
	case txn.Suspense:
		err = w.suspense()
	default:
		err = fmt.Errorf("receipt: no slip for transaction %d: it is %s", t.ID, t.State)
	}
	if err != nil {
		return Slip{}, err
	}
	w.mark(reprint)
	return w.slip(), nil
}

// writer writes one slip.
type writer struct {
	page
	t              txn.Txn
	copy           txn.Copy
	layout         Layout
	kind, copyName words
}

var (
	centred = Line{Align: Centre}
	strong  = Line{Align: Centre, Bold: true}
	loud    = Line{Align: Centre, Bold: true, Size: Big}
)

func (w *writer) mark(reprint bool) {
	if reprint {
		w.text("*** "+duplicateMark.both()+" ***", Line{Align: Centre, Bold: true, Size: Tall})
	}
}

func (w *writer) sale() error {
	t := w.t
	w.text(w.layout.MerchantName, loud)
	w.text(saleTitle.both(), centred)
	w.text(w.copyName.both(), centred)
	w.rule()
	w.row(merchantNo, t.Merchant)
	w.row(terminalNo, t.Terminal)
	w.row(operatorNo, t.Operator)
	w.rule()
	w.card()
	w.row(issuerName, t.Answer.Issuer)
	w.row(acquirerName, t.Answer.Acquirer)
	w.rowStyled(kindLabel, w.kind.both(), true)
	w.row(batchNo, sixDigits(t.Batch))
	w.row(voucherNo, sixDigits(t.STAN))
	w.row(authCode, t.Answer.AuthCode)
	w.row(reference, t.Answer.RRN)
	w.row(dateTime, moment(t, w.layout.Zone))
	w.rule()
	w.text(amountLabel.both(), Line{Bold: true})
	if err := w.amount(t, Big); err != nil {
		return err
	}
	w.rule()
	w.chip()
	w.row(orderNo, t.Reference)
	w.row(noteLabel, t.Answer.Text)
	if w.copy == txn.MerchantCopy {
		w.feed(1)
		w.text(signatureLabel.both(), Line{})
		w.feed(2)
		w.rule()
		w.sentence(agreement, centred)
		return nil
	}
	w.text(w.layout.Thanks, centred)
	return nil
}

// reversal writes the notice that nobody was charged. It must never pass for proof of payment: no signature line, no big
// amount, and its title large at both ends.
func (w *writer) reversal() error {
	t := w.t
	w.text(reversalTitle.zh, loud)
	w.text(reversalTitle.en, strong)
	w.text(w.layout.MerchantName, centred)
	w.text(w.copyName.both(), centred)
	w.rule()
	w.sentence(notSuccessful, strong)
	w.text(notCharged.zh, loud)
	w.text(notCharged.en, loud)
	w.rule()
	w.row(merchantNo, t.Merchant)
	w.row(terminalNo, t.Terminal)
	w.row(operatorNo, t.Operator)
	w.card()
	w.row(originalKind, w.kind.both())
	w.row(batchNo, sixDigits(t.Batch))
	w.row(originalVoucher, sixDigits(t.STAN))
	w.row(originalTime, moment(t, w.layout.Zone))
	w.text(originalAmount.both(), Line{})
	if err := w.amount(t, Normal); err != nil {
		return err
	}
	w.reason()
	w.row(orderNo, t.Reference)
	w.rule()
	w.sentence(notAReceipt, strong)
	w.text(reversalTitle.zh, loud)
	return nil
}

// suspense writes the note for a result that neither side can prove.
func (w *writer) suspense() error {
	t := w.t
	w.text(suspenseTitle.zh, loud)
	w.text(suspenseTitle.en, strong)
	w.text(w.layout.MerchantName, centred)
	w.text(w.copyName.both(), centred)
	w.rule()
	w.sentence(neitherProves, centred)
	w.text(doNotSwipe.zh, loud)
	w.text(doNotSwipe.en, strong)
	w.rule()
	if w.copy == txn.MerchantCopy {
		w.sentence(callAcquirer, Line{})
	} else {
		w.sentence(customerAdvice, Line{})
	}
	w.row(merchantNo, t.Merchant)
	w.rowStyled(terminalNo, t.Terminal, true)
	w.row(batchNo, sixDigits(t.Batch))
	w.rowStyled(voucherNo, sixDigits(t.STAN), true)
	w.rowStyled(dateTime, moment(t, w.layout.Zone), true)
	w.text(doubtfulAmount.both(), Line{})
	if err := w.amount(t, Normal); err != nil {
		return err
	}
	w.card()
	w.row(kindLabel, w.kind.both())
	w.reason()
	w.row(lastAnswer, t.Tries.Code)
	w.row(orderNo, t.Reference)
	w.rule()
	w.sentence(notAReceipt, strong)
	w.text(suspenseTitle.zh, loud)
	return nil
}

// card prints the masked number. A record whose number could not be unsealed still gets its slip.
func (w *writer) card() {
	number := w.t.Card.PAN.Masked()
	if number == "" {
		number = "****"
	}
	w.row(cardNo, number+entryLetter(w.t.Card.Entry))
}

func (w *writer) chip() {
	switch w.t.Card.Entry {
	case txn.Contactless, txn.Inserted:
		w.row(aidLabel, w.t.Card.AID)
		w.row(appLabel, w.t.Card.Label)
	}
}

func (w *writer) reason() {
	why := reasonWords(w.t.Reason)
	w.text(reasonLabel.both(), Line{})
	w.text(why.zh, Line{Align: Right})
	w.text(why.en, Line{Align: Right})
}

func sixDigits(n uint32) string { return fmt.Sprintf("%06d", n) }

// Note lays out a slip that belongs to no transaction: a batch summary, a test page. The title is big; every other
// string is a line, wrapped to the paper, and an empty one an empty line.
func Note(l Layout, title string, lines ...string) (Slip, error) {
	if err := l.Check(); err != nil {
		return Slip{}, err
	}
	p := page{columns: l.Columns}
	p.text(title, loud)
	p.text(l.MerchantName, centred)
	p.rule()
	for _, s := range lines {
		if strings.TrimSpace(s) == "" {
			p.feed(1)
			continue
		}
		p.text(s, Line{})
	}
	return p.slip(), nil
}

// Interrupted are the lines that end a slip whose printing broke off, before it is cut: half a slip must not be taken for
// a whole one.
func Interrupted(columns int) Slip {
	p := page{columns: columns}
	p.rule()
	p.sentence(interrupted, strong)
	return p.slip()
}
