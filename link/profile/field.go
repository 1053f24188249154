package profile

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"posagent/link/iso8583"
)

// A field is written as the standard writes it, then how it travels, then, behind a comma, its name:
//
//	3  = "n6 bcd, processing code"         six digits, two a byte
//	2  = "n..19 bcd-left, card number"     up to 19, with two digits of length
//	48 = "ans...999, private"              up to 999 characters, with three
//	64 = "b8 hex, MAC"                     eight bytes, each as two characters
//
// Classes: n digits, an letters and digits, ans text, z track, b bytes. How: ascii, bcd (an odd number of digits starts
// with a zero), bcd-left (it ends with one), binary, hex. Left out it is ascii, and binary for b. The word show allows
// fields 44, 60 and 61 to be printed, whose use is each acquirer's own.
var (
	classes = map[string]iso8583.Class{"n": iso8583.N, "an": iso8583.AN, "ans": iso8583.ANS, "z": iso8583.Z, "b": iso8583.B}

	encodings = map[string]iso8583.Encoding{"ascii": iso8583.ASCII, "bcd": iso8583.BCDRight, "bcd-left": iso8583.BCDLeft,
		"binary": iso8583.Binary, "hex": iso8583.Hex}

	suits = map[iso8583.Class][]iso8583.Encoding{
		iso8583.N:   {iso8583.ASCII, iso8583.BCDRight, iso8583.BCDLeft},
		iso8583.Z:   {iso8583.ASCII, iso8583.BCDLeft},
		iso8583.AN:  {iso8583.ASCII},
		iso8583.ANS: {iso8583.ASCII},
		iso8583.B:   {iso8583.Binary, iso8583.Hex},
	}

	// ambiguous are fields that ISO 8583:1987 leaves to the parties.
	ambiguous = []int{44, 60, 61}
)

// parseField reads one row of the table.
func parseField(number int, text string) (iso8583.Field, error) {
	shape, name, _ := strings.Cut(text, ",")
	row := iso8583.Field{Name: strings.TrimSpace(name), Hidden: slices.Contains(ambiguous, number)}
	words := strings.Fields(shape)
	if len(words) == 0 {
		return row, errors.New(`has no format; write one like "n6 bcd" or "ans...999", or "" to take the field out`)
	}
	class := strings.TrimRight(words[0], "0123456789.")
	size := words[0][len(class):]
	dots := len(size) - len(strings.TrimLeft(size, "."))
	most, err := strconv.Atoi(size[dots:])
	row.Class, row.Max = classes[class], most
	if row.Class == 0 || err != nil || dots == 1 || dots > 3 {
		return row, fmt.Errorf("%q is no format; write a class (n, an, ans, z, b) and a length: n6, n..19, ans...999", words[0])
	}
	limit := 999
	row.Length = map[int]iso8583.Length{0: iso8583.Fixed, 2: iso8583.LLVAR, 3: iso8583.LLLVAR}[dots]
	if row.Length == iso8583.LLVAR {
		limit = 99
	}
	if most < 1 || most > limit {
		return row, fmt.Errorf("length %d does not go; a field of %s has 1 to %d", most, words[0][:len(class)+dots], limit)
	}
	row.Encoding = suits[row.Class][0]
	for i, word := range words[1:] {
		encoding, known := encodings[word]
		switch {
		case word == "show" && !iso8583.Printable(number):
			return row, errors.New("may carry card data or what nobody knows, and is never shown; leave out show")
		case word == "show":
			row.Hidden = false
		case !known || i > 0:
			return row, fmt.Errorf("%q is not understood; behind the format stand ascii, bcd, bcd-left, binary or hex, then show, then a comma and a name", word)
		case !slices.Contains(suits[row.Class], encoding):
			return row, fmt.Errorf("class %s cannot travel as %s", class, word)
		default:
			row.Encoding = encoding
		}
	}
	return row, nil
}

// fieldNumber reads a key that names a field.
func fieldNumber(key string) (int, bool) {
	n := 0
	for i := range len(key) {
		if key[i]-'0' > 9 || i > 8 {
			return 0, false
		}
		n = 10*n + int(key[i]-'0')
	}
	return n, key != "" && (key[0] != '0' || n == 0 && len(key) == 1)
}

// placeOf refuses numbers that are no field.
func placeOf(number int) error {
	if number < 2 || number > 128 || number == 65 {
		return fmt.Errorf("%d is no field; a message has fields 2 to 128, and 1 and 65 announce bitmaps", number)
	}
	return nil
}
