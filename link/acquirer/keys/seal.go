package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
)

// Sealed keys: AES-256 in Galois/Counter Mode (NIST SP 800-38D) under a key that HKDF (RFC 5869) makes of the device key
// for this purpose alone. The terminal's number is bound to it, so that a file copied from another terminal does not open.
//
//	"POSKEYS" 01 | nonce 12 | set, encrypted | tag 16
const (
	sealMagic = "POSKEYS\x01"
	nonceSize = 12
	tagSize   = 16
	mostSeal  = len(sealMagic) + nonceSize + max(mostSet, familyLength) + tagSize
)

// What the device key is used for, beside what the store does with it itself.
const (
	purposeSeal   = "posagent sealed keys"
	purposeFamily = "posagent sealed DUKPT family"
	purposeBundle = "posagent key bundle"
	purposeLog    = "posagent key log"
)

// DeviceKeyLength is what the key has that the store seals cards with.
const DeviceKeyLength = 32

func derive(device []byte, purpose string) ([]byte, error) {
	if len(device) != DeviceKeyLength {
		return nil, fmt.Errorf("the device key must have %d bytes, has %d", DeviceKeyLength, len(device))
	}
	return hkdf.Key(sha256.New, device, nil, purpose, DeviceKeyLength)
}

// sealer seals what one terminal on one device keeps for one purpose.
type sealer struct {
	aead  cipher.AEAD
	bound []byte
}

func newSealer(device []byte, terminal, purpose string) (*sealer, error) {
	key, err := derive(device, purpose)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead, []byte(purpose + "\x00" + terminal + "\x00" + sealMagic)}, nil
}

func (s *sealer) seal(set *Set) ([]byte, error) {
	clearText, err := set.encode()
	if err != nil {
		return nil, err
	}
	defer clear(clearText)
	return s.sealText(clearText), nil
}

func (s *sealer) sealText(text []byte) []byte {
	out := make([]byte, len(sealMagic)+nonceSize, mostSeal)
	copy(out, sealMagic)
	nonce := out[len(sealMagic):]
	_, _ = rand.Read(nonce) // never fails, by its contract
	return s.aead.Seal(out, nonce, text, s.bound)
}

func (s *sealer) open(sealed []byte) (*Set, error) {
	text, err := s.openText(sealed)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	return decodeSet(text)
}

// openText gives what was sealed; the caller clears it.
func (s *sealer) openText(sealed []byte) ([]byte, error) {
	if len(sealed) > 0 && isZero(sealed) {
		return nil, fmt.Errorf("%w: only zeros are left of them; load new ones", ErrDestroyed)
	}
	if !IsSealed(sealed) {
		return nil, fmt.Errorf("%w: neither sealed keys nor 32 hexadecimal digits; load the keys again", ErrForm)
	}
	if len(sealed) < len(sealMagic)+nonceSize+tagSize || len(sealed) > mostSeal {
		return nil, fmt.Errorf("%w: they are damaged, or were destroyed in part; load the keys again", ErrSealed)
	}
	nonce := sealed[len(sealMagic) : len(sealMagic)+nonceSize]
	text, err := s.aead.Open(nil, nonce, sealed[len(sealMagic)+nonceSize:], s.bound)
	if err != nil {
		return nil, fmt.Errorf("%w: they are another terminal's, or of another device key, or damaged; load the keys again", ErrSealed)
	}
	return text, nil
}

// IsSealed tells a file of sealed keys from a key in the clear.
func IsSealed(content []byte) bool { return strings.HasPrefix(string(content), sealMagic) }
