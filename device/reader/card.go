package reader

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// Field 55 of a request, in the order of UnionPay's terminal specification. Only what the reader gave is sent. The
// number and the tracks (57, 5A, 56, 9F6B) are not among them: they travel in fields 2 and 35, where they are masked.
var requestTags = [...]uint32{
	neo2.TagCryptogram, neo2.TagCryptogramInfo, neo2.TagIssuerData, neo2.TagUnpredictable, neo2.TagATC, neo2.TagTVR,
	neo2.TagDate, neo2.TagType, neo2.TagAmount, neo2.TagCurrency, neo2.TagAIP, neo2.TagCountry, neo2.TagAmountOther,
	neo2.TagCapabilities, neo2.TagCVMResults, neo2.TagTerminalType, neo2.TagSerial, neo2.TagDFName, neo2.TagAppVersion,
	neo2.TagCounter, neo2.TagProduct,
}

// What a reversal of the same transaction repeats, and what is kept of a second cryptogram.
var (
	reversalTags  = [...]uint32{neo2.TagTVR, neo2.TagSerial, neo2.TagIssuerData, neo2.TagATC, neo2.TagScriptSent}
	certifiedTags = [...]uint32{neo2.TagUnpredictable, neo2.TagDate, neo2.TagAIP, neo2.TagCapabilities, neo2.TagCVMResults}
	signedTags    = [...]uint32{neo2.TagCryptogram, neo2.TagCryptogramInfo, neo2.TagTVR, neo2.TagATC, neo2.TagIssuerData}
)

// Bounds of what is kept of a card.
const (
	maxChip  = 255 // field 55 of the dialects in use
	maxLabel = 16  // EMV tag 50
	minAID   = 5   // bytes, EMV tag 9F06
	maxAID   = 16
	maxTrack = 107 // characters of one track; track 3 is the longest (ISO/IEC 4909)
)

// tracks is the first half of an answer to 02-01.
type tracks struct{ one, two string }

// parseCard reads the data of a successful answer to 02-01 (IDG p. 212-218). Errors never repeat what was read: ErrGarbage
// means that the bytes do not have the shape of an answer, ErrCardUnread and ErrCardRefused that the card in them cannot
// be used.
func parseCard(data []byte, q Request) (txn.Presented, error) {
	stripe, objects, err := split(data)
	if err != nil && looksEncrypted(data) {
		return txn.Presented{}, errEncrypted
	}
	if err != nil {
		return txn.Presented{}, err
	}
	if err := inTheClear(objects); err != nil {
		return txn.Presented{}, err
	}
	if err := signedForUs(objects, q); err != nil {
		return txn.Presented{}, err
	}
	entry, err := entryOf(stripe, objects)
	if err != nil {
		return txn.Presented{}, err
	}
	if entry == txn.Contactless {
		return chipCard(entry, objects)
	}
	return stripeCard(entry, stripe, objects)
}

// inTheClear refuses card data that the reader has encrypted: it shows by its key serial number or by its enhanced format.
func inTheClear(objects map[uint32][]byte) error {
	if _, encrypted := objects[neo2.TagKSN]; encrypted || objects[neo2.TagEnhancedMSR] != nil {
		return errEncrypted
	}
	return nil
}

var errEncrypted = fmt.Errorf("%w: it encrypts card data, and the acquirer's profile has it in clear; have it provisioned without a "+
	"data key, or name a profile with cipher = \"reader\"", ErrSetUp)

// looksEncrypted finds the same in an answer of another layout. Encrypted objects have a byte between tag and length that says
// whether they are masked or encrypted (A1h, C1h; IDG p. 232), and an encrypted answer begins with one that says what it is.
func looksEncrypted(data []byte) bool {
	for _, tag := range []uint32{neo2.TagKSN, neo2.TagEnhancedMSR, neo2.TagEncryption} {
		if bytes.Contains(data, neo2.AppendTag(nil, tag)) {
			return true
		}
	}
	return false
}

// errInserted says that the card that was waited for is in the slot.
var errInserted = errors.New("a card was inserted")

// hasChip reads the service code behind the expiry date: its first digit is 2 or 6 on a card with a chip (ISO/IEC 7813). A reader
// that enciphers says so itself.
func hasChip(p txn.Presented) bool {
	_, rest, _ := strings.Cut(p.Track.DataInTheClear(), "=")
	return p.HasChip || len(rest) > 4 && (rest[4] == '2' || rest[4] == '6')
}

// split cuts an answer into tracks and TLV objects. Present firmware puts track 3 between track 2 and the flag (IDG p.
// 213), older firmware does not (IDG p. 407-409); the one whose every byte makes sense is taken.
//
//	len1 track1  len2 track2  [len3 track3]  flag  [E1 clearing record]  TLVs
func split(data []byte) (tracks, map[uint32][]byte, error) {
	var t tracks
	one, rest, ok := track(data)
	two, rest, ok2 := track(rest)
	if !ok || !ok2 {
		return t, nil, fmt.Errorf("%w: the tracks of its card data are cut or not text", ErrGarbage)
	}
	t = tracks{one, two}
	if _, after, ok := track(rest); ok {
		if objects, err := objectsOf(after); err == nil {
			return t, objects, nil
		}
	}
	objects, err := objectsOf(rest)
	if err != nil {
		return t, nil, fmt.Errorf("%w: its card data has an unknown layout", ErrGarbage)
	}
	return t, objects, nil
}

// track takes one length and that many printable characters.
func track(data []byte) (text string, rest []byte, ok bool) {
	if len(data) == 0 || int(data[0]) > min(len(data)-1, maxTrack) {
		return "", nil, false
	}
	text, rest = string(data[1:1+data[0]]), data[1+data[0]:]
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return "", nil, false
		}
	}
	return text, rest, true
}

// objectsOf reads the clearing record flag and the objects behind it. Of an object that comes twice, inside and outside
// the clearing record, the first counts.
func objectsOf(data []byte) (map[uint32][]byte, error) {
	if len(data) == 0 || data[0] > 1 || data[0] == 1 && (len(data) < 2 || data[1] != neo2.GroupClearing) {
		return nil, errors.New("no clearing record flag")
	}
	objects := make(map[uint32][]byte)
	err := neo2.Walk(data[1:], func(tag uint32, value []byte) {
		if _, twice := objects[tag]; !twice {
			objects[tag] = value
		}
	})
	return objects, err
}

// signedForUs refuses an answer whose signed amount or currency is not what was asked: it belongs to another request.
func signedForUs(objects map[uint32][]byte, q Request) error {
	want, err := q.payload()
	if err != nil {
		return err
	}
	ours := make(map[uint32]string)
	if err := neo2.Walk(want[1:], func(tag uint32, value []byte) { ours[tag] = string(value) }); err != nil {
		return err
	}
	for _, tag := range []uint32{neo2.TagAmount, neo2.TagCurrency} {
		if got, signed := objects[tag]; signed && string(got) != ours[tag] {
			return fmt.Errorf("%w: the card signed another amount or currency than was asked", ErrGarbage)
		}
	}
	return nil
}

// entryOf decides how the card came in: by the tags that say so, else by what is there.
func entryOf(stripe tracks, objects map[uint32][]byte) (txn.Entry, error) {
	tapped := txn.Tapped
	if objects[neo2.TagCryptogram] != nil {
		tapped = txn.Contactless
	}
	if mode := objects[neo2.TagEntryMode]; len(mode) == 1 {
		switch mode[0] {
		case neo2.ModeChipTap:
			return txn.Contactless, nil
		case neo2.ModeStripeTap:
			return txn.Tapped, nil
		case neo2.ModeSwipe, neo2.ModeFallback:
			return txn.Swiped, nil
		case neo2.ModeContact:
			return "", errInserted
		}
	}
	source := objects[neo2.TagSource]
	if source == nil {
		source = objects[neo2.TagSourceOld]
	}
	switch {
	case len(source) == 1 && source[0] == neo2.SourceSwipe:
		return txn.Swiped, nil
	case len(source) == 1 && source[0] == neo2.SourceContact:
		return "", errInserted
	case len(source) == 1 && source[0] == neo2.SourceTap:
		return tapped, nil
	case tapped == txn.Contactless:
		return tapped, nil
	case strings.HasPrefix(stripe.two, ";") || strings.HasPrefix(stripe.one, "%"):
		return txn.Swiped, nil
	default:
		return tapped, nil
	}
}

func stripeCard(entry txn.Entry, stripe tracks, objects map[uint32][]byte) (txn.Presented, error) {
	two, err := track2(stripe, objects)
	if err != nil {
		return txn.Presented{}, err
	}
	pan, expiry, err := two.Card()
	if err != nil {
		return txn.Presented{}, fmt.Errorf("%w: %w", ErrCardUnread, err)
	}
	if err := checkExpiry(expiry); err != nil {
		return txn.Presented{}, err
	}
	card := txn.Card{PAN: pan, Expiry: expiry, Entry: entry}
	if entry == txn.Tapped {
		card.Label, card.AID = label(objects), aid(objects)
	}
	return txn.Presented{Card: card, Track: two, AsksPIN: two.AsksPIN()}, nil
}

// track2 finds track 2 in the forms it may have: text with or without sentinels, or packed.
func track2(stripe tracks, objects map[uint32][]byte) (txn.Track, error) {
	text := stripe.two
	for _, tag := range []uint32{neo2.TagTrack2Text, neo2.TagTrack2TextB} {
		if text == "" {
			text = string(objects[tag])
		}
	}
	for _, tag := range []uint32{neo2.TagTrack2Equivalent, neo2.TagTrack2MSD} {
		if text == "" {
			text = packed(objects[tag])
		}
	}
	if text == "" {
		return txn.Track{}, fmt.Errorf("%w: there is no track 2", ErrCardUnread)
	}
	text = strings.TrimPrefix(text, ";")
	if end := strings.IndexByte(text, '?'); end >= 0 {
		text = text[:end] // an LRC character behind the end sentinel goes with it
	}
	two, err := txn.ParseTrack(text)
	if err != nil {
		return txn.Track{}, fmt.Errorf("%w: %w", ErrCardUnread, err)
	}
	return two, nil
}

func chipCard(entry txn.Entry, objects map[uint32][]byte) (txn.Presented, error) {
	if err := checkCryptogram(objects); err != nil {
		return txn.Presented{}, err
	}
	two, err := track2(tracks{}, objects)
	if err != nil {
		return txn.Presented{}, err
	}
	pan, expiry, err := two.Card()
	if err != nil {
		return txn.Presented{}, fmt.Errorf("%w: %w", ErrCardUnread, err)
	}
	if number := packed(objects[neo2.TagPAN]); number != "" {
		if other, err := txn.ParsePAN(number); err != nil || !other.Equal(pan) {
			return txn.Presented{}, fmt.Errorf("%w: its number and its track do not agree", ErrCardUnread)
		}
	}
	if date := objects[neo2.TagExpiry]; len(date) == 3 {
		expiry = hex.EncodeToString(date[:2])
	}
	if err := checkExpiry(expiry); err != nil {
		return txn.Presented{}, err
	}
	p, err := chipOf(entry, objects)
	if err != nil {
		return txn.Presented{}, err
	}
	p.Card.PAN, p.Card.Expiry, p.Track = pan, expiry, two
	return p, nil
}

// chipOf is what a chip gives besides its number and its track.
func chipOf(entry txn.Entry, objects map[uint32][]byte) (txn.Presented, error) {
	chip := collect(objects, requestTags[:])
	if len(chip) > maxChip {
		return txn.Presented{}, fmt.Errorf("%w: its chip data has %d bytes, at most %d can be sent", ErrCardUnread, len(chip), maxChip)
	}
	card := txn.Card{Sequence: sequence(objects), Entry: entry, Label: label(objects), AID: aid(objects),
		Chip: txn.NewChip(fitting(objects, reversalTags[:]))}
	return txn.Presented{Card: card, Chip: txn.NewChip(chip), AsksPIN: onlinePIN(objects)}, nil
}

// onlinePIN reports whether card and reader agreed on a PIN that the issuer verifies: the method in the first byte of the CVM
// results (EMV Book 4 A.4), without the bit that says what follows a failure (EMV Book 3 C.3).
func onlinePIN(objects map[uint32][]byte) bool {
	results := objects[neo2.TagCVMResults]
	return len(results) == 3 && results[0]&0x3F == neo2.CVMOnlinePIN
}
