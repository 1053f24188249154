package txnstore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// sealer seals what of a card may be kept: AES-256 in Galois/Counter Mode (NIST SP 800-38D) with a random 96-bit nonce in
// front and the 128-bit tag behind. The additional data binds a seal to its terminal and transaction, so that a sealed
// card copied into another record does not open.
type sealer struct {
	aead     cipher.AEAD
	search   [sha256.Size]byte // key of cardMark
	codes    [sha256.Size]byte // key of payment codes' fingerprints
	terminal string
}

const (
	keySize      = 32
	nonceSize    = 12
	sealOverhead = nonceSize + 16

	purposeCard  = "posagent card"
	purposeCheck = "posagent key check" // a constant sealed at birth: a wrong key is told at once, not record by record
)

func newSealer(key []byte, terminal string) (*sealer, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("store key must have %d bytes, has %d", keySize, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("store key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("store key: %w", err)
	}
	return &sealer{aead, derivedKey(key, purposeSearch), derivedKey(key, purposeCodes), terminal}, nil
}

func (s *sealer) bound(purpose string, id uint64) []byte {
	b := make([]byte, 0, len(purpose)+len(s.terminal)+10)
	b = append(append(b, purpose...), 0)
	b = append(append(b, s.terminal...), 0)
	return binary.BigEndian.AppendUint64(b, id)
}

func (s *sealer) seal(purpose string, id uint64, clear []byte) []byte {
	nonce := make([]byte, nonceSize, sealOverhead+len(clear))
	_, _ = rand.Read(nonce) // never fails: it ends the process when the system has no randomness
	return s.aead.Seal(nonce, nonce, clear, s.bound(purpose, id))
}

func (s *sealer) open(purpose string, id uint64, sealed []byte) ([]byte, error) {
	if len(sealed) < sealOverhead {
		return nil, errors.New("sealed part is too short")
	}
	clear, err := s.aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], s.bound(purpose, id))
	if err != nil {
		return nil, ErrSealed
	}
	return clear, nil
}

func (s *sealer) keyCheck() []byte { return s.seal(purposeCheck, 0, []byte(purposeCheck)) }

func (s *sealer) checkKey(sealed []byte) error {
	clear, err := s.open(purposeCheck, 0, sealed)
	if err == nil && string(clear) != purposeCheck {
		err = ErrSealed
	}
	return err
}
