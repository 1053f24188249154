package capture

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrCardData says that a recording holds a number that is not known to be a test number. Nothing of it was written.
var ErrCardData = errors.New("the recording holds a number that may be a card's or a payment code, and is none of the test numbers: " +
	"nothing was written; repeat it with test cards only")

// Digits of a number that is looked at: a card's has 12 to 19 (ISO/IEC 7812-1), a payment code up to 32.
const (
	minNumber = 12
	maxNumber = 32
)

// Judge refuses a recording in which a number stands that is not in known. Of each direction it looks at all bytes as one
// stream, so that a number in two pieces is seen, for
//
//   - 12 or more digits in a row as text, in groups or not, with a parity bit or not: a track, a payment code, a number
//     anywhere. Digits behind a known number and one separator (= ^ D) belong to its track: date, service code,
//     discretionary data. On track 1 a name stands between.
//   - 12 or more packed digits, the separator D, and behind it a date YYMM and the three digits of a service code: track 2 of
//     a chip.
//   - packed digits of the length that a tag 5A announces: the number of a chip.
//
// Random bytes may look like a number; they are refused as well.
func (c Capture) Judge(known []string) error {
	for _, to := range []Direction{ToDevice, FromDevice} {
		var stream []byte
		for _, e := range c.Events {
			if e.To == to {
				stream = append(stream, e.Bytes...)
			}
		}
		strange := strangeText(stream, known) || strangeTrack(stream, known) || strangeNumber(stream, known)
		for i := range stream {
			stream[i] &= 0x7F // text with parity, read as eight bits
		}
		strange = strange || strangeText(stream, known)
		clear(stream)
		if strange {
			return ErrCardData
		}
	}
	if strangeText([]byte(c.Note), known) {
		return fmt.Errorf("%w (in the note)", ErrCardData)
	}
	return nil
}

// strangeText looks for digits as text.
func strangeText(stream []byte, known []string) bool {
	const name = 28 // a track 1 has at most 26 characters of name between two separators
	trusted := -1   // where digits may stand that belong to the track of a known number
	for at := 0; at < len(stream); {
		number, end := numberAt(stream, at)
		switch {
		case number == "":
			at++
			continue
		case slices.Contains(known, number):
			if end < len(stream) {
				switch stream[end] {
				case '=', 'D', 'd':
					trusted = end + 1
				case '^':
					trusted = end + 1 + separated(stream[end+1:], name)
				}
			}
		case len(number) >= minNumber && at != trusted && strings.Trim(number, "0") != "": // zeros are nobody's
			return true
		}
		at = end
	}
	return false
}

// numberAt reads the digits that begin at a place, over single spaces and hyphens between them.
func numberAt(stream []byte, at int) (number string, end int) {
	var digits []byte
	for i := at; i < len(stream); i++ {
		gap := len(digits) > 0 && (stream[i] == ' ' || stream[i] == '-')
		switch {
		case digit(stream[i]):
			digits, end = append(digits, stream[i]), i+1
		case gap && i == end:
		default:
			return string(digits), end
		}
	}
	return string(digits), end
}

// separated is how far behind the start of b the character after its first ^ stands; -1 if there is none within limit.
func separated(b []byte, limit int) int {
	for i, c := range b[:min(limit, len(b))] {
		if c == '^' {
			return i + 1
		}
	}
	return -1
}

// strangeTrack looks for packed digits in front of a D and a date.
func strangeTrack(stream []byte, known []string) bool {
	half := func(i int) byte {
		if i%2 == 0 {
			return stream[i/2] >> 4
		}
		return stream[i/2] & 0x0F
	}
	begin := 0
	for i := range 2 * len(stream) {
		if half(i) <= 9 {
			continue
		}
		if half(i) == 0x0D && i-begin >= minNumber && i+7 < 2*len(stream) && !isText(stream[:i/2]) {
			var run strings.Builder
			for j := begin; j < i+8; j++ {
				run.WriteByte('0' + half(j))
			}
			number, rest := run.String()[:i-begin], run.String()[i-begin+1:]
			if strings.Trim(rest, "0123456789") == "" && rest[2:4] >= "01" && rest[2:4] <= "12" && !endsWithKnown(number, known) {
				return true
			}
		}
		begin = i + 1
	}
	return false
}

// isText reports whether what stands before a 3D is digits as text, whose halves look like packed digits too.
func isText(before []byte) bool {
	tail := before[max(0, len(before)-minNumber/2):]
	return len(tail) == minNumber/2 && !slices.ContainsFunc(tail, func(c byte) bool { return !digit(c) })
}

func endsWithKnown(run string, known []string) bool {
	return slices.ContainsFunc(known, func(number string) bool { return len(number) >= minNumber && strings.HasSuffix(run, number) })
}

// strangeNumber looks for tag 5A with 6 to 10 bytes of packed digits, filled up with F.
func strangeNumber(stream []byte, known []string) bool {
	for at := 0; at+2 <= len(stream); at++ {
		size := int(stream[at+1])
		if stream[at] != 0x5A || size < minNumber/2 || size > 10 || at+2+size > len(stream) {
			continue
		}
		number := strings.TrimRight(fmt.Sprintf("%x", stream[at+2:at+2+size]), "f")
		if strings.Trim(number, "0123456789") == "" && !slices.Contains(known, number) {
			return true
		}
	}
	return false
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
