package linktest

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
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
	base, serial, err := a.serialLocked(outer, field)
	if err != nil {
		return err
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

// openPINLocked puts a PIN that is under DUKPT under the session's own key into inner, as a switch does that passes it on.
func (a *Acquirer) openPINLocked(outer, inner *iso8583.Message) error {
	field := a.o.Profile.PINSerial
	if field == 0 || !outer.Has(52) && !outer.Has(field) {
		return nil
	}
	if outer.Has(field) != outer.Has(52) {
		return fmt.Errorf("field %d and a PIN come together or not at all", field)
	}
	base, serial, err := a.serialLocked(outer, field)
	block, s := outer.Bytes(52), a.sessions[outer.Get(41)]
	if err != nil || len(block) != 8 || len(s.pik) != 16 {
		return errors.Join(errors.New("a PIN that cannot be passed on"), err)
	}
	key := futureKey(base, serial)
	key[7] ^= 0xFF
	key[15] ^= 0xFF
	passed := make([]byte, 8)
	tripleDES(key).Decrypt(passed, block)
	tripleDES(s.pik).Encrypt(passed, passed)
	inner.SetBytes(52, passed)
	return nil
}

// serialLocked reads a serial number with its base key, and takes up its counter.
func (a *Acquirer) serialLocked(outer *iso8583.Message, field int) (base, serial []byte, err error) {
	serial = slices.Clone(outer.Bytes(field))
	if a.dialect.Fields[field].Class != iso8583.B {
		if serial, err = hex.DecodeString(string(serial)); err != nil {
			return nil, nil, fmt.Errorf("field %d is no serial number", field)
		}
	}
	if len(serial) != serialLength {
		return nil, nil, fmt.Errorf("field %d is no serial number", field)
	}
	base, known := a.o.DUKPT[fmt.Sprintf("%X", serial[:keySetLength])]
	if !known {
		return nil, nil, fmt.Errorf("key set %X is not known", serial[:keySetLength])
	}
	counter := uint32(serial[7]&0x1F)<<16 | uint32(serial[8])<<8 | uint32(serial[9])
	device := fmt.Sprintf("%X%02X", serial[:7], serial[7]&0xE0)
	if !outer.Has(outer.MACField()) || a.authenticLocked(outer) { // else the line may have spoiled it
		return base, serial, a.countLocked(device, counter)
	}
	return base, serial, nil
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

// dataKey is the data key of a request with that serial number: the variant for data (A.4.1), which is encrypted under itself.
func dataKey(base, serial []byte) []byte {
	key := futureKey(base, serial)
	key[5] ^= 0xFF
	key[13] ^= 0xFF
	block, data := tripleDES(key), make([]byte, 16)
	ecb(block, data, key)
	return data
}

// futureKey is what all keys of a transaction are variants of: by the initial key (A.6), by one derivation for each one of the
// counter (A.2).
func futureKey(base, serial []byte) []byte {
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
	return key
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
