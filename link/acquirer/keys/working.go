package keys

import (
	"bytes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Field 62 of a sign-in answer carries the working keys, each encrypted under the terminal's master key (TDES, ECB) and
// followed by its check value:
//
//	24 bytes   PIN 8 | check 4 | MAC 8 | check 4
//	40 bytes   PIN 16 | check 4 | MAC 8 | zeros 8 | check 4
//	60 bytes   as 40, then track 16 | check 4
//
// Where the eight zeros are not zeros, they are the second half of a double-length MAC key; with CMAC the sixteen bytes
// are one AES key. A PIN or track key of zeros with a check value of zeros is one that this acquirer does not use.
const checkValueLength = 4

type workingPart struct {
	name   string
	length int
}

func workingLayout(length int) []workingPart {
	switch length {
	case 24:
		return []workingPart{{"PIN", SingleLength}, {"MAC", SingleLength}}
	case 40:
		return []workingPart{{"PIN", DoubleLength}, {"MAC", DoubleLength}}
	case 60:
		return []workingPart{{"PIN", DoubleLength}, {"MAC", DoubleLength}, {"track", DoubleLength}}
	}
	return nil
}

// Working are the keys of one sign-in that this terminal uses. The PIN key is verified with the others, because one wrong
// key means a wrong master key, and is then forgotten: PINs are encrypted in the PIN pad, and what is not kept cannot leak.
// The pad is given the key as it came, under the master key that both have.
type Working struct {
	MAC   Key
	Track Key        // zero where the acquirer gave none
	PIN   WrappedKey // likewise
}

// WrappedKey is a working key as the acquirer sent it: of use only to who has the master key. It is held behind a pointer,
// where no print of what holds it gets at.
type WrappedKey struct{ key *wrappedKey }

type wrappedKey struct {
	block []byte
	check [checkValueLength]byte
}

// Format keeps it out of every print.
func (k WrappedKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[wrapped key]") }

// LogValue keeps it out of the log likewise.
func (k WrappedKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// IsZero reports whether there is no key.
func (k WrappedKey) IsZero() bool { return k.key == nil }

// Bytes is the key under the master key, a copy; none of no key.
func (k WrappedKey) Bytes() []byte {
	if k.key == nil {
		return nil
	}
	return append([]byte(nil), k.key.block...)
}

// Check is the first four bytes of eight zero bytes encrypted under the key, which was verified.
func (k WrappedKey) Check() (check [checkValueLength]byte) {
	if k.key != nil {
		check = k.key.check
	}
	return check
}

// Destroy clears them.
func (w Working) Destroy() {
	w.MAC.Destroy()
	w.Track.Destroy()
}

// OpenWorking verifies every key of field 62. On any error nothing of it may be used: ErrKeyField, ErrCheckValue, and what
// is wrong with the master key.
func OpenWorking(master Key, field62 []byte, a MAC) (Working, error) {
	layout := workingLayout(len(field62))
	if layout == nil {
		return Working{}, fmt.Errorf("%w: field 62 has %d bytes, want 24, 40 or 60", ErrKeyField, len(field62))
	}
	var w Working
	for _, p := range layout {
		block, check := field62[:p.length], field62[p.length:p.length+checkValueLength]
		field62 = field62[p.length+checkValueLength:]
		isAES := false
		switch {
		case p.name == "MAC" && a == CMAC:
			if isAES = true; p.length != DoubleLength || isZero(block[SingleLength:]) {
				w.Destroy()
				return Working{}, fmt.Errorf("%w: the MAC key has %d bytes and AES wants %d", ErrKeyField, SingleLength, DoubleLength)
			}
		case p.name == "MAC":
			block = trimZeroHalf(block)
		case isZero(block) && isZero(check):
			continue
		}
		opened, err := openKey(master, block, check, isAES)
		if err != nil {
			w.Destroy()
			return Working{}, fmt.Errorf("%s key: %w", p.name, err)
		}
		switch p.name {
		case "MAC":
			w.MAC = opened
		case "track":
			w.Track = opened
		default:
			opened.Destroy()
			w.PIN = WrappedKey{&wrappedKey{append([]byte(nil), block...), [checkValueLength]byte(check)}}
		}
	}
	return w, nil
}

func isZero(b []byte) bool { return bytes.Equal(b, make([]byte, len(b))) }

func trimZeroHalf(block []byte) []byte {
	if len(block) == DoubleLength && isZero(block[SingleLength:]) {
		return block[:SingleLength]
	}
	return block
}

// openKey decrypts one key and holds it against its check value.
func openKey(master Key, block, check []byte, isAES bool) (Key, error) {
	plain := make([]byte, len(block))
	if err := master.use(func(c cipher.Block) { decryptECB(c, plain, block) }); err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrMasterKey, err)
	}
	opened := newKey(plain, isAES)
	if want := opened.CheckValue(); subtle.ConstantTimeCompare(want[:], check) != 1 {
		opened.Destroy()
		return Key{}, fmt.Errorf("%w: have the acquirer confirm the terminal's master key", ErrCheckValue)
	}
	return opened, nil
}
