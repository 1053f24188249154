package txn

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Card data is held behind a pointer to a string, and every way of printing it is taken: fmt calls Format for all verbs,
// slog calls LogValue, encoders call MarshalText. Reached through an unexported field of another struct, where fmt
// cannot call methods, only the pointer is printed. It has to be a string: for a verb that does not suit a pointer, fmt
// follows one that leads to a slice, an array, a struct or a map.

// PAN is a primary account number of 12 to 19 digits (ISO/IEC 7812-1), or the mask of one (masked.go). It prints masked.
type PAN struct{ digits *string }

// ParsePAN accepts 12 to 19 digits. The error never repeats what was refused.
func ParsePAN(digits string) (PAN, error) {
	if len(digits) < 12 || len(digits) > 19 || strings.Trim(digits, "0123456789") != "" {
		return PAN{}, fmt.Errorf("card number refused: want 12 to 19 digits, got %d characters", len(digits))
	}
	return PAN{&digits}, nil
}

// IsZero reports whether no number is held.
func (p PAN) IsZero() bool { return p.digits == nil }

// Equal compares what is held of two numbers, in constant time for equal lengths. Equal masks may be of two cards.
func (p PAN) Equal(q PAN) bool {
	if p.digits == nil || q.digits == nil {
		return p.digits == q.digits
	}
	return subtle.ConstantTimeCompare([]byte(*p.digits), []byte(*q.digits)) == 1
}

// Masked shows the first six and last four digits (PCI DSS 3.4.1), and nothing at all of a number too short for that.
func (p PAN) Masked() string {
	if p.digits == nil {
		return ""
	}
	d := *p.digits
	if len(d) < 14 {
		return strings.Repeat("*", len(d)-4) + d[len(d)-4:]
	}
	return d[:6] + strings.Repeat("*", len(d)-10) + d[len(d)-4:]
}

// Last4 is what a cardholder reads from the card.
func (p PAN) Last4() string {
	if p.digits == nil {
		return ""
	}
	return (*p.digits)[len(*p.digits)-4:]
}

// DigitsInTheClear is the only way out for the whole number; of a masked one it gives none. Its caller is the message packer.
func (p PAN) DigitsInTheClear() string {
	if p.digits == nil || p.IsMasked() {
		return ""
	}
	return *p.digits
}

func (p PAN) String() string               { return p.Masked() }
func (p PAN) GoString() string             { return p.Masked() }
func (p PAN) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, p.Masked()) }
func (p PAN) LogValue() slog.Value         { return slog.StringValue(p.Masked()) }
func (p PAN) MarshalText() ([]byte, error) { return []byte(p.Masked()), nil }

// Track is the content of magnetic track 2 without sentinels, '=' or 'D' between number and expiry
// (ISO/IEC 7813). It lives in memory for one exchange and is never stored.
type Track struct{ data *string }

// ParseTrack accepts up to 37 characters of digits with one separator, '=' or 'D', and keeps '=' as the separator.
func ParseTrack(data string) (Track, error) {
	data = strings.Map(func(r rune) rune {
		if r == 'D' || r == 'd' {
			return '='
		}
		return r
	}, data)
	if len(data) > 37 || strings.Count(data, "=") != 1 || strings.Trim(data, "0123456789=") != "" {
		return Track{}, fmt.Errorf("track 2 refused: want up to 37 digits with one separator, got %d characters", len(data))
	}
	return Track{&data}, nil
}

// Card reads number and expiry (YYMM) from the track.
func (t Track) Card() (pan PAN, expiry string, err error) {
	if t.data == nil {
		return PAN{}, "", fmt.Errorf("track 2 is empty")
	}
	number, rest, _ := strings.Cut(*t.data, "=")
	if pan, err = ParsePAN(number); err != nil {
		return PAN{}, "", err
	}
	if len(rest) < 4 {
		return PAN{}, "", fmt.Errorf("track 2 has no expiry date")
	}
	return pan, rest[:4], nil
}

// IsZero reports whether no track is held.
func (t Track) IsZero() bool { return t.data == nil }

// DataInTheClear is the only way out for the whole track. Its caller is the message packer.
func (t Track) DataInTheClear() string {
	if t.data == nil {
		return ""
	}
	return *t.data
}

const trackMask = "[track]"

func (t Track) String() string               { return trackMask }
func (t Track) GoString() string             { return trackMask }
func (t Track) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, trackMask) }
func (t Track) LogValue() slog.Value         { return slog.StringValue(trackMask) }
func (t Track) MarshalText() ([]byte, error) { return []byte(trackMask), nil }

// Chip is EMV data as BER-TLV (EMV Book 3, annex B). It may carry a card number, so only its length prints.
type Chip struct{ tlv *string }

// NewChip keeps a copy of tlv; nil or empty is no chip data.
func NewChip(tlv []byte) Chip {
	if len(tlv) == 0 {
		return Chip{}
	}
	kept := string(tlv)
	return Chip{&kept}
}

// IsZero reports whether no chip data is held.
func (c Chip) IsZero() bool { return c.tlv == nil }

// BytesInTheClear is the only way out for the data. Its callers are the message packer and the store.
func (c Chip) BytesInTheClear() []byte {
	if c.tlv == nil {
		return nil
	}
	return []byte(*c.tlv)
}

func (c Chip) mask() string {
	if c.tlv == nil {
		return "[no chip data]"
	}
	return fmt.Sprintf("[chip data, %d bytes]", len(*c.tlv))
}
func (c Chip) String() string               { return c.mask() }
func (c Chip) GoString() string             { return c.mask() }
func (c Chip) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, c.mask()) }
func (c Chip) LogValue() slog.Value         { return slog.StringValue(c.mask()) }
func (c Chip) MarshalText() ([]byte, error) { return []byte(c.mask()), nil }
