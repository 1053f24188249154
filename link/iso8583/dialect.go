package iso8583

// Class is what a value may consist of (ISO 8583:1987, section 4.1).
type Class uint8

const (
	N   Class = iota + 1 // digits
	AN                   // letters, digits and spaces
	ANS                  // text; bytes of 80 and above pass, because texts come in GB18030
	Z                    // magnetic track: digits and '=', and the letters A to F where a part of it is enciphered
	B                    // bytes
)

// Length is how a field tells where it ends.
type Length uint8

const (
	Fixed  Length = iota + 1 // always Max long
	LLVAR                    // one BCD byte of length first
	LLLVAR                   // two BCD bytes of length first
)

// Encoding is how a value travels.
type Encoding uint8

const (
	BCDRight Encoding = iota + 1 // two digits a byte; an odd number of them starts with a nibble 0
	BCDLeft                      // two digits a byte; an odd number of them ends with a nibble 0
	ASCII                        // a byte each, readable
	Binary                       // a byte each
)

// Format is one field's shape. Max counts digits for N and Z, bytes for the others; the zero Format is a field that
// the dialect does not have.
type Format struct {
	Class    Class
	Length   Length
	Encoding Encoding
	Max      int
}

// Field is a row of a dialect's table.
type Field struct {
	Name string
	Format
}

// Dialect is one acquirer's table of fields. The index is the field's number; 0 and 1 stay empty. It is read-only once
// in use and may be shared.
type Dialect struct {
	Name   string
	Fields [65]Field
}

// Has reports whether the dialect has the field at all.
func (d *Dialect) Has(field int) bool {
	return field >= 2 && field <= lastField && d.Fields[field].Max > 0
}

// size is the number of wire bytes that a value of n digits or bytes takes, its length prefix not counted.
func (f Format) size(n int) int {
	if f.Encoding == BCDLeft || f.Encoding == BCDRight {
		return (n + 1) / 2
	}
	return n
}

func (f Format) unit() string {
	if f.Class == N || f.Class == Z {
		return "digits"
	}
	return "bytes"
}
