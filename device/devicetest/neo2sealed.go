package devicetest

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"posagent/device/reader/neo2"
)

// DataKey makes a simulated reader encipher card data, as one with a data key (SRED) does: it answers 02-40 in place of 02-01, with
// masks and with ciphertext under the DUKPT data key of each transaction (ANSI X9.24-1:2009, request variant), CBC from zeros.
type DataKey struct {
	Initial []byte // the reader's initial key, 16 bytes
	Serial  []byte // its serial number, 10 bytes, with which its counter begins
}

// sealing is the key in the reader, and its switches; guarded by Reader.mu.
type sealing struct {
	key    *DataKey // nil: there is none
	serial []byte   // of the transaction's key
	off    bool     // provisioned in clear, although there is a key
	secret func(name string, what []byte)
	spoil  bool // the next track is enciphered wrongly, once
}

func (s *sealing) on() bool { return s.key != nil && !s.off }

// mostOnes is how many bits of one a counter may have (ANSI X9.24-1).
const mostOnes = 10

// next takes up the next counter, one for each card that is read.
func (s *sealing) next() {
	if s.serial == nil {
		s.serial = append([]byte(nil), s.key.Serial...)
	}
	for {
		low := s.serial[6:]
		binary.BigEndian.PutUint32(low, binary.BigEndian.Uint32(low)+1)
		ones := 0
		for n := binary.BigEndian.Uint32(low) & 0x1FFFFF; n > 0; n &= n - 1 {
			ones++
		}
		if ones <= mostOnes {
			if s.secret != nil {
				s.secret("the serial number of a reader's key", s.serial)
			}
			return
		}
	}
}

// seal enciphers what was filled up to blocks.
func (s *sealing) seal(clear []byte) []byte {
	block := tripleDES(dataKey(s.key.Initial, s.serial))
	out := append([]byte(nil), clear...)
	for len(out)%block.BlockSize() != 0 {
		out = append(out, 0)
	}
	cipher.NewCBCEncrypter(block, make([]byte, block.BlockSize())).CryptBlocks(out, out)
	return out
}

// sealTrack is seal for what the acquirer finds the card by.
func (s *sealing) sealTrack(clear []byte) []byte {
	out := s.seal(clear)
	if s.spoil {
		s.spoil = false
		out[0] ^= 0x5A
	}
	if s.secret != nil {
		s.secret("an enciphered track", out)
	}
	return out
}

// dataKey is the variant for data of a request, enciphered under itself (A.4.1).
func dataKey(initial, serial []byte) []byte {
	key := transactionKey(initial, serial)
	key[5] ^= 0xFF
	key[13] ^= 0xFF
	block, data := tripleDES(key), make([]byte, len(key))
	for i := 0; i < len(key); i += block.BlockSize() {
		block.Encrypt(data[i:], key[i:])
	}
	return data
}

// hide masks all digits of a number but the first six and the last four.
func hide(number, with string) string {
	return number[:6] + strings.Repeat(with, len(number)-10) + number[len(number)-4:]
}

// sealedAnswer is answerOf as 02-40 has it.
func (r *Reader) sealedAnswer(card TestCard, asked activation, atc int, now time.Time) (status byte, data []byte) {
	if r.sealing.on() {
		r.sealing.next()
	}
	switch card.Entry {
	case entrySwiped:
		data = r.attribution(neo2.FromSwipe)
		data = neo2.AppendTLV(data, neo2.TagEnhancedMSR, r.sealedStripe(card))
		data = neo2.AppendTLV(data, neo2.TagEntryMode, []byte{neo2.ModeSwipe})
		return neo2.OK, appendSource(data, neo2.SourceSwipe)
	case entryTapped:
		data = r.attribution(neo2.FromStripeTap)
		two := track2Of(card, '=')
		mask := hide(card.PAN, "*") + "=" + card.Expiry + strings.Repeat("*", len(two)-len(card.PAN)-5)
		data = r.appendSealed(data, neo2.TagTrack2Text, []byte(two), []byte(mask))
		data = appendApplication(data, card)
		data = neo2.AppendTLV(data, neo2.TagEntryMode, []byte{neo2.ModeStripeTap})
		return neo2.OK, appendSource(data, neo2.SourceTap)
	}
	data = r.attribution(neo2.FromTap)
	data = neo2.AppendTLV(data, neo2.GroupClearing, signedObjects(card, asked, atc, r.total, now))
	data = r.appendCard(data, card)
	data = appendApplication(data, card)
	data = neo2.AppendTLV(data, neo2.TagEntryMode, []byte{neo2.ModeChipTap})
	return neo2.OnlineRequested, appendSource(data, neo2.SourceTap)
}

func appendSource(data []byte, source byte) []byte {
	return neo2.AppendTLV(data, neo2.GroupVivo, neo2.AppendTLV(nil, neo2.TagSource, []byte{source}))
}

// attribution begins an answer, and says under which key it is, but for a stripe, which says so itself.
func (r *Reader) attribution(from byte) []byte {
	if !r.sealing.on() {
		return []byte{from}
	}
	data := []byte{from | neo2.StripesSealed | neo2.ChipsSealed}
	if from == neo2.FromSwipe {
		return data
	}
	return neo2.AppendTLV(data, neo2.TagKSN, r.sealing.serial)
}

// appendSealed adds an object's mask and its ciphertext, or the object itself where nothing is enciphered.
func (r *Reader) appendSealed(data []byte, tag uint32, value, mask []byte) []byte {
	object := neo2.AppendTLV(nil, tag, value)
	if !r.sealing.on() {
		return append(data, object...)
	}
	seal := r.sealing.seal
	if tag != neo2.TagPAN {
		seal = r.sealing.sealTrack
	}
	data = neo2.AppendForm(data, tag, neo2.Masked, mask)
	return neo2.AppendForm(data, tag, neo2.Enciphered, seal(object))
}

// appendCard adds what a chip says of its card.
func (r *Reader) appendCard(data []byte, card TestCard) []byte {
	track := track2Of(card, 'd')
	mask := hide(card.PAN, "c") + "d" + card.Expiry + card.Service + strings.Repeat("c", len(track)-len(card.PAN)-8)
	data = r.appendSealed(data, neo2.TagTrack2Equivalent, packDigits(track), packDigits(mask))
	data = r.appendSealed(data, neo2.TagPAN, packDigits(card.PAN), packDigits(hide(card.PAN, "c")))
	data = neo2.AppendTLV(data, neo2.TagExpiry, expiryDate(card.Expiry))
	return neo2.AppendTLV(data, neo2.TagSequence, []byte{0x01})
}

// sealedStripe is a swipe in a frame of its own, with tracks 1 and 2.
func (r *Reader) sealedStripe(card TestCard) []byte {
	one, two := withCheck("%"+track1Of(card)+"?"), withCheck(";"+track2Of(card, '=')+"?")
	oneMask := "%*" + hide(card.PAN, "*") + "^TEST/CARD^" + card.Expiry
	oneMask += strings.Repeat("*", len(one)-len(oneMask)-2) + "?*"
	twoMask := ";" + hide(card.PAN, "*") + "=" + card.Expiry
	twoMask += strings.Repeat("*", len(two)-len(twoMask)-2) + "?*"
	sent, sealed := byte(3)|neo2.SwipeReader, byte(3)|neo2.SwipeKSN|0x18
	if card.Service[0] == '2' || card.Service[0] == '6' {
		sent |= neo2.SwipeChip
	}
	if !r.sealing.on() {
		oneMask, twoMask, sealed = one, two, 0
	}
	data := []byte{neo2.SwipeBank, 0x1F, byte(len(one)), byte(len(two)), 0, sent, sealed}
	data = append(append(data, oneMask...), twoMask...)
	if r.sealing.on() {
		data = append(append(data, r.sealing.seal([]byte(one))...), r.sealing.sealTrack([]byte(two))...)
		data = append(data, make([]byte, 2*neo2.HashSize)...)
	}
	data = append(data, fmt.Sprintf("%10.10s", readerSerial)...)
	if r.sealing.on() {
		data = append(data, r.sealing.serial...)
	}
	frame := binary.LittleEndian.AppendUint16([]byte{neo2.SwipeStart}, uint16(len(data)))
	var all, sum byte
	for _, b := range data {
		all, sum = all^b, sum+b
	}
	return append(append(frame, data...), all, sum, neo2.SwipeEnd)
}

// withCheck adds a track's check character, the XOR of all that is before it.
func withCheck(track string) string {
	var all byte
	for _, c := range []byte(track) {
		all ^= c & 0x0F
	}
	return track + string(rune(0x30+all))
}
