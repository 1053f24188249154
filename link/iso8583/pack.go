package iso8583

import (
	"encoding/binary"
)

// Pack appends the message to dst: type, bitmap, fields. Every value is checked against the table; the error is a
// *FieldError, and dst comes back as it was.
func (d *Dialect) Pack(dst []byte, m *Message) ([]byte, error) {
	c := m.open()
	if c.fault != nil {
		return dst, c.fault
	}
	if c.mti[0] == 0 {
		return dst, &FieldError{Field: 0, Why: "is not set"}
	}
	c.hidden = d
	out := d.appendHead(dst, c)
	left := c.present
	for field := left.take(); field != 0; field = left.take() {
		format := &d.Fields[field].Format
		value := c.value(field)
		if err := d.check(field, value); err != nil {
			return dst, err
		}
		out = d.appendLength(out, format.Length, len(value))
		switch format.Encoding {
		case BCDLeft, BCDRight:
			out = appendBCD(out, value, format.Encoding)
		case Hex:
			out = appendHex(out, value)
		default:
			out = append(out, value...)
		}
	}
	return out, nil
}

// appendHead is type and bitmaps.
func (d *Dialect) appendHead(out []byte, c *content) []byte {
	if d.Type == Readable {
		out = append(out, c.mti[:]...)
	} else {
		out = appendBCD(out, c.mti[:], BCDRight)
	}
	maps := c.present
	if maps[1] != 0 {
		maps.set(1)
	}
	for i, half := range maps {
		if i == 1 && half == 0 {
			break
		}
		var raw [8]byte
		binary.BigEndian.PutUint64(raw[:], half)
		if d.Bitmap == Readable {
			out = appendHex(out, raw[:])
		} else {
			out = append(out, raw[:]...)
		}
	}
	return out
}

func (d *Dialect) appendLength(out []byte, l Length, n int) []byte {
	if l == Fixed {
		return out
	}
	if d.Lengths == Compact {
		if l == LLLVAR {
			out = append(out, bcdByte(n/100))
		}
		return append(out, bcdByte(n%100))
	}
	if l == LLLVAR {
		out = append(out, '0'+byte(n/100))
	}
	return append(out, '0'+byte(n/10%10), '0'+byte(n%10))
}

// check refuses a value that the field cannot carry.
func (d *Dialect) check(field int, value []byte) error {
	format := &d.Fields[field].Format
	n := len(value)
	switch {
	case format.Max == 0:
		return d.unknown(field)
	case format.Length == Fixed && n != format.Max:
		return fieldErrorf(field, "must have %d %s, has %d", format.Max, format.unit(), n)
	case n > format.Max || format.Length == LLVAR && n > 99:
		return fieldErrorf(field, "may have %d %s, has %d", format.Max, format.unit(), n)
	}
	switch format.Class {
	case N:
		if at := badDigit(value); at >= 0 {
			return fieldErrorf(field, "character %d is not a digit", at+1)
		}
	case Z:
		if at := badTrack(value); at >= 0 {
			return fieldErrorf(field, "character %d is neither a digit nor '='", at+1)
		}
	case AN:
		if at := badAlphanumeric(value); at >= 0 {
			return fieldErrorf(field, "character %d is neither a letter nor a digit", at+1)
		}
	case ANS:
		if at := badText(value); at >= 0 {
			return fieldErrorf(field, "character %d is a control character", at+1)
		}
	}
	return nil
}

func (d *Dialect) unknown(field int) error {
	return fieldErrorf(field, "is not a field of the %s dialect", d.Name)
}
