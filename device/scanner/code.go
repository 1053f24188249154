package scanner

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"

	"posagent/txnstore/txn"
)

// Code is a payment code and whose it is. It prints masked, whatever the verb.
type Code = txn.PayCode

// Fingerprint names a code without showing it.
type Fingerprint = txn.Fingerprint

// MinKey is how many bytes the key of fingerprints has at least.
const MinKey = 16

// ParseCode takes what a scanner read. It returns ErrNotPayCode for a text that no route claims; the error never repeats
// what was refused. key must be the same for the life of the records that hold fingerprints.
func ParseCode(text string, routes Routes, key []byte) (Code, error) {
	if len(key) < MinKey {
		return Code{}, fmt.Errorf("payment codes: the key of fingerprints has %d bytes, want %d at least", len(key), MinKey)
	}
	if !decimal(text) {
		return Code{}, fmt.Errorf("%w: it has %d characters that are not all digits", ErrNotPayCode, len(text))
	}
	route, ok := routes.of(text)
	if !ok {
		return Code{}, fmt.Errorf("%w: no platform has codes of %d digits that begin like this", ErrNotPayCode, len(text))
	}
	hash := hmac.New(sha256.New, key)
	_, _ = io.WriteString(hash, "payment code\x00"+text)
	return txn.NewPayCode(text, route, Fingerprint(hash.Sum(nil)[:16]))
}
