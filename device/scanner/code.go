package scanner

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Code is a payment code and whose it is. It prints masked, whatever the verb. The digits are held behind a pointer, so
// that only the pointer is printed where fmt cannot call methods.
type Code struct {
	digits *string
	route  string
	print  Fingerprint
}

// Fingerprint names a code without showing it: 128 bits of a keyed hash. Without the key it cannot be found by trying all
// codes, of which there are too few.
type Fingerprint [16]byte

// String is the fingerprint in hexadecimal digits.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

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
	return Code{&text, route, Fingerprint(hash.Sum(nil)[:16])}, nil
}

// Route is the name of the platform that the code belongs to.
func (c Code) Route() string { return c.route }

// Fingerprint is the code's name in records.
func (c Code) Fingerprint() Fingerprint { return c.print }

// IsZero reports whether no code is held.
func (c Code) IsZero() bool { return c.digits == nil }

// Masked shows the first two and the last four digits.
func (c Code) Masked() string {
	if c.digits == nil {
		return ""
	}
	d := *c.digits
	return d[:2] + strings.Repeat("*", len(d)-6) + d[len(d)-4:]
}

// DigitsInTheClear is the only way out for the whole code. Its caller is whoever packs the request to the platform.
func (c Code) DigitsInTheClear() string {
	if c.digits == nil {
		return ""
	}
	return *c.digits
}

func (c Code) String() string               { return c.Masked() }
func (c Code) GoString() string             { return c.Masked() }
func (c Code) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, c.Masked()) }
func (c Code) LogValue() slog.Value         { return slog.StringValue(c.Masked()) }
func (c Code) MarshalText() ([]byte, error) { return []byte(c.Masked()), nil }
