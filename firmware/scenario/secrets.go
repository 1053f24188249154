package scenario

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Secrets are what must never be found in clear: the world's card numbers, what their tracks say, its keys and
// the blocks of PINs, in every form in which they travel or could be stored.
type Secrets struct {
	forms []secret
	heads *heads
}

// heads are the first bytes of all forms, two and two: what begins otherwise need not be compared.
type heads [3]pairs

// pairs is a set of pairs of bytes.
type pairs [1 << 16 / 64]uint64

func (p *pairs) add(a, b byte)      { p[int(a)<<2|int(b>>6)] |= 1 << (b & 63) }
func (p *pairs) has(a, b byte) bool { return p[int(a)<<2|int(b>>6)]>>(b&63)&1 == 1 }

// secret is one form of one secret. Its name may be printed.
type secret struct {
	name  string
	bytes []byte
}

// AddCard adds a card by its name. Number and track 2 (number, separator, expiry YYMM, service code …) are searched for
// as text, as packed digits, and as packed digits that begin in the middle of a byte, as they do inside a field.
func (s *Secrets) AddCard(name, number, track string) {
	s.addDigits("the number of "+name, number)
	_, behind, found := strings.Cut(strings.ReplaceAll(track, "=", "D"), "D")
	if found {
		s.addDigits("the track of "+name, behind)
	}
}

// AddKey adds a key, or the block of a PIN, by its name. It is searched for as bytes and as text in hexadecimal digits.
func (s *Secrets) AddKey(name string, key []byte) {
	if len(key) < 8 {
		return
	}
	text := hex.EncodeToString(key)
	s.add(secret{name, bytes.Clone(key)},
		secret{name + " in hexadecimal", []byte(text)}, secret{name + " in hexadecimal", []byte(strings.ToUpper(text))})
}

// Clone is a copy that can be added to while others search s.
func (s Secrets) Clone() Secrets {
	c := Secrets{forms: slices.Clone(s.forms)}
	if s.heads != nil {
		copied := *s.heads
		c.heads = &copied
	}
	return c
}

// leastDigits are the fewest that can be told from anything else: a card number has twelve, expiry and service code alone
// have seven.
const leastDigits = 12

func (s *Secrets) addDigits(name, digits string) {
	if len(digits) < leastDigits {
		return
	}
	s.add(secret{name, []byte(digits)})
	for _, packed := range []struct{ as, digits string }{{"packed", digits}, {"packed and shifted", digits[1:]}} {
		even := packed.digits[:len(packed.digits)&^1]
		raw, err := hex.DecodeString(even)
		// 6200000000000005 begun in the middle of a byte is 20h and zeros, which any file is full of.
		if err == nil && len(raw) >= 6 && 2*bytes.Count(raw, []byte{0}) < len(raw) {
			s.add(secret{name + ", " + packed.as, raw})
		}
	}
}

// Find searches a text, and says what it found and where, never the secret itself.
func (s Secrets) Find(where string, text []byte) []string {
	if s.heads == nil {
		return nil
	}
	var found []string
	for i := range len(text) - 5 {
		if s.heads[0].has(text[i], text[i+1]) && s.heads[1].has(text[i+2], text[i+3]) && s.heads[2].has(text[i+4], text[i+5]) {
			found = s.at(i, where, text, found)
		}
	}
	return found
}

// at looks at one place. A form that was found before is not named again.
func (s Secrets) at(i int, where string, text []byte, found []string) []string {
	for _, form := range s.forms {
		if text[i+3] != form.bytes[3] || !bytes.HasPrefix(text[i:], form.bytes) {
			continue
		}
		name := form.name + " stands in " + where
		if !slices.ContainsFunc(found, func(said string) bool { return strings.HasPrefix(said, name+" at byte ") }) {
			found = append(found, fmt.Sprintf("%s at byte %d", name, i))
		}
	}
	return found
}

// add makes a form searched for. None has fewer than six bytes.
func (s *Secrets) add(forms ...secret) {
	if s.heads == nil {
		s.heads = new(heads)
	}
	for _, form := range forms {
		s.heads[0].add(form.bytes[0], form.bytes[1])
		s.heads[1].add(form.bytes[2], form.bytes[3])
		s.heads[2].add(form.bytes[4], form.bytes[5])
	}
	s.forms = append(s.forms, forms...)
}
