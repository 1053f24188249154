package linktest

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"posagent/link/iso8583"
	"posagent/link/profile"
)

// Tracks under DUKPT (ANSI X9.24-1:2009, annex A). The host has a base derivation key for each key set, the first five bytes of
// a serial number, and keeps of each terminal's device how far its counter has come: what comes a second time is refused.
const (
	serialLength  = 10
	keySetLength  = 5
	baseKeyLength = 16
)

// checkBaseKeys refuses base derivation keys that are none.
func checkBaseKeys(base map[string][]byte) error {
	for set, key := range base {
		if id, err := hex.DecodeString(set); err != nil || len(id) != keySetLength || len(key) != baseKeyLength || set != strings.ToUpper(set) {
			return fmt.Errorf("key set %q: want %d hexadecimal digits in capitals and a base derivation key of %d bytes", set, 2*keySetLength, baseKeyLength)
		}
	}
	return nil
}

// openTrackLocked puts track 2 in the clear into inner, from what came in outer.
func (a *Acquirer) openTrackLocked(outer, inner *iso8583.Message) error {
	byReader := a.o.Profile.Tracks == profile.ReaderTracks
	if a.o.Profile.Tracks != profile.DUKPTTracks && !byReader {
		return nil
	}
	if byReader && (outer.Has(2) || outer.Has(14)) {
		return fmt.Errorf("a number where the card reader keeps it to itself")
	}
	field := a.o.Profile.Serial
	if outer.Has(field) != outer.Has(35) {
		return fmt.Errorf("field %d and a track come together or not at all", field)
	}
	if !outer.Has(35) {
		if byReader {
			a.nameCardLocked(inner)
		}
		return nil
	}
	serial := slices.Clone(outer.Bytes(field))
	if a.dialect.Fields[field].Class != iso8583.B {
		var err error
		if serial, err = hex.DecodeString(string(serial)); err != nil {
			return fmt.Errorf("field %d is no serial number", field)
		}
	}
	if len(serial) != serialLength {
		return fmt.Errorf("field %d is no serial number", field)
	}
	base, known := a.o.DUKPT[fmt.Sprintf("%X", serial[:keySetLength])]
	if !known {
		return fmt.Errorf("key set %X is not known", serial[:keySetLength])
	}
	counter := uint32(serial[7]&0x1F)<<16 | uint32(serial[8])<<8 | uint32(serial[9])
	device := fmt.Sprintf("%X%02X", serial[:7], serial[7]&0xE0)
	if !outer.Has(outer.MACField()) || a.authenticLocked(outer) { // else the line may have spoiled it
		if err := a.countLocked(device, counter); err != nil {
			return err
		}
	}
	b, err := hex.DecodeString(strings.ReplaceAll(outer.Get(35), "=", "D"))
	if err != nil || len(b) == 0 || len(b)%8 != 0 {
		return fmt.Errorf("field 35 is no ciphertext")
	}
	cipher.NewCBCDecrypter(tripleDES(dataKey(base, serial)), make([]byte, 8)).CryptBlocks(b, b)
	if byReader {
		a.readSealed(inner, b)
		return nil
	}
	inner.Set(35, strings.ReplaceAll(strings.TrimRight(fmt.Sprintf("%X", b), "F"), "D", "="))
	return nil
}

// countLocked takes up a counter. One that comes late, because its message was on the way for long, is refused like one that
// comes again.
func (a *Acquirer) countLocked(device string, counter uint32) error {
	name := fmt.Sprintf("%d of %s", counter, device)
	if a.counters[name] {
		a.usedTwice = append(a.usedTwice, name)
	}
	a.counters[name] = true
	if counter <= a.serials[device] {
		return fmt.Errorf("counter %s has been used", name)
	}
	a.serials[device] = counter
	return nil
}

// UsedTwice are the DUKPT counters under which two messages have come. A terminal never does that, also over power cuts.
func (a *Acquirer) UsedTwice() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.usedTwice)
}

// dataKey is the data key of a request with that serial number: by the initial key (A.6), by one derivation for each one of the
// counter (A.2), by the variant for data (A.4.1), which is encrypted under itself.
func dataKey(base, serial []byte) []byte {
	register := slices.Clone(serial)
	register[7], register[8], register[9] = register[7]&0xE0, 0, 0
	key := make([]byte, 16)
	tripleDES(base).Encrypt(key[:8], register[:8])
	tripleDES(changed(base)).Encrypt(key[8:], register[:8])
	register = register[2:]
	for bit := 20; bit >= 0; bit-- {
		at, mask := 7-bit/8, byte(1)<<(bit%8)
		if serial[2+at]&mask != 0 {
			register[at] |= mask
			key = append(derivedKey(changed(key), register), derivedKey(key, register)...)
		}
	}
	key[5] ^= 0xFF
	key[13] ^= 0xFF
	block, data := tripleDES(key), make([]byte, 16)
	ecb(block, data, key)
	return data
}

// changed is a key with the first four bytes of each half XORed with C0.
func changed(key []byte) []byte {
	out := bytes.Clone(key)
	for _, i := range []int{0, 1, 2, 3, 8, 9, 10, 11} {
		out[i] ^= 0xC0
	}
	return out
}

func derivedKey(key, register []byte) []byte {
	out := make([]byte, 8)
	for i := range out {
		out[i] = register[i] ^ key[8+i]
	}
	singleDES(key[:8]).Encrypt(out, out)
	for i := range out {
		out[i] ^= key[8+i]
	}
	return out
}
