package txn

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// ErrCodeUsed refuses a payment code that was submitted under another order. Begin returns that order beside it.
var ErrCodeUsed = errors.New("this payment code was used before")

// Scanned is a payment code that the customer's telephone showed (03, bar code, of field 22).
const Scanned Entry = "scanned"

// Fingerprint names a payment code without showing it: 128 bits of a hash under the store's key. Without the key it cannot be
// found by trying all codes, of which there are too few.
type Fingerprint [16]byte

// String is the fingerprint in hexadecimal digits.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// PayCode is a payment code and whose it is. Whoever has its digits can charge the telephone's owner, once, for about a minute:
// it exists for one request, is never stored, and prints masked whatever the verb, as a PAN does.
type PayCode struct {
	digits   *string
	platform string
	print    Fingerprint
}

// Limits of a payment code, chosen by us: so that the mask hides at least half of one.
const (
	MinPayCode  = 12
	MaxPayCode  = 32
	MaxPlatform = 32 // bytes of a platform's name
)

// NewPayCode takes a code and what is known of it. The error never repeats what was refused.
func NewPayCode(digits, platform string, print Fingerprint) (PayCode, error) {
	if len(digits) < MinPayCode || len(digits) > MaxPayCode || strings.Trim(digits, "0123456789") != "" {
		return PayCode{}, fmt.Errorf("payment code refused: want %d to %d digits, got %d characters", MinPayCode, MaxPayCode, len(digits))
	}
	return PayCode{&digits, platform, print}, nil
}

// IsZero reports whether no code is held.
func (c PayCode) IsZero() bool { return c.digits == nil }

// Route is the name of the platform that the code belongs to.
func (c PayCode) Route() string { return c.platform }

// Fingerprint is the code's name in records.
func (c PayCode) Fingerprint() Fingerprint { return c.print }

// Kept is what may be stored of it.
func (c PayCode) Kept() Code { return NewCode(c.platform, c.Masked(), c.print) }

// Masked shows the first two and the last four digits.
func (c PayCode) Masked() string {
	if c.digits == nil {
		return ""
	}
	d := *c.digits
	return d[:2] + strings.Repeat("*", len(d)-6) + d[len(d)-4:]
}

// DigitsInTheClear is the only way out for the whole code. Its caller is the message packer.
func (c PayCode) DigitsInTheClear() string {
	if c.digits == nil {
		return ""
	}
	return *c.digits
}

func (c PayCode) String() string               { return c.Masked() }
func (c PayCode) GoString() string             { return c.Masked() }
func (c PayCode) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, c.Masked()) }
func (c PayCode) LogValue() slog.Value         { return slog.StringValue(c.Masked()) }
func (c PayCode) MarshalText() ([]byte, error) { return []byte(c.Masked()), nil }

// Code is what is kept of a payment code, in place of a card: whose it is, its mask, and its fingerprint. What undoes a sale by
// code has no fingerprint: it submits none. The zero value is none. It is one word, because records are copied a lot.
type Code struct{ kept *kept }

type kept struct {
	platform, masked string
	print            Fingerprint
}

// NewCode puts one together from what a record has of it; the mask is empty in records that do not show one.
func NewCode(platform, masked string, print Fingerprint) Code {
	return Code{&kept{platform, masked, print}}
}

// IsZero reports whether the transaction is one with a card.
func (c Code) IsZero() bool { return c.kept == nil }

// Equal compares everything that is kept.
func (c Code) Equal(o Code) bool {
	return c == o || c.kept != nil && o.kept != nil && *c.kept == *o.kept
}

// Platform is whose the code is.
func (c Code) Platform() string {
	if c.kept == nil {
		return ""
	}
	return c.kept.platform
}

// Masked shows the first two and the last four digits.
func (c Code) Masked() string {
	if c.kept == nil {
		return ""
	}
	return c.kept.masked
}

// Print is the fingerprint of what was submitted, zero where nothing was.
func (c Code) Print() Fingerprint {
	if c.kept == nil {
		return Fingerprint{}
	}
	return c.kept.print
}

// Undone is the code of what undoes a transaction.
func (c Code) Undone() Code {
	if c.kept == nil {
		return c
	}
	return NewCode(c.kept.platform, c.kept.masked, Fingerprint{})
}

func (c Code) String() string { return c.Masked() }

// check refuses what nobody could hold against another order, and kinds that no platform has.
func (c Code) check(k Kind) error {
	switch {
	case c.IsZero():
		return nil
	case k != Sale && k != Void && k != Refund:
		return fmt.Errorf("a %s cannot be made with a payment code", k)
	case (k == Sale) == (c.Print() == Fingerprint{}):
		return errors.New("a sale by payment code has its fingerprint, and nothing else has one")
	}
	return nil
}
