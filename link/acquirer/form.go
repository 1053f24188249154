package acquirer

import (
	"errors"
	"fmt"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// form is how a kind of transaction is written (field numbers are those of ISO 8583:1987): the type of its message, fields 3,
// 25 and 60.1, and how it names the transaction that it undoes or follows.
type form struct {
	mti, processing, condition, private string
	names                               naming
}

// naming is what of an original travels in fields 37, 38, 61 and 63.
type naming struct {
	reference bool // field 37
	auth      bool // field 38
	voucher   bool // field 61 begins with batch and STAN of the original, else with twelve zeros
	date      bool // and goes on with its date
	authority bool // and with how an authorisation was given, and by whom
	scheme    bool // field 63 is the card organisation
}

// anything reports whether the kind has an original at all.
func (n naming) anything() bool { return n != naming{} }

const (
	processingSale = "000000" // field 3
	processingUndo = "200000"
	processingHold = "030000"

	conditionNormal = "00" // field 25
	conditionHold   = "06" // of the pre-authorisation family
)

func formOf(k txn.Kind) (form, error) {
	switch k {
	case txn.Sale:
		return form{mtiRequest, processingSale, conditionNormal, "22", naming{}}, nil
	case txn.Void:
		return form{mtiRequest, processingUndo, conditionNormal, "23", naming{reference: true, auth: true, voucher: true}}, nil
	case txn.Refund:
		return form{mtiAdvice, processingUndo, conditionNormal, "25", naming{reference: true, date: true, scheme: true}}, nil
	case txn.PreAuth:
		return form{mtiHold, processingHold, conditionHold, "10", naming{}}, nil
	case txn.PreAuthCancel:
		return form{mtiHold, processingUndo, conditionHold, "11", naming{auth: true, date: true}}, nil
	case txn.Completion:
		return form{mtiRequest, processingSale, conditionHold, "20", naming{auth: true, date: true}}, nil
	case txn.CompletionCancel:
		return form{mtiRequest, processingUndo, conditionHold, "21", naming{reference: true, auth: true, voucher: true, date: true}}, nil
	case txn.CompletionNotice:
		return form{mtiAdvice, processingSale, conditionHold, "24", naming{auth: true, date: true}}, nil
	case txn.OfflineSale:
		return form{mtiAdvice, processingSale, conditionNormal, "30", naming{auth: true, authority: true, scheme: true}}, nil
	}
	return form{}, fmt.Errorf("kind %q cannot be sent by this version", k)
}

// setOriginal names what t undoes or follows.
func (f form) setOriginal(m *iso8583.Message, t txn.Txn) error {
	o, n := t.Original, f.names
	if !n.anything() {
		return nil
	}
	switch {
	case n.reference && o.RRN == "":
		return fmt.Errorf("the %s names no reference number of its original", t.Kind)
	case n.date && len(o.Date) != 4:
		return fmt.Errorf("the %s names no date of its original", t.Kind)
	case n.authority && len(o.Mode) != 2:
		return fmt.Errorf("the %s does not say how its authorisation was given", t.Kind)
	case n.auth && (n.date || n.authority) && o.AuthCode == "":
		return fmt.Errorf("the %s names no authorisation code of its original", t.Kind)
	}
	if n.reference {
		m.Set(37, fmt.Sprintf("%-12s", o.RRN))
	}
	if n.auth {
		setAuthCode(m, o.AuthCode)
	}
	original := voucher(0, 0)
	if n.voucher {
		original = voucher(o.Batch, o.STAN)
	}
	if n.date {
		original += o.Date
	}
	if n.authority {
		original += "0000" + o.Mode + o.Unit
	}
	m.Set(61, original)
	if n.scheme {
		m.Set(63, organisationOf(t.Card.PAN))
	}
	return nil
}

// setItself names t itself in field 61 of its reversal, where its request had a field 61; behind it stands a date where the
// request had one: the acquirer's, if an answer came, or four zeros.
func (f form) setItself(m *iso8583.Message, t txn.Txn) {
	if !f.names.anything() {
		return
	}
	itself := voucher(t.Batch, t.STAN)
	switch {
	case f.names.date && len(t.Answer.HostDate) == 4:
		itself += t.Answer.HostDate
	case f.names.date:
		itself += "0000"
	}
	m.Set(61, itself)
}

// requestMessage is a 0100 or a 0200.
func requestMessage(t txn.Txn, p txn.Presented) (*iso8583.Message, error) {
	f, m, err := common(t)
	if err != nil {
		return nil, err
	}
	if t.Kind.Advice() {
		return nil, fmt.Errorf("a %s is an advice, no request", t.Kind)
	}
	if err := setCard(m, t.Card, p); err != nil {
		return nil, err
	}
	return m, f.setOriginal(m, t)
}

// adviceMessage is a 0220. It says nothing that is not on record, no track and no chip data, so that each copy of it, also one
// after a power cut, is the same message.
func adviceMessage(t txn.Txn) (*iso8583.Message, error) {
	f, m, err := common(t)
	if err != nil {
		return nil, err
	}
	if !t.Kind.Advice() {
		return nil, fmt.Errorf("a %s is no advice", t.Kind)
	}
	setNumber(m, t.Card)
	return m, f.setOriginal(m, t)
}

// reversalMessage is a 0400: the request again, with its own STAN, less track and PIN and the original's reference, with
// number and expiry whatever the entry mode, the authorisation code if one was seen, and the reason in field 39. That of what
// undoes or follows another names itself in field 61.
func reversalMessage(t txn.Txn) (*iso8583.Message, error) {
	if t.Kind.Advice() {
		return nil, errors.New("an advice is repeated, never reversed")
	}
	f, m, err := common(t)
	if err != nil {
		return nil, err
	}
	m.SetMTI(mtiReversal)
	setNumber(m, t.Card)
	setAuthCode(m, t.Original.AuthCode)
	setAuthCode(m, t.Answer.AuthCode)
	f.setItself(m, t)
	m.Set(39, string(t.Reason))
	if chip(t.Card.Entry) && !t.Card.Chip.IsZero() {
		setChip(m, t.Card.Chip)
	}
	return m, nil
}
