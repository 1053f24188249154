package iso8583

import "encoding/binary"

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
	c.raw = append(c.raw, src[:n]...)
	return n, nil
}

func (d *Dialect) unpack(c *content, src []byte) (int, error) {
	at, maps, err := d.readHead(c, src)
	if err != nil {
		return 0, err
	}
	// The whole bitmap is judged first: on a line without a length, waiting for the rest of a message that can never
	// become one would end only with the timer.
	left := maps
	for field := left.take(); field != 0; field = left.take() {
		if d.Fields[field].Max == 0 {
			return 0, d.unknown(field)
		}
	}
	for field := maps.take(); field != 0; field = maps.take() {
		took, err := d.unpackField(c, field, src[at:])
		if err != nil {
			return 0, err
		}
		at += took
	}
	c.hidden = d
	return at, nil
}

// readHead reads type and bitmaps, and how many bytes they took. Bit 1 is clear in what it returns. What cannot become a
// message is refused at the first byte that says so.
func (d *Dialect) readHead(c *content, src []byte) (at int, maps bitmaps, err error) {
	at = 2
	if d.Type == Readable {
		at = 4
	}
	if len(src) >= at {
		wrong := d.Type == Compact && !readBCD(c.mti[:], src[:at], BCDRight)
		if d.Type == Readable {
			wrong = badDigit(src[:at]) >= 0
			copy(c.mti[:], src)
		}
		if wrong {
			return 0, maps, &FieldError{Field: 0, Why: "is not four digits"}
		}
	}
	for half := range maps {
		if half == 1 && !maps.has(1) {
			break
		}
		took, ok := d.readBitmap(&maps[half], src[min(at, len(src)):])
		if !ok {
			return 0, maps, &FieldError{Field: 1, Why: "is not 16 hexadecimal digits"}
		}
		if took == 0 {
			return 0, maps, ErrShort
		}
		at += took
		if half == 0 && maps.has(1) && !d.Secondary() {
			return 0, maps, &FieldError{Field: 1, Why: "announces a secondary bitmap, which the " + d.Name + " dialect does not have"}
		}
	}
	maps.clear(1)
	return at, maps, nil
}

// readBitmap takes no byte where there are too few.
func (d *Dialect) readBitmap(into *uint64, src []byte) (took int, ok bool) {
	var raw [8]byte
	if d.Bitmap == Compact {
		if len(src) < len(raw) {
			return 0, true
		}
		*into = binary.BigEndian.Uint64(src)
		return len(raw), true
	}
	for _, char := range src[:min(len(src), 2*len(raw))] {
		if hexNibble(char) > 15 {
			return 0, false
		}
	}
	if len(src) < 2*len(raw) {
		return 0, true
	}
	readHex(raw[:], src)
	*into = binary.BigEndian.Uint64(raw[:])
	return 2 * len(raw), true
}

func (d *Dialect) unpackField(c *content, field int, src []byte) (int, error) {
	format := &d.Fields[field].Format
	n, at, err := d.readLength(field, src)
	if err != nil {
		return 0, err
	}
	end := at + format.size(n)
	if end > len(src) {
		return 0, ErrShort
	}
	if len(c.values)+n > maxValues {
		return 0, fieldErrorf(field, "the message holds more than %d bytes of values", maxValues)
	}
	value := c.room(field, n)
	switch {
	case format.Class == Z && format.Encoding == ASCII:
		readTrackText(value, src[at:end])
		if i := badTrack(value); i >= 0 {
			return 0, fieldErrorf(field, "character %d is neither a digit nor '='", i+1)
		}
	case format.Class == Z:
		readTrack(value, src[at:end])
	case format.Encoding == Hex:
		if !readHex(value, src[at:end]) {
			return 0, &FieldError{Field: field, Why: "has a character that is no hexadecimal digit"}
		}
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
func (d *Dialect) readLength(field int, src []byte) (n, took int, err error) {
	f := &d.Fields[field].Format
	switch {
	case f.Length == Fixed:
		return f.Max, 0, nil
	case d.Lengths == Readable:
		took = 2 + int(f.Length-LLVAR)
		for i := range min(took, len(src)) {
			digit := src[i] - '0'
			if digit > 9 {
				return 0, 0, &FieldError{Field: field, Why: "its length is not a number"}
			}
			n = n*10 + int(digit)
		}
	default:
		took = 1 + int(f.Length-LLVAR)
		for i := range min(took, len(src)) {
			high, low := int(src[i]>>4), int(src[i]&0x0F)
			if high > 9 || low > 9 {
				return 0, 0, &FieldError{Field: field, Why: "its length is not a BCD number"}
			}
			n = n*100 + high*10 + low
		}
	}
	if len(src) < took {
		return 0, 0, ErrShort
	}
	if n > f.Max {
		return 0, 0, fieldErrorf(field, "announces %d %s, may have %d", n, f.unit(), f.Max)
	}
	return n, took, nil
}
