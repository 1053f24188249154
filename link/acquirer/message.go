package acquirer

import (
	"errors"
	"fmt"
	"strings"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// Constants of the direct-connection POS dialect (直联POS终端规范; field numbers are those of ISO 8583:1987).
const (
	mtiHold     = "0100" // a pre-authorisation, or its cancellation
	mtiRequest  = "0200" // a sale, a completion, what undoes one, or a balance enquiry
	mtiAdvice   = "0220" // told, not asked: repeated, never reversed
	mtiReversal = "0400"
	mtiSignIn   = "0800"
	mtiManage   = "0820"

	approvedCode  = "00" // field 39
	duplicateCode = "94" // to the copy of an advice: an earlier one was accepted

	// Field 60: type 2, batch 6, network code 3; a financial message adds reader capability, chip condition and
	// whether part of the amount may be approved.
	typeManage    = "00"
	networkCards  = "000"
	networkSignIn = "003" // double-length keys
	networkEcho   = "301"

	networkSignInTracks = "004" // double-length keys, and one for tracks
	capability          = "6"   // contact chip, contactless and magnetic stripe
	chipOrdinary        = "0"   // no fallback
	chipFailed          = "2"   // the stripe was read because the chip could not be
	wholeAmount         = "0"

	operatorLength = 3
	serialLength   = 12

	// Field 62 of a sign-in: these words, the length of what follows, and network licence and serial number.
	sequenceNo = "Sequence No12"
)

// entryModes is field 22 without a PIN: two digits for the way the card came in, and 2 for no PIN.
var entryModes = map[txn.Entry]string{
	txn.Keyed: "012", txn.Swiped: "022", txn.Fallback: "022", txn.Inserted: "052", txn.Contactless: "072", txn.Tapped: "912",
}

func signInMessage(o Options, stan uint32) *iso8583.Message {
	m := new(iso8583.Message)
	m.SetMTI(mtiSignIn)
	m.Set(11, fmt.Sprintf("%06d", stan))
	m.Set(41, o.Terminal)
	m.Set(42, o.Merchant)
	network := networkSignIn
	if o.EncryptTracks {
		network = networkSignInTracks
	}
	m.Set(60, fmt.Sprintf("%s%06d%s", typeManage, o.Batch(), network))
	serial := o.Serial
	if serial == "" {
		serial = strings.Repeat("0", serialLength)
	}
	m.Set(62, sequenceNo+serial)
	operator := o.Operator
	if operator == "" {
		operator = "01"
	}
	m.Set(63, fmt.Sprintf("%-*s", operatorLength, operator))
	return m
}

func echoMessage(o Options) *iso8583.Message {
	m := new(iso8583.Message)
	m.SetMTI(mtiManage)
	m.Set(41, o.Terminal)
	m.Set(42, o.Merchant)
	m.Set(60, fmt.Sprintf("%s%06d%s", typeManage, o.Batch(), networkEcho))
	return m
}

// common sets what a request and its reversal share, which is how the acquirer finds the one from the other.
func common(t txn.Txn) (form, *iso8583.Message, error) {
	f, err := formOf(t.Kind)
	switch {
	case err != nil:
		return f, nil, err
	case !t.Amount.Valid():
		return f, nil, fmt.Errorf("%w: %d minor units", txn.ErrAmount, t.Amount)
	case t.STAN == 0 || t.Batch == 0:
		return f, nil, errors.New("the record has no STAN or no batch")
	}
	m := new(iso8583.Message)
	m.SetMTI(f.mti)
	m.Set(3, f.processing)
	m.Set(4, fmt.Sprintf("%012d", int64(t.Amount)))
	m.Set(11, fmt.Sprintf("%06d", t.STAN))
	m.Set(25, f.condition)
	m.Set(41, t.Terminal)
	m.Set(42, t.Merchant)
	m.Set(49, t.Currency.Number)
	m.Set(60, private60(f.private, t.Batch, t.Card.Entry))
	return f, m, setEntry(m, t.Card)
}

// private60 is field 60 of a financial message.
func private60(kind string, batch uint32, e txn.Entry) string {
	condition := chipOrdinary
	if e == txn.Fallback {
		condition = chipFailed
	}
	return fmt.Sprintf("%s%06d%s%s%s%s", kind, batch, networkCards, capability, condition, wholeAmount)
}

// setEntry says how the card came in.
func setEntry(m *iso8583.Message, c txn.Card) error {
	mode, known := entryModes[c.Entry]
	if !known {
		return fmt.Errorf("entry mode %q cannot be sent by this version", c.Entry)
	}
	m.Set(22, mode)
	if chip(c.Entry) && c.Sequence != "" {
		m.Set(23, c.Sequence)
	}
	return nil
}

func chip(e txn.Entry) bool { return e == txn.Inserted || e == txn.Contactless }

// setCard puts in what the card gave. From a magnetic stripe the acquirer takes number and expiry itself, so fields 2 and 14
// stay out.
func setCard(m *iso8583.Message, c txn.Card, p txn.Presented) error {
	stripe := c.Entry == txn.Swiped || c.Entry == txn.Fallback || c.Entry == txn.Tapped
	switch {
	case stripe && p.Track.IsZero():
		return errors.New("a card read from its stripe has no track 2")
	case chip(c.Entry) && p.Chip.IsZero():
		return errors.New("a card read from its chip has no chip data")
	}
	if !stripe {
		setNumber(m, c)
	}
	if c.Entry != txn.Keyed && !p.Track.IsZero() {
		m.Set(35, p.Track.DataInTheClear())
	}
	if chip(c.Entry) {
		setChip(m, p.Chip)
	}
	return nil
}

// organisationOf is the card organisation as a terminal without a table of number ranges can tell it: numbers that begin
// with 62 are UnionPay's (ISO/IEC 7812), any other is left to the acquirer.
func organisationOf(pan txn.PAN) string {
	if strings.HasPrefix(pan.Masked(), "62") {
		return "CUP"
	}
	return "000"
}

// voucher is the beginning of field 61: batch and STAN of the transaction that is meant.
func voucher(batch, stan uint32) string { return fmt.Sprintf("%06d%06d", batch, stan) }

// setAuthCode leaves field 38 as it is where no code is known.
func setAuthCode(m *iso8583.Message, code string) {
	if code != "" {
		m.Set(38, fmt.Sprintf("%-6s", code))
	}
}

// setNumber is the only place where a card number enters a message. A record without an expiry date goes without:
// a reversal that says less is better than none.
func setNumber(m *iso8583.Message, c txn.Card) {
	m.Set(2, c.PAN.DigitsInTheClear())
	if c.Expiry != "" {
		m.Set(14, c.Expiry)
	}
}

func setChip(m *iso8583.Message, c txn.Chip) {
	tlv := c.BytesInTheClear()
	m.SetBytes(55, tlv)
	clear(tlv)
}
