package link

import (
	"errors"
	"fmt"

	"posagent/link/iso8583"
	"posagent/link/profile"
)

const (
	lengthLen = 2                              // of the direct connection
	maxBody   = headerLen + iso8583.MaxMessage // what a length may announce
	maxFrame  = 4 + maxBody
)

//	LengthPrefixed  ┌───────┬──────┬────────────────────┬─────────────┐
//	                │ len 2 │ TPDU │ application header │   message   │
//	                └───────┴──────┴────────────────────┴─────────────┘
//	                        ├───────────── len bytes ─────────────────┤
//	SelfDelimited           ┌──────┬────────────────────┬─────────────┐
//	                        │ TPDU │ application header │   message   │
//	                        └──────┴────────────────────┴─────────────┘

// A profile may do without the application header, or without both, and write the length as four digits.

// AppendFrame appends the frame that carries m. On an error dst comes back as it was.
func AppendFrame(dst []byte, f Framing, h Header, d *iso8583.Dialect, m *iso8583.Message) ([]byte, error) {
	start := len(dst)
	out := dst
	if f == LengthPrefixed {
		out = append(out, "0000"[:lengthSize(h.Frame)]...)
	}
	body := len(out)
	if h.Frame.Head != profile.NoHead {
		out = append(out, h.TPDU[:]...)
	}
	if h.Frame.Head == profile.FullHead {
		out = append(out, h.Application[:]...)
	}
	out, err := d.Pack(out, m)
	if err != nil {
		return dst, err
	}
	if len(out)-body > maxBody {
		return dst, fmt.Errorf("the message is longer than %d bytes", iso8583.MaxMessage)
	}
	if f == LengthPrefixed {
		putLength(out[start:body], h.Frame, len(out)-body)
	}
	return out, nil
}

// errMore means that no frame is whole yet.
var errMore = errors.New("no whole frame yet")

// badFrame is a frame that was skipped: the stream after it is still in step.
type badFrame struct{ why error }

func (e *badFrame) Error() string   { return fmt.Sprintf("%v: %v", ErrGarbage, e.why) }
func (e *badFrame) Unwrap() []error { return []error{ErrGarbage, e.why} }

// deframer cuts a stream into frames. It holds at most one frame of the longest kind. Its user fills room, tells took,
// and calls next until that says errMore.
type deframer struct {
	framing Framing
	frame   profile.Frame
	dialect *iso8583.Dialect
	buf     []byte
	n       int              // bytes of it that have come
	spare   *iso8583.Message // what next unpacks into; given away with each whole message
}

// usualFrame is the room of a deframer at first: nearly all frames have less.
const usualFrame = 1 << 10

// room is where the next bytes of the stream go. It is never empty after next has said errMore. What it grows out of is
// overwritten.
func (d *deframer) room() []byte {
	if d.n == len(d.buf) && d.n < maxFrame {
		larger := make([]byte, min(max(usualFrame, 2*d.n), maxFrame))
		copy(larger, d.buf)
		clear(d.buf)
		d.buf = larger
	}
	return d.buf[d.n:]
}

func (d *deframer) took(n int) { d.n += n }

// pending is how many bytes of a frame that is not whole have come.
func (d *deframer) pending() int { return d.n }

// next gives the next whole message and its header. Other outcomes: errMore; a *badFrame, which was skipped; anything
// else means that the stream is out of step and can only be hung up.
func (d *deframer) next() (*iso8583.Message, Header, error) {
	if d.spare == nil {
		d.spare = new(iso8583.Message)
	}
	cut := d.nextPrefixed
	if d.framing == SelfDelimited {
		cut = d.nextSelfDelimited
	}
	m := d.spare
	h, err := cut(m)
	if err != nil {
		return nil, Header{}, err
	}
	d.spare = nil
	return m, h, nil
}

func (d *deframer) nextPrefixed(m *iso8583.Message) (Header, error) {
	size, lengthLen, headLen := 0, lengthSize(d.frame), headSize(d.frame)
	for size == 0 { // a length of zero is a keep-alive of the line: nothing follows it and nothing is meant
		if d.n < lengthLen {
			return Header{}, errMore
		}
		if size = getLength(d.buf[:lengthLen], d.frame); size == 0 {
			d.drop(lengthLen)
		}
	}
	if size < 0 {
		return Header{}, fmt.Errorf("%w: a frame does not begin with four digits of length", ErrGarbage)
	}
	if size > maxBody {
		return Header{}, fmt.Errorf("%w: a frame announces %d bytes, %d are allowed", ErrGarbage, size, maxBody)
	}
	if d.n < lengthLen+size {
		return Header{}, errMore
	}
	defer d.drop(lengthLen + size)
	body := d.buf[lengthLen : lengthLen+size]
	if size < headLen {
		return Header{}, &badFrame{fmt.Errorf("a frame of %d bytes has no room for its header", size)}
	}
	h, err := readHeader(body, d.frame)
	if err != nil {
		return Header{}, &badFrame{err}
	}
	n, err := d.dialect.Unpack(m, body[headLen:])
	switch {
	case errors.Is(err, iso8583.ErrShort):
		return Header{}, &badFrame{errors.New("the frame ends inside the message")}
	case err != nil:
		return Header{}, &badFrame{err}
	case headLen+n != size:
		m.Reset()
		return Header{}, &badFrame{fmt.Errorf("%d bytes follow the message in its frame", size-headLen-n)}
	}
	return h, nil
}

func (d *deframer) nextSelfDelimited(m *iso8583.Message) (Header, error) {
	headLen := headSize(d.frame)
	if d.n > 0 && headLen > 0 && d.buf[0] != tpduID {
		return Header{}, fmt.Errorf("%w: %w", ErrGarbage, errTPDU)
	}
	if d.n <= headLen {
		return Header{}, errMore
	}
	h, err := readHeader(d.buf[:d.n], d.frame)
	if err != nil {
		return Header{}, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	n, err := d.dialect.Unpack(m, d.buf[headLen:d.n])
	switch {
	case errors.Is(err, iso8583.ErrShort) && d.n >= maxBody:
		return Header{}, fmt.Errorf("%w: a message does not end within %d bytes", ErrGarbage, iso8583.MaxMessage)
	case errors.Is(err, iso8583.ErrShort):
		return Header{}, errMore
	case err != nil:
		return Header{}, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	d.drop(headLen + n)
	return h, nil
}

// drop removes a frame. What follows it moves to the front, and what is left behind is overwritten: it may be card
// data of an answer.
func (d *deframer) drop(n int) {
	rest := copy(d.buf, d.buf[n:d.n])
	clear(d.buf[rest:d.n])
	d.n = rest
}

var errTPDU = errors.New("a frame does not start with a TPDU (60)")

func readHeader(body []byte, f profile.Frame) (h Header, err error) {
	h.Frame = f
	if f.Head == profile.NoHead {
		return h, nil
	}
	if body[0] != tpduID {
		return Header{}, errTPDU
	}
	copy(h.TPDU[:], body)
	if f.Head == profile.FullHead {
		copy(h.Application[:], body[tpduLen:])
	}
	return h, nil
}
