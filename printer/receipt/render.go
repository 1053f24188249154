package receipt

import (
	"fmt"
	"strings"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
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
	copyName, ok := words.OfCopy(c)
	if !ok {
		return Slip{}, fmt.Errorf("receipt: copy %q is not known: use %q or %q", c, txn.MerchantCopy, txn.CustomerCopy)
	}
	kind, ok := words.OfKind(t.Kind)
	if !ok {
		return Slip{}, fmt.Errorf("receipt: no slip for a transaction of kind %q", t.Kind)
	}
	w := writer{page: l.page(), t: t, copy: c, layout: l, kind: kind, copyName: copyName}

	w.mark(reprint)
	var err error
	switch {
	case t.State == txn.Approved, t.State == txn.Advising && t.Kind.Final():
		err = w.done()
	case t.State == txn.Reversed:
		err = w.reversal()
	case t.State == txn.Suspense:
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
	kind, copyName words.Pair
}

var (
	centred = Line{Align: Centre}
	strong  = Line{Align: Centre, Bold: true}
	loud    = Line{Align: Centre, Bold: true, Size: Big}
)

// done writes the slip of what was approved, or is done and still to be told. That of anything but a sale says in big letters
// what it is.
func (w *writer) done() error {
	t := w.t
	w.image(w.layout.Logo)
	w.text(w.layout.MerchantName, loud)
	w.say(words.SaleTitle, centred)
	w.say(w.copyName, centred)
	if t.Kind != txn.Sale {
		w.title(w.kind)
	}
	w.rule()
	w.row(words.MerchantNo, t.Merchant)
	w.row(words.TerminalNo, t.Terminal)
	w.row(words.OperatorNo, t.Operator)
	w.row(words.ApproverNo, t.Approver)
	w.rule()
	w.card()
	w.row(words.IssuerName, t.Answer.Issuer)
	w.row(words.AcquirerName, t.Answer.Acquirer)
	w.rowStyled(words.KindLabel, w.kind.Line(w.language), true)
	w.row(words.BatchNo, sixDigits(t.Batch))
	w.row(words.VoucherNo, sixDigits(t.STAN))
	if t.Kind == txn.OfflineSale {
		w.row(words.AuthCode, t.Original.AuthCode)
		w.row(words.AuthMode, words.OfMode(t.Original.Mode).Line(w.language))
		w.row(words.AuthUnit, t.Original.Unit)
	} else {
		w.row(words.AuthCode, t.Answer.AuthCode)
	}
	w.row(words.Reference, t.Answer.RRN)
	w.row(words.DateTime, moment(t, w.layout.Zone))
	w.original()
	w.rule()
	w.say(words.OfAmount(t.Kind), Line{Bold: true})
	if err := w.amount(t, Big); err != nil {
		return err
	}
	w.rule()
	if means, special := words.OfMeaning(t.Kind); special {
		if !t.Code.IsZero() {
			means = words.PaidBack
		}
		w.sentence(means, centred)
	}
	if t.State == txn.Advising {
		w.sentence(words.ToBeTold, strong)
	}
	w.chip()
	w.row(words.OrderNo, t.Reference)
	w.row(words.NoteLabel, t.Answer.Text)
	if w.copy == txn.MerchantCopy && !t.Code.IsZero() { // the telephone has asked its owner, and nothing is signed
		w.code()
		return nil
	}
	if w.copy == txn.MerchantCopy {
		w.feed(1)
		w.say(words.SignatureLabel, Line{})
		if w.layout.Signature == nil {
			w.feed(2)
		}
		w.image(w.layout.Signature)
		w.rule()
		w.sentence(words.OfAgreement(t.Kind), centred)
		w.code()
		return nil
	}
	if w.layout.Thanks != "" {
		w.feed(1)
		w.text(w.layout.Thanks, centred)
	}
	w.code()
	return nil
}

// code names the transaction for a telephone or a till: terminal, batch, voucher and the acquirer's reference. There is
// nothing secret in it and nothing that could be paid with.
func (w *writer) code() {
	text := strings.Join([]string{w.t.Terminal, sixDigits(w.t.Batch), sixDigits(w.t.STAN), w.t.Answer.RRN}, "/")
	if !w.layout.Code || CheckCode(text) != nil {
		return
	}
	w.lines = append(w.lines, Line{Op: Code, Text: text, Align: Centre})
	w.sentence(words.CodeLabel, centred)
}

// original names what the transaction undoes or follows.
func (w *writer) original() {
	o := w.t.Original
	if o == (txn.Original{}) || w.t.Kind == txn.OfflineSale {
		return
	}
	if o.STAN != 0 {
		w.row(words.OriginalBatch, sixDigits(o.Batch))
		w.row(words.OriginalVoucher, sixDigits(o.STAN))
	}
	w.row(words.OriginalRef, o.RRN)
	w.row(words.OriginalAuth, o.AuthCode)
	if len(o.Date) == 4 {
		w.row(words.OriginalDate, o.Date[:2]+"/"+o.Date[2:])
	}
}

// reversal writes the notice that nobody was charged, or that what undoes another came to nothing and that stands. It must never pass
// for proof of payment: no signature line, no big amount, and its title large at both ends.
func (w *writer) reversal() error {
	t := w.t
	w.title(words.ReversalTitle)
	w.text(w.layout.MerchantName, centred)
	w.say(w.copyName, centred)
	w.rule()
	failed, means := words.OfReversed(t.Kind)
	w.sentence(failed, strong)
	w.sentence(means, loud)
	w.rule()
	w.row(words.MerchantNo, t.Merchant)
	w.row(words.TerminalNo, t.Terminal)
	w.row(words.OperatorNo, t.Operator)
	w.card()
	if t.Kind == txn.Sale {
		w.row(words.OriginalKind, w.kind.Line(w.language))
		w.row(words.BatchNo, sixDigits(t.Batch))
		w.row(words.OriginalVoucher, sixDigits(t.STAN))
		w.row(words.OriginalTime, moment(t, w.layout.Zone))
	} else {
		w.row(words.KindLabel, w.kind.Line(w.language))
		w.row(words.BatchNo, sixDigits(t.Batch))
		w.row(words.VoucherNo, sixDigits(t.STAN))
		w.row(words.DateTime, moment(t, w.layout.Zone))
		w.original()
	}
	w.say(words.OriginalAmount, Line{})
	if err := w.amount(t, Normal); err != nil {
		return err
	}
	w.reason()
	w.row(words.OrderNo, t.Reference)
	w.rule()
	w.sentence(words.NotAReceipt, strong)
	w.again(words.ReversalTitle)
	return nil
}

// suspense writes the note for a result that neither side can prove.
func (w *writer) suspense() error {
	t := w.t
	w.title(words.SuspenseTitle)
	w.text(w.layout.MerchantName, centred)
	w.say(w.copyName, centred)
	w.rule()
	w.sentence(words.NeitherProves, centred)
	dont := words.DoNotSwipe
	switch {
	case t.Kind != txn.Sale:
		dont = words.DoNotUndo
	case !t.Code.IsZero():
		dont = words.DoNotPayAgain
	}
	w.title(dont)
	w.rule()
	if w.copy == txn.MerchantCopy {
		w.sentence(words.CallAcquirer, Line{})
	} else {
		w.sentence(words.CustomerAdvice, Line{})
	}
	w.row(words.MerchantNo, t.Merchant)
	w.rowStyled(words.TerminalNo, t.Terminal, true)
	w.row(words.BatchNo, sixDigits(t.Batch))
	w.rowStyled(words.VoucherNo, sixDigits(t.STAN), true)
	w.rowStyled(words.DateTime, moment(t, w.layout.Zone), true)
	w.say(words.DoubtfulAmount, Line{})
	if err := w.amount(t, Normal); err != nil {
		return err
	}
	w.card()
	w.rowStyled(words.KindLabel, w.kind.Line(w.language), t.Kind != txn.Sale)
	w.original()
	if t.State.Owes() == txn.Human && t.Reason != "" {
		w.reason()
	}
	w.row(words.LastAnswer, t.Tries.Code)
	w.row(words.OrderNo, t.Reference)
	w.rule()
	w.sentence(words.NotAReceipt, strong)
	w.again(words.SuspenseTitle)
	return nil
}

// card prints the masked number, or the payment code and whose it is. A record whose number could not be unsealed still gets its slip.
func (w *writer) card() {
	if c := w.t.Code; !c.IsZero() {
		w.row(words.PlatformName, words.OfPlatform(c.Platform()).Line(w.language))
		w.row(words.PayCodeNo, c.Masked())
		return
	}
	number := w.t.Card.PAN.Masked()
	if number == "" {
		number = "****"
	}
	w.row(words.CardNo, number+entryLetter(w.t.Card.Entry))
}

func (w *writer) chip() {
	switch w.t.Card.Entry {
	case txn.Contactless, txn.Inserted:
		said := w.t.Card.Chip.Word()
		w.row(words.AidLabel, w.t.Card.AID)
		w.row(words.AppLabel, w.t.Card.Label)
		w.row(words.CertificateLabel, strings.ToUpper(said.Certificate))
		w.row(words.VerificationLabel, strings.ToUpper(said.Verification))
		w.row(words.CounterLabel, strings.ToUpper(said.Counter))
		w.row(words.SequenceNo, w.t.Card.Sequence)
	}
}

// reason takes lines of its own for two languages, and as a row for one.
func (w *writer) reason() {
	why := words.OfReason(w.t.Reason)
	if said := why.In(w.language); len(said) == 1 {
		w.row(words.ReasonLabel, said[0])
		return
	}
	w.say(words.ReasonLabel, Line{})
	w.sentence(why, Line{Align: Right})
}

func sixDigits(n uint32) string { return fmt.Sprintf("%06d", n) }

// Note lays out a slip that belongs to no transaction: a batch summary, a test page. The title is big; every other
// string is a line, wrapped to the paper, and an empty one an empty line.
func Note(l Layout, title string, lines ...string) (Slip, error) {
	if err := l.Check(); err != nil {
		return Slip{}, err
	}
	p := l.page()
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
// a whole one. They are in both languages on every printer.
func Interrupted(columns int) Slip {
	p := page{columns: columns}
	p.rule()
	p.sentence(words.Interrupted, strong)
	return p.slip()
}
