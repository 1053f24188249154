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
	LLVAR                    // two digits of length first
	LLLVAR                   // three digits of length first
)

// Encoding is how a value travels.
type Encoding uint8

const (
	BCDRight Encoding = iota + 1 // two digits a byte; an odd number of them starts with a nibble 0
	BCDLeft                      // two digits a byte; an odd number of them ends with a nibble 0
	ASCII                        // a byte each, readable
	Binary                       // a byte each
	Hex                          // bytes, two characters 0 to F each
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
	Hidden bool // never printed, whatever the standard says of a field of this number
}

// Notation is how the parts of a message that are in no field travel: its type, its bitmap, and the lengths of fields.
type Notation uint8

const (
	Compact  Notation = iota // type and lengths two digits a byte, a bitmap as it is
	Readable                 // each digit a character, a bitmap as 16 characters 0 to F
)

// Dialect is one acquirer's table of fields. The index is the field's number; 0, 1 and 65, which announce bitmaps, stay
// empty. A dialect that has no field above 64 has no secondary bitmap. It is read-only once in use and may be shared.
type Dialect struct {
	Name    string
	Type    Notation // of the message type
	Bitmap  Notation
	Lengths Notation // of LLVAR and LLLVAR
	Fields  [lastField + 1]Field
}

// Has reports whether the dialect has the field at all.
func (d *Dialect) Has(field int) bool {
	return field >= 2 && field <= lastField && d.Fields[field].Max > 0
}

// Secondary reports whether the dialect has a second bitmap, for fields above 64.
func (d *Dialect) Secondary() bool {
	for field := firstSecondary; field <= lastField; field++ {
		if d.Fields[field].Max > 0 {
			return true
		}
	}
	return false
}

// Covered is the part of a packed message over which its MAC is computed: everything before the value of m.MACField, which
// is the last. It is nil where the message does not end in that field.
func (d *Dialect) Covered(m *Message, packed []byte) []byte {
	field := m.MACField()
	size := d.Fields[field].size(len(m.Bytes(field)))
	if !m.Has(field) || m.last() != field || d.Fields[field].Length != Fixed || size > len(packed) {
		return nil
	}
	return packed[:len(packed)-size]
}

// size is the number of wire bytes that a value of n digits or bytes takes, its length prefix not counted.
func (f Format) size(n int) int {
	switch f.Encoding {
	case BCDLeft, BCDRight:
		return (n + 1) / 2
	case Hex:
		return 2 * n
	}
	return n
}

func (f Format) unit() string {
	if f.Class == N || f.Class == Z {
		return "digits"
	}
	return "bytes"
}
