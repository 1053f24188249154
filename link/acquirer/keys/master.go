package keys

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// NewMaster accepts a terminal master key of 16 bytes whose halves differ: equal halves would be single DES. The caller
// clears its own bytes.
func NewMaster(s []byte) (Key, error) {
	if err := judgeDouble(s); err != nil {
		return Key{}, fmt.Errorf("%w: %w; load it again from the key sheet", ErrMasterKey, err)
	}
	return newKey(bytes.Clone(s), false), nil
}

// Component is one of the two parts of which a master key is the exclusive or: neither alone says anything about it.
type Component struct{ key Key }

// CheckValue is what the sheet of this component says.
func (c Component) CheckValue() CheckValue { return c.key.CheckValue() }

// Format keeps a component out of every print: it shows its check value.
func (c Component) Format(f fmt.State, verb rune) { c.key.Format(f, verb) }

// Destroy clears a component that is not combined after all.
func (c Component) Destroy() { c.key.Destroy() }

// Parity says whether the digits of a component sheet carry parity.
type Parity bool

const (
	OddParity Parity = true  // each byte has an odd number of ones (ANSI X3.92), so that most mistyped digits are found
	NoParity  Parity = false // sheets of acquirers that draw components without it
)

// componentDigits is what a sheet has: sixteen bytes in hexadecimal.
const componentDigits = 2 * DoubleLength

// ParseComponent reads what somebody typed: 32 hexadecimal digits, with or without spaces. The caller clears typed. Its
// errors are ErrComponent with what is wrong and where, and never a digit.
func ParseComponent(typed []byte, p Parity) (Component, error) {
	digits := make([]byte, 0, len(typed))
	defer func() { clear(digits[:cap(digits)]) }()
	for i, b := range typed {
		switch {
		case b == ' ' || b == '-':
			continue
		case !bytes.ContainsRune([]byte("0123456789abcdefABCDEF"), rune(b)):
			return Component{}, fmt.Errorf("%w: character %d is not one of 0 to 9 and A to F; type it again", ErrComponent, i+1)
		}
		digits = append(digits, b)
	}
	if len(digits) != componentDigits {
		return Component{}, fmt.Errorf("%w: it has %d digits and must have %d; type it again", ErrComponent, len(digits), componentDigits)
	}
	b := make([]byte, DoubleLength)
	if _, err := hex.Decode(b, digits); err != nil {
		clear(b)
		return Component{}, fmt.Errorf("%w: not hexadecimal; type it again", ErrComponent)
	}
	for i, v := range b {
		if p == OddParity && bits.OnesCount8(v)%2 == 0 {
			clear(b)
			return Component{}, fmt.Errorf("%w: digits %d and %d have the wrong parity; compare them with the sheet and type it again",
				ErrComponent, 2*i+1, 2*i+2)
		}
	}
	if err := judgeDouble(b); err != nil {
		clear(b)
		return Component{}, fmt.Errorf("%w: %w; it cannot have come from a key sheet, ask for another one", ErrComponent, err)
	}
	return Component{newKey(b, false)}, nil
}

// Combine makes the master key and destroys both components, also where it fails. The key gets odd parity, which changes
// neither what it does nor its check value.
func Combine(first, second Component) (Key, error) { return combine(first, second, oddParity) }

// CombineInitial makes a DUKPT initial key likewise. Its parity bits stay as they come: they go into what is derived from it.
func CombineInitial(first, second Component) (Key, error) {
	return combine(first, second, func([]byte) {})
}

func combine(first, second Component, adjust func([]byte)) (Key, error) {
	defer first.Destroy()
	defer second.Destroy()
	a, err := first.key.Secret()
	if err != nil {
		return Key{}, err
	}
	defer clear(a)
	b, err := second.key.Secret()
	if err != nil {
		return Key{}, err
	}
	defer clear(b)
	for i := range a {
		a[i] ^= b[i]
	}
	equal := true
	for _, v := range a {
		equal = equal && v&^1 == 0 // but for parity
	}
	if equal {
		return Key{}, fmt.Errorf("%w: both components are the same, and together no key; use the two different sheets", ErrComponent)
	}
	adjust(a)
	if err := judgeDouble(a); err != nil {
		return Key{}, fmt.Errorf("%w: together the components make no usable key: %w; ask for new sheets", ErrComponent, err)
	}
	return newKey(bytes.Clone(a), false), nil
}
