package devicetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"posagent/device/reader/neo2"
)

// What the simulated device says of itself.
const (
	readerFirmware = "NEO 2.0 v1.00.sim"
	readerPlatform = "NEO 2.0 v1.00" // as the guide prints it, IDG p. 150
	readerSerial   = "SIMNEO02"      // 9F1E, eight characters
)

// Track 2 has at most 37 characters between its sentinels (ISO/IEC 7813).
const (
	maxTrack2     = 37
	discretionary = "1234567890123"
)

// Values of TestCard.Entry.
const (
	entrySwiped = "swiped"
	entryTapped = "tapped"
)

// activation is what a terminal asks with 02-01.
type activation struct {
	timeout time.Duration
	objects map[uint32][]byte
}

// parseActivation reads the data of 02-01 as strictly as a reader that has no configuration of its own to fall back on.
func parseActivation(data []byte) (activation, byte) {
	if len(data) == 0 || data[0] == 0 {
		return activation{}, neo2.BadParameter
	}
	a := activation{timeout: time.Duration(data[0]) * time.Second, objects: make(map[uint32][]byte)}
	err := neo2.Walk(data[1:], func(tag uint32, value []byte) { a.objects[tag] = value })
	switch {
	case err != nil:
		return activation{}, neo2.Malformed
	case len(a.objects[neo2.TagAmount]) != 6 || len(a.objects[neo2.TagCurrency]) != 2 || len(a.objects[neo2.TagType]) != 1:
		return activation{}, neo2.BadParameter
	}
	return a, neo2.OK
}

// answerOf is what reading a card gives: a status and the data of the answer (IDG p. 212). It is a function of its
// arguments alone: atc counts this card's transactions, counter the reader's.
func answerOf(card TestCard, asked activation, atc, counter int, now time.Time) (status byte, data []byte) {
	switch card.Entry {
	case entrySwiped:
		data = stripe(";"+track2Of(card, '=')+"?", "%"+track1Of(card)+"?")
		data = append(data, 0) // no clearing record
		data = neo2.AppendTLV(data, neo2.TagEntryMode, []byte{neo2.ModeSwipe})
		return neo2.OK, neo2.AppendTLV(data, neo2.GroupVivo, neo2.AppendTLV(nil, neo2.TagSource, []byte{neo2.SourceSwipe}))
	case entryTapped:
		data = stripe(track2Of(card, '='), track1Of(card))
		data = append(data, 0)
		data = appendApplication(data, card)
		data = neo2.AppendTLV(data, neo2.TagEntryMode, []byte{neo2.ModeStripeTap})
		return neo2.OK, neo2.AppendTLV(data, neo2.GroupVivo, neo2.AppendTLV(nil, neo2.TagSource, []byte{neo2.SourceTap}))
	default:
		return neo2.OnlineRequested, chipAnswer(card, asked, atc, counter, now)
	}
}

// stripe is the first part of an answer: tracks 1 and 2, and no track 3.
func stripe(two, one string) []byte {
	data := append([]byte{byte(len(one))}, one...)
	data = append(append(data, byte(len(two))), two...)
	return append(data, 0)
}

// chipAnswer composes a contactless chip answer. Mastercard's come without a clearing record, in a data record group
// (IDG p. 213); all others with field 55 in group E1.
func chipAnswer(card TestCard, asked activation, atc, counter int, now time.Time) []byte {
	signed := signedObjects(card, asked, atc, counter, now)
	record := neo2.AppendTLV(nil, neo2.TagTrack2Equivalent, packDigits(track2Of(card, 'd')))
	record = neo2.AppendTLV(record, neo2.TagPAN, packDigits(card.PAN))
	record = neo2.AppendTLV(record, neo2.TagExpiry, expiryDate(card.Expiry))
	record = neo2.AppendTLV(record, neo2.TagSequence, []byte{0x01})

	data := []byte{0, 0, 0} // no tracks
	if strings.HasPrefix(strings.ToUpper(card.AID), "A000000004") {
		data = append(data, 0)
		data = neo2.AppendTLV(data, neo2.GroupRecord, append(record, signed...))
	} else {
		data = append(data, 1)
		data = neo2.AppendTLV(data, neo2.GroupClearing, signed)
		data = append(data, record...)
	}
	data = appendApplication(data, card)
	data = neo2.AppendTLV(data, neo2.TagEntryMode, []byte{neo2.ModeChipTap})
	return neo2.AppendTLV(data, neo2.GroupVivo, neo2.AppendTLV(nil, neo2.TagSource, []byte{neo2.SourceTap}))
}

// signedObjects are field 55. The cryptogram is no cipher: it is a digest of card, amount, currency, counter and
// unpredictable number, so that a change of any of them shows.
func signedObjects(card TestCard, asked activation, atc, counter int, now time.Time) []byte {
	date, _ := hex.DecodeString(now.Format("060102"))
	country := asked.objects[neo2.TagCountry]
	if len(country) != 2 {
		country = []byte{0x01, 0x56}
	}
	amount, currency := asked.objects[neo2.TagAmount], asked.objects[neo2.TagCurrency]
	counted := binary.BigEndian.AppendUint16(nil, uint16(atc))
	unpredictable := digest("unpredictable", card.Name, fmt.Sprint(atc), fmt.Sprint(counter))[:4]
	cryptogram := digest(card.PAN, string(amount), string(currency), string(counted), string(unpredictable))[:8]
	issuer := append([]byte{0x07, 0x01, 0x01, 0x03, 0xA0, 0x00, 0x00, 0x01, 0x0A, 0x01, 0, 0, 0, 0, 0}, cryptogram[:4]...)

	var out []byte
	add := func(tag uint32, value ...byte) { out = neo2.AppendTLV(out, tag, value) }
	add(neo2.TagCryptogram, cryptogram...)
	add(neo2.TagCryptogramInfo, neo2.CryptogramARQC)
	add(neo2.TagIssuerData, issuer...)
	add(neo2.TagUnpredictable, unpredictable...)
	add(neo2.TagATC, counted...)
	add(neo2.TagTVR, 0x00, 0x00, 0x00, 0x00, 0x00)
	add(neo2.TagDate, date...)
	add(neo2.TagType, asked.objects[neo2.TagType]...)
	add(neo2.TagAmount, amount...)
	add(neo2.TagCurrency, currency...)
	add(neo2.TagAIP, 0x7C, 0x00)
	add(neo2.TagCountry, country...)
	add(neo2.TagAmountOther, 0, 0, 0, 0, 0, 0)
	add(neo2.TagCapabilities, 0xE0, 0xE1, 0xC8)
	add(neo2.TagCVMResults, 0x1F, 0x03, 0x00)
	add(neo2.TagTerminalType, 0x22)
	add(neo2.TagSerial, []byte(readerSerial)...)
	add(neo2.TagAppVersion, 0x00, 0x20)
	add(neo2.TagCounter, packDigits(fmt.Sprintf("%08d", counter%100_000_000))...)
	if strings.HasPrefix(strings.ToUpper(card.AID), "A000000333") { // UnionPay
		add(neo2.TagProduct, bytes.Repeat([]byte{0x30}, 16)...)
	}
	return out
}

// appendApplication names the application a card was read with.
func appendApplication(data []byte, card TestCard) []byte {
	data = neo2.AppendTLV(data, neo2.TagLabel, []byte(card.Label))
	if id, err := hex.DecodeString(card.AID); err == nil && len(id) > 0 {
		data = neo2.AppendTLV(data, neo2.TagDFName, id)
		data = neo2.AppendTLV(data, neo2.TagAID, id)
	}
	return data
}

// track2Of and track1Of write a card's stripe without sentinels (ISO/IEC 7813), filled to what the longest number allows.
func track2Of(card TestCard, separator byte) string {
	text := card.PAN + string(separator) + card.Expiry + card.Service
	return text + discretionary[:min(len(discretionary), maxTrack2-len(text))]
}

func track1Of(card TestCard) string {
	return "B" + card.PAN + "^TEST/CARD^" + card.Expiry + card.Service + "0000000000"
}

// expiryDate is the last day of the expiry month.
func expiryDate(yymm string) []byte {
	month, err := time.Parse("0601", yymm)
	if err != nil {
		return nil
	}
	day, _ := hex.DecodeString(month.AddDate(0, 1, -1).Format("060102"))
	return day
}

// packDigits compresses digits and separators two to a byte, an odd one filled up with F.
func packDigits(text string) []byte {
	if len(text)%2 == 1 {
		text += "f"
	}
	out, _ := hex.DecodeString(text)
	return out
}

func digest(parts ...string) []byte {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return sum[:]
}
