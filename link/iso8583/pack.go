package iso8583

import (
	"encoding/binary"
	"math/bits"
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
	out := appendBCD(dst, c.mti[:], BCDRight)
	out = binary.BigEndian.AppendUint64(out, c.present)
	for left := c.present; left != 0; {
		field := bits.LeadingZeros64(left) + 1
		left &^= bit(field)
		format := &d.Fields[field].Format
		value := c.value(field)
		if err := d.check(field, value); err != nil {
			return dst, err
		}
		switch format.Length {
		case LLVAR:
			out = append(out, bcdByte(len(value)))
		case LLLVAR:
			out = append(out, bcdByte(len(value)/100), bcdByte(len(value)%100))
		}
		if format.Encoding == BCDLeft || format.Encoding == BCDRight {
			out = appendBCD(out, value, format.Encoding)
		} else {
			out = append(out, value...)
		}
	}
	return out, nil
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
