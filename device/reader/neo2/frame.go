package neo2

import (
	"bytes"
	"encoding/binary"
)

// Frame is one message. Sub is the sub-command of a command and the status of an answer.
type Frame struct {
	Command, Sub byte
	Data         []byte
}

// Order is how a checksum's two bytes travel.
type Order int

const (
	LowFirst  Order = iota // terminal to reader
	HighFirst              // reader to terminal
	EitherWay              // for a Decoder that must take both
)

// Append adds the frame to dst with its checksum in the given order (EitherWay is sent HighFirst). Data beyond MaxData is
// the caller's programming error; the frame is cut there, so that its length field never lies.
func (f Frame) Append(dst []byte, order Order) []byte {
	data := f.Data[:min(len(f.Data), MaxData)]
	start := len(dst)
	dst = append(dst, Header...)
	dst = append(dst, f.Command, f.Sub, byte(len(data)>>8), byte(len(data)))
	dst = append(dst, data...)
	crc := checksum(dst[start:])
	if order == LowFirst {
		return binary.LittleEndian.AppendUint16(dst, crc)
	}
	return binary.BigEndian.AppendUint16(dst, crc)
}

// checksum is CRC-16/CCITT with initial value FFFFh, without reflection (IDG 2.1).
func checksum(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, octet := range b { // eight steps of the polynomial 1021h at once: its bits are 12, 5 and 0
		x := crc>>8 ^ uint16(octet)
		x ^= x >> 4
		crc = crc<<8 ^ x<<12 ^ x<<5 ^ x
	}
	return crc
}

// Fault is what is wrong with a frame that was begun.
type Fault int

const (
	Whole       Fault = iota // nothing
	WrongCRC                 // all bytes came, the checksum does not fit
	TooLong                  // it announces more than MaxData
	Interrupted              // it stopped in the middle; reported by Break
)

// Item is a frame, or the beginning of one that cannot be used. In the second case Command and Sub are what stood in
// its place, which may be the very bytes that were damaged, and Data is nil.
type Item struct {
	Frame
	Fault Fault
}

// Decoder finds frames in a stream of bytes cut anywhere. Its state is the bytes that may still become a frame:
//
//	hunting --header--> head --length--> body --checksum fits--> frame
//	   ^                  |                |
//	   +---- too long ----+---- no fit ----+   one byte is given up and the hunt goes on behind it, so that a frame
//	                                           hidden by a damaged length is still found
//
// The zero value takes frames of the terminal's order; set Accept before the first Write. It is not safe for concurrent
// use.
type Decoder struct {
	Accept Order

	held  []byte
	noise int
}

// Write takes bytes from the line. It keeps at most one frame and what was written since the last Next.
func (d *Decoder) Write(p []byte) { d.held = append(d.held, p...) }

// Noise is how many bytes were thrown away because they belonged to no frame, since the last Reset.
func (d *Decoder) Noise() int { return d.noise }

// Partial reports whether the bytes held may be the beginning of a frame.
func (d *Decoder) Partial() bool { return len(d.held) > 0 }

// Reset forgets everything, and overwrites it.
func (d *Decoder) Reset() { clear(d.held); d.held, d.noise = d.held[:0], 0 }

// Next returns the next frame or faulty frame; false means that more bytes are needed.
func (d *Decoder) Next() (Item, bool) {
	d.hunt()
	if len(d.held) < HeadSize {
		return Item{}, false
	}
	item := Item{Frame: Frame{Command: d.held[len(Header)], Sub: d.held[len(Header)+1]}}
	size := int(binary.BigEndian.Uint16(d.held[len(Header)+2:]))
	whole := HeadSize + size + 2
	switch {
	case size > MaxData:
		item.Fault = TooLong
		d.giveUp()
	case len(d.held) < whole:
		return Item{}, false
	case !d.fits(d.held[:whole]):
		item.Fault = WrongCRC
		d.giveUp()
	default:
		item.Data = bytes.Clone(d.held[HeadSize : HeadSize+size])
		d.drop(whole)
	}
	return item, true
}

// Break says that the line has gone quiet: what is held will not be completed. It returns true, with the fault, if a
// frame had begun; Next must then be called again, because a whole frame may have been hidden behind a damaged length.
func (d *Decoder) Break() (Item, bool) {
	d.hunt()
	begun := len(d.held) >= HeadSize
	item := Item{Fault: Interrupted}
	if begun {
		item.Command, item.Sub = d.held[len(Header)], d.held[len(Header)+1]
	}
	if len(d.held) > 0 {
		d.giveUp()
	}
	return item, begun
}

func (d *Decoder) fits(frame []byte) bool {
	body, tail := frame[:len(frame)-2], frame[len(frame)-2:]
	crc := checksum(body)
	low, high := binary.LittleEndian.Uint16(tail) == crc, binary.BigEndian.Uint16(tail) == crc
	switch d.Accept {
	case LowFirst:
		return low
	case HighFirst:
		return high
	default:
		return low || high
	}
}

// hunt throws away what cannot begin a frame.
func (d *Decoder) hunt() {
	for from := 0; ; from++ {
		next := bytes.IndexByte(d.held[from:], Header[0])
		if next < 0 {
			d.lose(len(d.held))
			return
		}
		from += next
		shown := d.held[from:min(from+len(Header), len(d.held))]
		if Header[:len(shown)] == string(shown) {
			d.lose(from)
			return
		}
	}
}

// giveUp loses the first byte of a frame that cannot be used; the hunt goes on behind it.
func (d *Decoder) giveUp() { d.lose(1) }

func (d *Decoder) lose(n int) {
	d.noise += n
	d.drop(n)
}

// drop moves the rest to the front, so that the buffer does not grow with the stream and card data is overwritten.
func (d *Decoder) drop(n int) {
	rest := copy(d.held, d.held[n:])
	clear(d.held[rest:])
	d.held = d.held[:rest]
}
