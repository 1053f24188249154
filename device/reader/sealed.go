package reader

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// A reader with a data key (SRED) enciphers what is sensitive before it leaves the reader. Of the number it shows a mask, and of
// the track what only the acquirer can read, under a DUKPT key whose serial number goes with it. Activate is then 02-40:
//
//	attribution · KSN · TLVs        57 A1 13 622424CCCCCC0113D3011220…     the track's mask, C for a hidden digit
//	                                57 C1 18 …                             the object 57, enciphered
//	attribution · DFEE23 · TLVs     a swipe, in a frame of its own (swipe.go)
//
// The objects of an answer are kept in one map; what is masked or enciphered stands there under a key of its own, so that nothing
// that collects clear objects can meet it.

func maskedKey(tag uint32) uint32 { return uint32(neo2.Masked)<<24 | tag }
func sealedKey(tag uint32) uint32 { return uint32(neo2.Enciphered)<<24 | tag }

const longTag = 1 << 24 // no key can be made of a tag of four bytes, and no enciphered object has one

// sealedObjects reads the objects of an answer. Of one that comes twice the first counts.
func sealedObjects(data []byte) (map[uint32][]byte, error) {
	objects := make(map[uint32][]byte)
	wrong := false
	err := neo2.WalkForms(data, func(tag uint32, form neo2.Form, value []byte) {
		wrong = wrong || form != neo2.Clear && tag >= longTag
		key := tag | uint32(form)<<24
		if _, twice := objects[key]; !twice {
			objects[key] = value
		}
	})
	if err == nil && wrong {
		err = errors.New("an enciphered object of four bytes' tag")
	}
	return objects, err
}

// What of a card no reader that enciphers may say in clear.
var sensitive = [...]uint32{neo2.TagTrack2Equivalent, neo2.TagPAN, neo2.TagTrack1Equivalent, neo2.TagTrack2MSD,
	neo2.TagTrack2Text, neo2.TagTrack2TextB, neo2.TagTrack1Text, neo2.TagTrack1TextB}

// What holds a track 2, in the order in which it is looked for.
var sealedTracks = [...]uint32{neo2.TagTrack2Equivalent, neo2.TagTrack2Text, neo2.TagTrack2TextB, neo2.TagTrack2MSD}

// The refusals of a reader that is not set up as the acquirer's profile has it. ErrSetUp is what all of them are.
var (
	errClear = fmt.Errorf("%w: it gives card data in clear, and the acquirer's profile has it enciphered in the reader; have its "+
		"data key loaded, encryption of chips and stripes on and no cards excepted, or name a profile without cipher = \"reader\"", ErrSetUp)
	errOtherCipher = fmt.Errorf("%w: it does not encipher under a TDES data key of DUKPT; have it provisioned so", ErrSetUp)
	errOtherMask   = fmt.Errorf("%w: it shows another part of a card's number than the first six and the last four digits, or hides the rest "+
		"behind another sign than *; have it provisioned so", ErrSetUp)
)

// parseSealed reads the data of a successful answer to 02-40. Its errors are those of parseCard, or ErrSetUp.
func parseSealed(data []byte, q Request) (txn.Presented, error) {
	if len(data) == 0 {
		return txn.Presented{}, fmt.Errorf("%w: its card data is empty", ErrGarbage)
	}
	what := data[0]
	objects, err := sealedObjects(data[1:])
	if err != nil {
		return txn.Presented{}, fmt.Errorf("%w: its card data has an unknown layout", ErrGarbage)
	}
	if err := setUp(what, objects); err != nil {
		return txn.Presented{}, err
	}
	if err := signedForUs(objects, q); err != nil {
		return txn.Presented{}, err
	}
	switch from := what & neo2.FromMask; {
	case from == neo2.FromContact:
		return txn.Presented{}, errInserted
	case from == neo2.FromTap:
		return sealedChip(txn.Contactless, objects)
	case from == neo2.FromStripeTap:
		return sealedTap(objects)
	case from&^1 == neo2.FromSwipe:
		return sealedSwipe(objects)
	}
	return txn.Presented{}, fmt.Errorf("%w: it does not say how the card was read", ErrGarbage)
}

// setUp refuses what a reader says that is not set up as it must be.
func setUp(what byte, objects map[uint32][]byte) error {
	both := neo2.StripesSealed | neo2.ChipsSealed
	switch {
	case what&both != both:
		return errClear
	case what&neo2.CipherMask != neo2.CipherTDES:
		return errOtherCipher
	}
	return leaks(objects)
}

// leaks refuses an answer that has a number or a track in clear, as of a card that the reader is told to except.
func leaks(objects map[uint32][]byte) error {
	for _, tag := range sensitive {
		if len(objects[tag]) > 0 {
			return errClear
		}
	}
	return nil
}

// cipherOf is the enciphered track, with its key's serial number.
func cipherOf(objects map[uint32][]byte) (txn.Cipher, error) {
	for _, tag := range sealedTracks {
		if track := objects[sealedKey(tag)]; track != nil {
			return sealedTrack(objects[neo2.TagKSN], track)
		}
	}
	return txn.Cipher{}, fmt.Errorf("%w: there is no track 2", ErrCardUnread)
}

func sealedTrack(serial, track []byte) (txn.Cipher, error) {
	if len(serial) == 0 {
		return txn.Cipher{}, errOtherCipher
	}
	c, err := txn.NewCipher(serial, track)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	return c, nil
}

// maskOf reads a track's mask: the number as far as it is shown, and the expiry date where that is in clear.
func maskOf(track string) (pan txn.PAN, expiry string, err error) {
	number, rest, _ := strings.Cut(strings.TrimPrefix(track, ";"), "=")
	if len(number) < 12 || !decimal(number[len(number)-4:]) {
		return pan, "", fmt.Errorf("%w: its mask has no number", ErrCardUnread)
	}
	if !decimal(number[:6]) {
		return pan, "", errOtherMask
	}
	if decimal(number) {
		return pan, "", errClear
	}
	if pan, err = txn.ParseMasked(number); err != nil {
		return pan, "", errOtherMask
	}
	if len(rest) >= 4 && checkExpiry(rest[:4]) == nil {
		expiry = rest[:4]
	}
	return pan, expiry, nil
}

// packedMask unpacks a mask in compressed digits, in which C is a hidden one.
func packedMask(value []byte) string {
	digits, _, _ := strings.Cut(hex.EncodeToString(value), "f")
	return strings.ReplaceAll(strings.Replace(digits, "d", "=", 1), "c", "*")
}

func trackMask(objects map[uint32][]byte) string {
	for _, tag := range sealedTracks {
		switch mask := objects[maskedKey(tag)]; {
		case mask == nil:
		case tag == neo2.TagTrack2Text || tag == neo2.TagTrack2TextB:
			return string(mask)
		default:
			return packedMask(mask)
		}
	}
	return packedMask(objects[maskedKey(neo2.TagPAN)])
}

// sealedChip is a card's first cryptogram, and its number and track as the reader gives them. Objects of a contact transaction come
// from two answers: the track and the serial number are those of one.
func sealedChip(entry txn.Entry, objects map[uint32][]byte) (txn.Presented, error) {
	if err := checkCryptogram(objects); err != nil {
		return txn.Presented{}, err
	}
	pan, expiry, err := maskOf(trackMask(objects))
	if err != nil {
		return txn.Presented{}, err
	}
	if mask := objects[maskedKey(neo2.TagPAN)]; mask != nil && packedMask(mask) != pan.Masked() {
		return txn.Presented{}, fmt.Errorf("%w: its number and its track do not agree", ErrCardUnread)
	}
	if date := objects[neo2.TagExpiry]; len(date) == 3 && checkExpiry(hex.EncodeToString(date[:2])) == nil {
		expiry = hex.EncodeToString(date[:2])
	}
	track, err := cipherOf(objects)
	if err != nil {
		return txn.Presented{}, err
	}
	p, err := chipOf(entry, objects)
	if err != nil {
		return txn.Presented{}, err
	}
	p.Card.PAN, p.Card.Expiry, p.Cipher = pan, expiry, track
	return p, nil
}

// sealedTap is a stripe over the air.
func sealedTap(objects map[uint32][]byte) (txn.Presented, error) {
	pan, expiry, err := maskOf(trackMask(objects))
	if err != nil {
		return txn.Presented{}, err
	}
	track, err := cipherOf(objects)
	if err != nil {
		return txn.Presented{}, err
	}
	return txn.Presented{Card: txn.Card{PAN: pan, Expiry: expiry, Entry: txn.Tapped, Label: label(objects), AID: aid(objects)}, Cipher: track}, nil
}

// sealedContact reads the objects of a contact answer. Whether an attribution byte stands before them is on a page that is not
// public: a first byte is taken for one where it says that all is enciphered, or where nothing makes sense without it, and
// everything behind it does.
func sealedContact(data []byte) (map[uint32][]byte, error) {
	var behind map[uint32][]byte
	if len(data) > 0 && data[0]&neo2.FromMask == neo2.FromContact {
		if objects, err := sealedObjects(data[1:]); err == nil {
			behind = objects
		}
	}
	const all = neo2.StripesSealed | neo2.ChipsSealed
	if behind != nil && data[0]&all == all {
		return behind, setUp(data[0], behind)
	}
	objects, err := sealedObjects(data)
	switch {
	case err == nil:
		return objects, leaks(objects)
	case behind != nil:
		return behind, setUp(data[0], behind)
	}
	return nil, fmt.Errorf("%w: its card data has an unknown layout", ErrGarbage)
}

// joined are the objects of both answers of a card in the slot, the second over the first, and the serial number of the key
// under which the track is enciphered that is there.
func joined(first, second map[uint32][]byte) map[uint32][]byte {
	all := make(map[uint32][]byte, len(first)+len(second))
	for tag, value := range first {
		all[tag] = value
	}
	for tag, value := range second {
		all[tag] = value
	}
	if second[sealedKey(neo2.TagTrack2Equivalent)] == nil && first[neo2.TagKSN] != nil {
		all[neo2.TagKSN] = first[neo2.TagKSN]
	}
	return all
}
