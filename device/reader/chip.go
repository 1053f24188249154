package reader

import (
	"encoding/hex"
	"fmt"
	"strings"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// checkCryptogram refuses a card that did not ask to go online. A TC means that the card has already agreed offline, and
// an electronic purse may have been debited: sending it as a request would be declined, so people must know at once.
func checkCryptogram(objects map[uint32][]byte) error {
	if len(objects[neo2.TagCryptogram]) != 8 || len(objects[neo2.TagATC]) != 2 {
		return fmt.Errorf("%w: it gave no cryptogram", ErrCardUnread)
	}
	info := objects[neo2.TagCryptogramInfo]
	if len(info) != 1 { // some kernels leave it out; status 23h has already said "online"
		return nil
	}
	switch info[0] & neo2.CryptogramMask {
	case neo2.CryptogramARQC:
		return nil
	case neo2.CryptogramTC:
		return fmt.Errorf("%w: the card approved offline, which this terminal does not do; set the reader to online only, and "+
			"if the card is an electronic purse check its balance", ErrCardRefused)
	default:
		return fmt.Errorf("%w: the card declined", ErrCardRefused)
	}
}

func checkExpiry(yymm string) error {
	if len(yymm) == 4 && decimal(yymm) && yymm[2:] >= "01" && yymm[2:] <= "12" {
		return nil
	}
	return fmt.Errorf("%w: its expiry date is not a date", ErrCardUnread)
}

// collect lists the objects that are there, in the order asked for.
func collect(objects map[uint32][]byte, tags []uint32) []byte {
	var out []byte
	for _, tag := range tags {
		if value, ok := objects[tag]; ok {
			out = neo2.AppendTLV(out, tag, value)
		}
	}
	return out
}

// fitting is collect as far as a record has room. Where it has not, the reader's own number is left out first, which the
// acquirer can do without, and then whatever does not fit, whole.
func fitting(objects map[uint32][]byte, tags []uint32) []byte {
	if all := collect(objects, tags); len(all) <= txn.MaxKeptChip {
		return all
	}
	var out []byte
	for _, tag := range tags {
		if tag == neo2.TagSerial {
			continue
		}
		if longer := append(out[:len(out):len(out)], collect(objects, []uint32{tag})...); len(longer) <= txn.MaxKeptChip {
			out = longer
		}
	}
	return out
}

// packed unpacks compressed numeric data: padding F ends it, D becomes '=' (EMV Book 3, 4.3; IDG p. 405).
func packed(value []byte) string {
	digits := hex.EncodeToString(value)
	if end := strings.IndexByte(digits, 'f'); end >= 0 {
		digits = digits[:end]
	}
	return strings.Replace(digits, "d", "=", 1)
}

// sequence is the card's sequence number as field 23 wants it: three digits.
func sequence(objects map[uint32][]byte) string {
	if value := objects[neo2.TagSequence]; len(value) == 1 {
		if digits := hex.EncodeToString(value); decimal(digits) {
			return "0" + digits
		}
	}
	return ""
}

// label is the preferred name or the label, when it can be printed. Only ASCII is taken: the preferred name may be in a
// code table that the terminal does not know (EMV tag 9F11).
func label(objects map[uint32][]byte) string {
	for _, tag := range []uint32{neo2.TagLabel, neo2.TagPreferredName} {
		value := objects[tag]
		if text := printable(value); text != "" && len(value) <= maxLabel && !manyDigits(text) {
			return text
		}
	}
	return ""
}

func aid(objects map[uint32][]byte) string {
	for _, tag := range []uint32{neo2.TagAID, neo2.TagDFName, neo2.TagAIDCard} {
		if value := objects[tag]; len(value) >= minAID && len(value) <= maxAID {
			return strings.ToUpper(hex.EncodeToString(value))
		}
	}
	return ""
}

func decimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// manyDigits guards the one field that comes from the card as text and is printed: a number must not slip through it.
func manyDigits(text string) bool {
	digits := 0
	for _, c := range text {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return digits >= 8
}
