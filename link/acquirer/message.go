package acquirer

import (
	"errors"
	"fmt"
	"strings"

	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// What the direct-connection POS dialect (直联POS终端规范; field numbers are those of ISO 8583:1987) and every other share.
const (
	approvedCode  = "00" // field 39
	duplicateCode = "94" // to the copy of an advice: an earlier one was accepted

	networkSignIn       = "003" // double-length keys
	networkSignInTracks = "004" // and one for tracks

	chipOrdinary = "0" // chip condition: no fallback
	chipFailed   = "2" // the stripe was read because the chip could not be

	operatorLength = 3
	serialLength   = 12
)

// reverses reports whether a message is a reversal, or the answer to one: class 4 of its type.
func reverses(m *iso8583.Message) bool { return strings.HasPrefix(m.MTI()[1:], "4") }

// entryModes is the way the card came in, the first two digits of field 22.
var entryModes = map[txn.Entry]string{
	txn.Keyed: "01", txn.Swiped: "02", txn.Fallback: "02", txn.Inserted: "05", txn.Contactless: "07", txn.Tapped: "91", txn.Scanned: "03",
}

// The third digit of field 22, and field 26 of a message with a PIN: the most digits that one may have.
const (
	withPIN    = "1"
	withoutPIN = "2"
	pinLength  = "12"
)

// managing is what a message says that is about no transaction.
func (h *Host) managing(what string, stan uint32) content {
	now := h.now()
	return content{host: h, what: what, stan: stan, batch: h.o.Batch(), sent: now, at: now}
}

// setEntry says how the card came in.
func setEntry(m *iso8583.Message, c txn.Card) error {
	mode, known := entryModes[c.Entry]
	if !known {
		return fmt.Errorf("entry mode %q cannot be sent by this version", c.Entry)
	}
	if c.PIN {
		m.Set(22, mode+withPIN)
	} else {
		m.Set(22, mode+withoutPIN)
	}
	if chip(c.Entry) && c.Sequence != "" {
		m.Set(23, c.Sequence)
	}
	return nil
}

func chip(e txn.Entry) bool { return e == txn.Inserted || e == txn.Contactless }

// setCard puts in what the card gave. From a magnetic stripe the acquirer takes number and expiry itself, so fields 2 and 14
// stay out.
func (h *Host) setCard(m *iso8583.Message, c txn.Card, p txn.Presented) error {
	if c.Entry == txn.Scanned {
		return nil // the form has put the code in, and what undoes a sale by code has none
	}
	stripe := c.Entry == txn.Swiped || c.Entry == txn.Fallback || c.Entry == txn.Tapped
	switch enciphers := h.o.Profile.Tracks == profile.ReaderTracks; {
	case enciphers && (p.Cipher.IsZero() || !p.Track.IsZero()):
		return errors.New("the profile has a card's data enciphered by the card reader, and this card's is not")
	case !enciphers && !p.Cipher.IsZero():
		return errors.New("the card reader has enciphered the card's data, and the profile does not have it so")
	case stripe && p.Track.IsZero() && !enciphers:
		return errors.New("a card read from its stripe has no track 2")
	case chip(c.Entry) && p.Chip.IsZero():
		return errors.New("a card read from its chip has no chip data")
	}
	if !stripe {
		h.setNumber(m, c)
	}
	switch {
	case !p.Cipher.IsZero():
		m.Set(35, p.Cipher.DigitsForTheAcquirer())
		h.setSerial(m, p.Cipher.SerialForTheAcquirer())
	case c.Entry != txn.Keyed && !p.Track.IsZero():
		m.Set(35, p.Track.DataInTheClear())
	}
	if chip(c.Entry) {
		setChip(m, p.Chip)
	}
	return setPIN(m, c, p.PIN)
}

// setPIN puts in the enciphered PIN. A request that announces one and has none, or the other way about, is not sent.
func setPIN(m *iso8583.Message, c txn.Card, b txn.PINBlock) error {
	switch {
	case c.PIN == b.IsZero():
		return errors.New("the record and the request differ about a PIN")
	case b.IsZero():
		return nil
	}
	block := b.CipherForTheAcquirer()
	m.Set(26, pinLength)
	m.SetBytes(52, block)
	m.Set(53, securityPIN)
	clear(block)
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

// setNumber is the only place where a card number enters a message. A record without an expiry date goes without:
// a reversal that says less is better than none. What was paid by payment code has no number, and where the card reader
// enciphers none is sent, also of a card that was read when it did not.
func (h *Host) setNumber(m *iso8583.Message, c txn.Card) {
	if c.PAN.IsZero() || c.PAN.IsMasked() || h.o.Profile.Tracks == profile.ReaderTracks {
		return
	}
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
