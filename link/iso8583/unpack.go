package iso8583

import (
	"encoding/binary"
	"math/bits"
)

const prefixLen = 2 + 8 // message type and bitmap

// Unpack reads one message from the start of src into m, replacing what m held, and tells how many bytes it took. The
// values are copies, so src may be reused. Bytes that follow the message are not looked at.
//
// ErrShort means that src ends inside the message. Any other failure is a *FieldError, and more bytes will not mend
// it. After an error m is empty.
//
// Two things are read more kindly than they are written, because refusing an approval over them would cost a customer
// a reversal: the nibble that fills an odd number of digits may be anything, and a text may hold any byte.
func (d *Dialect) Unpack(m *Message, src []byte) (n int, err error) {
	m.Reset()
	c := m.open()
	n, err = d.unpack(c, src)
	if err == nil && n > MaxMessage {
		err = fieldErrorf(1, "the message is longer than %d bytes", MaxMessage)
	}
	if err != nil {
		m.Reset()
		return 0, err
	}
	c.rawLen = copy(c.raw[:], src[:n])
	return n, nil
}

func (d *Dialect) unpack(c *content, src []byte) (int, error) {
	if len(src) >= 2 {
		if !readBCD(c.mti[:], src[:2], BCDRight) {
			return 0, &FieldError{Field: 0, Why: "is not four digits"}
		}
	}
	if len(src) < prefixLen {
		return 0, ErrShort
	}
	bitmap := binary.BigEndian.Uint64(src[2:prefixLen])
	if bitmap&bit(1) != 0 {
		return 0, &FieldError{Field: 1, Why: "announces a secondary bitmap, which the " + d.Name + " dialect does not have"}
	}
	// The whole bitmap is judged first: on a line without a length, waiting for the rest of a message that can never
	// become one would end only with the timer.
	for left := bitmap; left != 0; {
		field := bits.LeadingZeros64(left) + 1
		left &^= bit(field)
		if d.Fields[field].Max == 0 {
			return 0, d.unknown(field)
		}
	}
	at := prefixLen
	for left := bitmap; left != 0; {
		field := bits.LeadingZeros64(left) + 1
		left &^= bit(field)
		took, err := d.unpackField(c, field, src[at:])
		if err != nil {
			return 0, err
		}
		at += took
	}
	return at, nil
}

func (d *Dialect) unpackField(c *content, field int, src []byte) (int, error) {
	format := &d.Fields[field].Format
	n, at, err := format.readLength(field, src)
	if err != nil {
		return 0, err
	}
	end := at + format.size(n)
	if end > len(src) {
		return 0, ErrShort
	}
	if c.used+n > maxValues {
		return 0, fieldErrorf(field, "the message holds more than %d bytes of values", maxValues)
	}
	value := c.room(field, n)
	switch {
	case format.Class == Z:
		readTrack(value, src[at:end])
	case format.Encoding == BCDLeft || format.Encoding == BCDRight:
		if !readBCD(value, src[at:end], format.Encoding) {
			return 0, &FieldError{Field: field, Why: "has a nibble that is not a digit"}
		}
	default:
		copy(value, src[at:end])
	}
	if format.Class == AN {
		if i := badAlphanumeric(value); i >= 0 {
			return 0, fieldErrorf(field, "character %d is neither a letter nor a digit", i+1)
		}
	}
	if format.Class == N && format.Encoding == ASCII {
		if i := badDigit(value); i >= 0 {
			return 0, fieldErrorf(field, "character %d is not a digit", i+1)
		}
	}
	return end, nil
}

// readLength gives the value's length in digits or bytes, and how many bytes the prefix took.
func (f *Format) readLength(field int, src []byte) (n, took int, err error) {
	switch f.Length {
	case LLVAR:
		took = 1
	case LLLVAR:
		took = 2
	default:
		return f.Max, 0, nil
	}
	for i := range min(took, len(src)) {
		high, low := int(src[i]>>4), int(src[i]&0x0F)
		if high > 9 || low > 9 {
			return 0, 0, &FieldError{Field: field, Why: "its length is not a BCD number"}
		}
		n = n*100 + high*10 + low
	}
	if len(src) < took {
		return 0, 0, ErrShort
	}
	if n > f.Max {
		return 0, 0, fieldErrorf(field, "announces %d %s, may have %d", n, f.unit(), f.Max)
	}
	return n, took, nil
}
