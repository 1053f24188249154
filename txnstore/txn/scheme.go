package txn

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
)

// Hex is bytes that people and files read in hexadecimal.
type Hex []byte

// MarshalText writes capital digits.
func (h Hex) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%X", []byte(h)), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// Bounds of what chip cards are told apart and proven by.
const (
	RIDSize    = 5   // registered application provider identifier (ISO/IEC 7816-5)
	LeastAID   = 5   // application identifier: the provider's, and up to
	MostAID    = 16  // eleven bytes more
	MostKey    = 248 // bytes of a modulus (EMV Book 2, annex B2.1)
	leastKey   = 64  // shorter ones are no scheme's, and prove nothing
	mostDDOL   = 252 // what a command of a card carries
	actionCode = 5   // terminal action code (EMV Book 3, annex C5)
)

// SchemeKey is a certification authority's public key: what a terminal proves a chip card's data by. It is public.
type SchemeKey struct {
	RID      Hex    `json:"rid"`
	Index    byte   `json:"index"`
	Expires  string `json:"expires"` // the last day, YYYYMMDD; empty where that is not known
	Modulus  Hex    `json:"modulus"`
	Exponent Hex    `json:"exponent"` // 03 or 010001
	Hash     Hex    `json:"hash"`     // SHA-1 over RID, index, modulus and exponent (EMV Book 2, 11.2.2)
}

// Name is the provider and the index.
func (k SchemeKey) Name() string { return fmt.Sprintf("%X %02X", []byte(k.RID), k.Index) }

// Check proves a key by its own hash. That finds what a line or a flash has made of it, and no forger: whoever can write the key
// can write the hash.
func (k SchemeKey) Check() error {
	if len(k.RID) != RIDSize {
		return fmt.Errorf("its provider has %d bytes, want %d", len(k.RID), RIDSize)
	}
	if len(k.Modulus) < leastKey || len(k.Modulus) > MostKey {
		return fmt.Errorf("key %s has a modulus of %d bytes, want %d to %d", k.Name(), len(k.Modulus), leastKey, MostKey)
	}
	if !bytes.Equal(k.Exponent, []byte{3}) && !bytes.Equal(k.Exponent, []byte{1, 0, 1}) {
		return fmt.Errorf("key %s has an exponent that is neither 3 nor 65537", k.Name())
	}
	if k.Expires != "" && !isDate(k.Expires) {
		return fmt.Errorf("key %s has an expiry that is no day", k.Name())
	}
	sum := sha1.New()
	for _, part := range [][]byte{k.RID, {k.Index}, k.Modulus, k.Exponent} {
		sum.Write(part)
	}
	if !bytes.Equal(sum.Sum(nil), k.Hash) {
		return fmt.Errorf("key %s does not agree with its hash", k.Name())
	}
	return nil
}

func isDate(text string) bool {
	if len(text) != 8 {
		return false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	month, day := text[4:6], text[6:]
	return month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

// Application is how a terminal deals with one application of chip cards (EMV Book 4, 10.2). What is empty leaves the reader its
// own.
type Application struct {
	AID       Hex   `json:"aid"`
	Exact     bool  `json:"exact,omitempty"` // a card's identifier must be no longer than this one
	Version   Hex   `json:"version,omitempty"`
	Default   Hex   `json:"tac_default,omitempty"`
	Online    Hex   `json:"tac_online,omitempty"`
	Denial    Hex   `json:"tac_denial,omitempty"`
	Floor     Hex   `json:"floor,omitempty"`     // minor units, binary
	Threshold Hex   `json:"threshold,omitempty"` // for biased random selection, minor units, binary
	Target    Hex   `json:"target,omitempty"`    // percent chosen at random
	MaxTarget Hex   `json:"max_target,omitempty"`
	DDOL      Hex   `json:"ddol,omitempty"` // of a card that has none
	Kept      []TLV `json:"kept,omitempty"` // what came with it and changes nothing here
}

// TLV is one object of a card's or an acquirer's.
type TLV struct {
	Tag   uint32 `json:"tag"`
	Value Hex    `json:"value"`
}

// Name is the identifier.
func (a Application) Name() string { return fmt.Sprintf("%X", []byte(a.AID)) }

// Check refuses what no reader could take.
func (a Application) Check() error {
	if len(a.AID) < LeastAID || len(a.AID) > MostAID {
		return fmt.Errorf("an application's identifier has %d bytes, want %d to %d", len(a.AID), LeastAID, MostAID)
	}
	var faults []error
	for _, part := range []struct {
		what  string
		value Hex
		width int
	}{
		{"version", a.Version, 2}, {"default action code", a.Default, actionCode}, {"online action code", a.Online, actionCode},
		{"denial action code", a.Denial, actionCode}, {"floor limit", a.Floor, 4}, {"threshold", a.Threshold, 4},
		{"target percentage", a.Target, 1}, {"highest target percentage", a.MaxTarget, 1},
	} {
		if len(part.value) != 0 && len(part.value) != part.width {
			faults = append(faults, fmt.Errorf("application %s: %s has %d bytes, want %d", a.Name(), part.what, len(part.value), part.width))
		}
	}
	if len(a.DDOL) > mostDDOL {
		faults = append(faults, fmt.Errorf("application %s: its list of data has %d bytes, at most %d", a.Name(), len(a.DDOL), mostDDOL))
	}
	return errors.Join(faults...)
}
