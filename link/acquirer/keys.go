package acquirer

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Field 62 of a sign-in answer carries the working keys, each encrypted under the terminal's master key (TDES, ECB) and
// followed by its check value: the first four bytes of eight zero bytes encrypted with the key itself.
//
//	24 bytes   PIN 8 | check 4 | MAC 8 | check 4
//	40 bytes   PIN 16 | check 4 | MAC 8 | zeros 8 | check 4
//	60 bytes   as 40, then track 16 | check 4
//
// Where the eight zeros are not zeros, they are the second half of a double-length MAC key.
const (
	singleKey  = 8
	doubleKey  = 16
	checkValue = 4
)

var (
	// ErrCheckValue means that a working key did not decrypt to what its check value promises: this terminal and the
	// acquirer do not hold the same master key, or the answer was damaged.
	ErrCheckValue = errors.New("working key check value does not match")
	// ErrKeyField means that field 62 of a sign-in answer is no known layout of working keys.
	ErrKeyField = errors.New("sign-in answer without usable working keys")
	// ErrMasterKey means that no usable terminal master key is configured.
	ErrMasterKey = errors.New("terminal master key not usable")
)

// key is a DES key of 8 bytes or a TDES key of 16. It is held behind a pointer to a string, which fmt prints as an
// address even where it can call no method: a pointer to a slice it follows when the verb is a wrong one.
type key struct{ material *string }

func newKey(material []byte) key {
	kept := string(material)
	return key{&kept}
}

func (k key) bytes() []byte { return []byte(*k.material) }

func (k key) isZero() bool { return k.material == nil }

// cipher builds the block cipher: DES for 8 bytes, TDES with K1 K2 K1 for 16.
func (k key) cipher() cipher.Block {
	material := k.bytes()
	var block cipher.Block
	var err error
	if len(material) == singleKey {
		block, err = des.NewCipher(material)
	} else {
		block, err = des.NewTripleDESCipher(append(bytes.Clone(material), material[:singleKey]...))
	}
	if err != nil {
		panic("acquirer: key of a length that newKey's callers never make") // our own mistake, before any message
	}
	return block
}

// halves splits a key for X9.19. A single-length key is its own second half.
func (k key) halves() (left, right key) {
	material := k.bytes()
	return newKey(material[:singleKey]), newKey(material[len(material)-singleKey:])
}

func (k key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[key]") }
func (k key) LogValue() slog.Value       { return slog.StringValue("[key]") }

// masterKey accepts a terminal master key of 16 bytes whose halves differ: equal halves would be single DES.
func masterKey(material []byte) (key, error) {
	switch {
	case len(material) != doubleKey:
		return key{}, fmt.Errorf("%w: want %d bytes, have %d; load it again from the key sheet", ErrMasterKey, doubleKey, len(material))
	case bytes.Equal(material[:singleKey], material[singleKey:]):
		return key{}, fmt.Errorf("%w: both halves are equal; load it again from the key sheet", ErrMasterKey)
	}
	return newKey(material), nil
}

// openMACKey verifies every key of field 62 and returns the one this terminal uses, the MAC key. The others are checked
// because one wrong key means a wrong master key, and are then forgotten: what is not kept cannot leak.
func openMACKey(master key, field62 []byte) (key, error) {
	type part struct {
		name   string
		length int
	}
	layouts := map[int][]part{
		24: {{"PIN", singleKey}, {"MAC", singleKey}},
		40: {{"PIN", doubleKey}, {"MAC", doubleKey}},
		60: {{"PIN", doubleKey}, {"MAC", doubleKey}, {"track", doubleKey}},
	}
	layout, known := layouts[len(field62)]
	if !known {
		return key{}, fmt.Errorf("%w: field 62 has %d bytes, want 24, 40 or 60", ErrKeyField, len(field62))
	}
	var mac key
	for _, p := range layout {
		block, check := field62[:p.length], field62[p.length:p.length+checkValue]
		field62 = field62[p.length+checkValue:]
		if p.name == "MAC" {
			block = trimZeroHalf(block)
		} else if isZero(block) && isZero(check) {
			continue // a key that this acquirer does not use
		}
		opened, err := openKey(master, block, check)
		if err != nil {
			return key{}, fmt.Errorf("%s key: %w", p.name, err)
		}
		if p.name == "MAC" {
			mac = opened
		}
	}
	return mac, nil
}

func isZero(b []byte) bool { return bytes.Equal(b, make([]byte, len(b))) }

func trimZeroHalf(block []byte) []byte {
	if len(block) == doubleKey && isZero(block[singleKey:]) {
		return block[:singleKey]
	}
	return block
}

// openKey decrypts one key and holds it against its check value.
func openKey(master key, block, check []byte) (key, error) {
	plain := make([]byte, len(block))
	unwrap := master.cipher()
	for i := 0; i < len(block); i += des.BlockSize {
		unwrap.Decrypt(plain[i:], block[i:])
	}
	opened := newKey(plain)
	clear(plain)
	var zeros [des.BlockSize]byte
	opened.cipher().Encrypt(zeros[:], zeros[:])
	if !bytes.Equal(zeros[:checkValue], check) {
		return key{}, fmt.Errorf("%w: have the acquirer confirm the terminal's master key", ErrCheckValue)
	}
	return opened, nil
}
