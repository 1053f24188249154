package iso8583

import (
	"iter"
	"math/bits"
)

const (
	firstSecondary = 65 // announces a third bitmap, which no dialect here has
	lastField      = 128

	maxValue  = 999  // digits or bytes of one value: what an LLLVAR length can say
	maxValues = 4096 // bytes of all values of a message together

	usualValues = 448 // bytes of values that a message has room for at first: a sale with a chip's data has fewer
)

// MaxMessage is the longest message in wire bytes that Unpack takes.
const MaxMessage = 4096

// Message is one message: its type and its values. The zero Message is empty and ready; its first uses allocate room, about
// 1 KiB and for the longest messages 9 KiB, and later ones do not, so a Message is worth reusing. It is for one goroutine at a
// time, and a copy of the struct is the same message.
//
// Everything sits behind a pointer to a pointer. Through an unexported field of another struct fmt cannot call methods,
// and a verb that does not suit a pointer makes it print what the pointer leads to: here, an address.
type Message struct{ held **content }

type span struct{ at, n uint16 }

type content struct {
	mti     [4]byte // digits; zero bytes when not set
	present bitmaps
	spans   [lastField + 1]span
	hidden  *Dialect // what may not be printed beside the usual, of the dialect that packed or unpacked it last
	values  []byte   // without gaps
	raw     []byte
	fault   *FieldError // the first thing set that no message can hold; Pack reports it
}

// bitmaps are the two of a message, as on the wire: the lowest field is the most significant bit. Bit 1 of the first stays
// clear here; it follows from the second.
type bitmaps [2]uint64

func (b *bitmaps) has(field int) bool { return b[(field-1)>>6&1]&(1<<63>>((field-1)&63)) != 0 }
func (b *bitmaps) set(field int)      { b[(field-1)>>6&1] |= 1 << 63 >> ((field - 1) & 63) }
func (b *bitmaps) clear(field int)    { b[(field-1)>>6&1] &^= 1 << 63 >> ((field - 1) & 63) }

// take removes the lowest field and returns it; 0 when none is left.
func (b *bitmaps) take() int {
	if b[0] != 0 {
		n := bits.LeadingZeros64(b[0]) & 63
		b[0] &^= 1 << 63 >> n
		return n + 1
	}
	if b[1] != 0 {
		n := bits.LeadingZeros64(b[1]) & 63
		b[1] &^= 1 << 63 >> n
		return n + firstSecondary
	}
	return 0
}

// c is nil as long as nothing was ever set.
func (m *Message) c() *content {
	if m.held == nil {
		return nil
	}
	return *m.held
}

func (m *Message) open() *content {
	if m.held == nil {
		c := new(content)
		m.held = &c
	}
	return *m.held
}

// Reset empties the message and overwrites what it held.
func (m *Message) Reset() {
	c := m.c()
	if c == nil {
		return
	}
	clear(c.values)
	clear(c.raw)
	c.mti, c.present, c.values, c.raw, c.fault, c.hidden = [4]byte{}, bitmaps{}, c.values[:0], c.raw[:0], nil, nil
}

// SetMTI sets the message type, four digits such as "0200". Anything else makes Pack fail.
func (m *Message) SetMTI(mti string) {
	c := m.open()
	c.mti = [4]byte{}
	if len(mti) != 4 || badDigit(mti) >= 0 {
		c.blame(0, "must be four digits")
		return
	}
	c.forgive(0)
	copy(c.mti[:], mti)
}

// MTI is the message type, or "" when none is set.
func (m *Message) MTI() string {
	c := m.c()
	if c == nil || c.mti[0] == 0 {
		return ""
	}
	return string(c.mti[:])
}

// Set sets a field to a value as people write it. The dialect checks it in Pack; a field outside 2 to 128 or a value of
// more than 999 bytes is not kept, and makes Pack fail.
func (m *Message) Set(field int, value string) { set(m.open(), field, value) }

// SetBytes is Set for binary values. It copies.
func (m *Message) SetBytes(field int, value []byte) { set(m.open(), field, value) }

func set[T string | []byte](c *content, field int, value T) {
	if field < 2 || field > lastField || field == firstSecondary {
		c.blame(field, "a message has fields 2 to 128, less 65")
		return
	}
	c.drop(field)
	switch {
	case len(value) > maxValue:
		c.blame(field, "longer than 999, the most a length can say")
	case len(c.values)+len(value) > maxValues:
		c.blame(field, "the message holds 4096 bytes of values at most")
	default:
		c.forgive(field)
		copy(c.room(field, len(value)), value)
	}
}

// Get is the field's value, "" when it is absent. It allocates; Bytes does not.
func (m *Message) Get(field int) string { return string(m.Bytes(field)) }

// Bytes is the field's value, nil when it is absent. The slice is the message's own: it is to be read only, and it
// ends with the next change of the message.
func (m *Message) Bytes(field int) []byte {
	if !m.Has(field) {
		return nil
	}
	return m.c().value(field)
}

// Has reports whether the field is present, be it empty.
func (m *Message) Has(field int) bool {
	c := m.c()
	return c != nil && field >= 2 && field <= lastField && c.present.has(field)
}

// Clear removes a field.
func (m *Message) Clear(field int) {
	c := m.c()
	if c == nil {
		return
	}
	c.forgive(field)
	if m.Has(field) {
		c.drop(field)
	}
}

// Fields yields the numbers of the fields present, in ascending order.
func (m *Message) Fields() iter.Seq[int] {
	return func(yield func(int) bool) {
		c := m.c()
		if c == nil {
			return
		}
		left := c.present
		for field := left.take(); field != 0; field = left.take() {
			if !yield(field) {
				return
			}
		}
	}
}

// MACField is the field for the message's MAC, which is its last one: 128 where it has a field above 64, otherwise 64
// (ISO 8583:1987, 4.3.2).
func (m *Message) MACField() int {
	if c := m.c(); c != nil && c.present[1] != 0 {
		return 128
	}
	return 64
}

// last is the highest field present, 0 in an empty message.
func (m *Message) last() int {
	c := m.c()
	switch {
	case c == nil || c.present == bitmaps{}:
		return 0
	case c.present[1] != 0:
		return 128 - bits.TrailingZeros64(c.present[1])
	}
	return 64 - bits.TrailingZeros64(c.present[0])
}

// Raw is the message exactly as it was unpacked, for its MAC; nil for a message built here. It is read-only, it ends
// with the next Unpack or Reset, and it does not follow a later Set.
func (m *Message) Raw() []byte {
	c := m.c()
	if c == nil || len(c.raw) == 0 {
		return nil
	}
	return c.raw[:len(c.raw):len(c.raw)]
}

// value is that of a field that is present.
func (c *content) value(field int) []byte {
	s := c.spans[field]
	return c.values[s.at : s.at+s.n : s.at+s.n]
}

// room adds n bytes for a field that is absent. The caller has checked that they fit.
func (c *content) room(field, n int) []byte {
	c.present.set(field)
	at := len(c.values)
	c.spans[field] = span{uint16(at), uint16(n)}
	if at+n > cap(c.values) {
		c.values = moved(c.values, max(usualValues, 2*(at+n)))
	}
	c.values = c.values[:at+n]
	return c.values[at:]
}

// moved is b in a room of its own, of size bytes. What it leaves behind is overwritten: it may be card data.
func moved(b []byte, size int) []byte {
	roomier := append(make([]byte, 0, size), b...)
	clear(b)
	return roomier
}

// drop removes a field, closes the gap and overwrites what is left behind it.
func (c *content) drop(field int) {
	if !c.present.has(field) {
		return
	}
	gone := c.spans[field]
	copy(c.values[gone.at:], c.values[gone.at+gone.n:])
	left := len(c.values) - int(gone.n)
	clear(c.values[left:])
	c.values = c.values[:left]
	c.present.clear(field)
	for f := range c.spans {
		if c.spans[f].at > gone.at {
			c.spans[f].at -= gone.n
		}
	}
}

func (c *content) blame(field int, why string) {
	if c.fault == nil {
		c.fault = &FieldError{Field: field, Why: why}
	}
}

func (c *content) forgive(field int) {
	if c.fault != nil && c.fault.Field == field {
		c.fault = nil
	}
}
