package scenario

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Secrets are what must never be found in clear: the world's card numbers, what their tracks say, and its keys, in every
// form in which they travel or could be stored.
type Secrets struct{ forms []secret }

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

// AddKey adds a key by its name. It is searched for as bytes and as text in hexadecimal digits.
func (s *Secrets) AddKey(name string, key []byte) {
	if len(key) < 8 {
		return
	}
	text := hex.EncodeToString(key)
	s.forms = append(s.forms, secret{name, bytes.Clone(key)},
		secret{name + " in hexadecimal", []byte(text)}, secret{name + " in hexadecimal", []byte(strings.ToUpper(text))})
}

// leastDigits are the fewest that can be told from anything else: a card number has twelve, expiry and service code alone
// have seven.
const leastDigits = 12

func (s *Secrets) addDigits(name, digits string) {
	if len(digits) < leastDigits {
		return
	}
	s.forms = append(s.forms, secret{name, []byte(digits)})
	for _, packed := range []struct{ as, digits string }{{"packed", digits}, {"packed and shifted", digits[1:]}} {
		even := packed.digits[:len(packed.digits)&^1]
		raw, err := hex.DecodeString(even)
		// 6200000000000005 begun in the middle of a byte is 20h and zeros, which any file is full of.
		if err == nil && len(raw) >= 6 && 2*bytes.Count(raw, []byte{0}) < len(raw) {
			s.forms = append(s.forms, secret{name + ", " + packed.as, raw})
		}
	}
}

// Find searches a text, and says what it found and where, never the secret itself.
func (s Secrets) Find(where string, text []byte) []string {
	var found []string
	for _, form := range s.forms {
		if at := bytes.Index(text, form.bytes); at >= 0 {
			say := fmt.Sprintf("%s stands in %s at byte %d", form.name, where, at)
			if !slices.Contains(found, say) {
				found = append(found, say)
			}
		}
	}
	return found
}
