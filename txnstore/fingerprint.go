package txnstore

import (
	"encoding/hex"

	"posagent/txnstore/txn"
)

// FingerprintSize is the length of a fingerprint, in hexadecimal characters.
const FingerprintSize = 2 * markSize

// Fingerprint names a card without its number: the mark of mark.go in hex. It is the same in every store with this key, and
// worth nothing without the key.
func (s *Store) Fingerprint(pan txn.PAN) string { return s.codec.seals.fingerprint(pan) }

// Fingerprints makes them while no store is open, for a list of cards that an agent will compare. The key has 32 bytes.
func Fingerprints(key []byte, terminal string) (func(txn.PAN) string, error) {
	seals, err := newSealer(key, terminal)
	if err != nil {
		return nil, err
	}
	return seals.fingerprint, nil
}

func (s *sealer) fingerprint(pan txn.PAN) string {
	mark := s.cardMark(pan)
	return hex.EncodeToString(mark[:])
}
