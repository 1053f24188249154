// Package hsu is the wire vocabulary of an NXP PN532 on its high speed UART: frames, their two checksums, and every number of
// the chip that this program uses. The driver speaks it from the terminal's side, the simulated board from the other.
//
// Source: NXP UM0701-02 "PN532 User Manual", rev. 02, below UM with section numbers.
//
//	00 │ 00 FF │ LEN LCS │ TFI data… │ DCS │ 00      normal information frame: LEN counts TFI and data, at most 255
//	00 │ 00 FF │ FF FF │ LENM LENL LCS │ TFI data… │ DCS │ 00      extended information frame
//	00 │ 00 FF │ 00 FF │ 00                          ACK: a command was taken; from the terminal, it ends a command
//	00 │ 00 FF │ FF 00 │ 00                          NACK: say the last answer again
//	00 │ 00 FF │ 01 FF │ 7F 81 │ 00                  error frame: the command cannot be carried out as it is written
//
// The bytes of a length and its LCS add up to 0, TFI, data and DCS too (modulo 256). TFI tells the direction.
package hsu

import "bytes"

// Kind is what a frame is.
type Kind int

const (
	Info  Kind = iota // a command or an answer
	Ack               // UM 6.2.1.3
	Nack              // UM 6.2.1.4
	Error             // UM 6.2.1.5
)

// Fault is what is wrong with a frame that was begun.
type Fault int

const (
	Whole       Fault = iota // nothing
	WrongLength              // the length and its checksum do not fit, or announce nothing
	WrongSum                 // all bytes came, the checksum does not fit
	TooLong                  // it announces more than MaxData
	Interrupted              // it stopped in the middle; reported by Break
)

// Item is a frame, or the beginning of one that cannot be used; of that only Fault is set. Data of an information frame
// begins behind TFI.
type Item struct {
	Kind  Kind
	Fault Fault
	TFI   byte
	Data  []byte
}

// AppendInfo adds an information frame to dst. Data beyond MaxData is the caller's programming error and is cut there, so
// that the length never lies.
func AppendInfo(dst []byte, tfi byte, data []byte) []byte {
	data = data[:min(len(data), MaxData)]
	size := len(data) + 1
	dst = append(dst, 0x00, 0x00, 0xFF)
	if size <= maxNormal {
		dst = append(dst, byte(size), -byte(size))
	} else {
		high, low := byte(size>>8), byte(size)
		dst = append(dst, 0xFF, 0xFF, high, low, -(high + low))
	}
	dst = append(append(dst, tfi), data...)
	return append(dst, -(tfi + sum(data)), 0x00)
}

func sum(b []byte) (total byte) {
	for _, octet := range b {
		total += octet
	}
	return total
}

// Decoder finds frames in a stream of bytes cut anywhere. What it holds begins with a start code, or may become one. A frame
// that cannot be used loses its first byte and the hunt goes on behind it, so that one hidden by a damaged length is
// found. The zero value is ready. It is not safe for concurrent use.
type Decoder struct {
	held  []byte
	noise int
}

var startCode = []byte{0x00, 0xFF}

// Write takes bytes from the line. It keeps at most one frame and what was written since the last Next.
func (d *Decoder) Write(p []byte) { d.held = append(d.held, p...) }

// Noise is how many bytes other than zero belonged to no frame, since the last Reset. Zeros pad frames.
func (d *Decoder) Noise() int { return d.noise }

// Partial reports whether a frame has begun.
func (d *Decoder) Partial() bool { return len(d.held) >= len(startCode) }

// Reset forgets everything.
func (d *Decoder) Reset() { clear(d.held); d.held, d.noise = d.held[:0], 0 }

// Next returns the next frame or faulty frame; false means that more bytes are needed.
func (d *Decoder) Next() (Item, bool) {
	d.hunt()
	if len(d.held) < 4 {
		return Item{}, false
	}
	head, size := 4, int(d.held[2])
	switch [2]byte(d.held[2:4]) {
	case [2]byte{0x00, 0xFF}:
		d.drop(4)
		return Item{Kind: Ack}, true
	case [2]byte{0xFF, 0x00}:
		d.drop(4)
		return Item{Kind: Nack}, true
	case [2]byte{0xFF, 0xFF}:
		if len(d.held) < 7 {
			return Item{}, false
		}
		head, size = 7, int(d.held[4])<<8|int(d.held[5])
	}
	switch body := head + size; {
	case sum(d.held[2:head]) != 0 && head == 4, head == 7 && sum(d.held[4:7]) != 0, size == 0:
		return d.faulty(WrongLength), true
	case size > MaxData+1:
		return d.faulty(TooLong), true
	case len(d.held) < body+1:
		return Item{}, false
	case sum(d.held[head:body+1]) != 0:
		return d.faulty(WrongSum), true
	default:
		item := Item{TFI: d.held[head], Data: bytes.Clone(d.held[head+1 : body])}
		if size == 1 && item.TFI == tfiError {
			item = Item{Kind: Error}
		}
		d.drop(body + 1)
		return item, true
	}
}

// Break says that the line has gone quiet: what is held will not be completed. It returns true if a frame had begun; Next
// must then be called again, because a whole frame may have been hidden behind a damaged length.
func (d *Decoder) Break() (Item, bool) {
	d.hunt()
	if !d.Partial() {
		return Item{}, false
	}
	return d.faulty(Interrupted), true
}

func (d *Decoder) faulty(f Fault) Item {
	d.lose(1)
	return Item{Fault: f}
}

// hunt throws away what cannot begin a frame.
func (d *Decoder) hunt() {
	at := bytes.Index(d.held, startCode)
	if at < 0 {
		at = len(d.held)
		if at > 0 && d.held[at-1] == startCode[0] {
			at--
		}
	}
	d.lose(at)
}

func (d *Decoder) lose(n int) {
	for _, octet := range d.held[:n] {
		if octet != 0 {
			d.noise++
		}
	}
	d.drop(n)
}

// drop moves the rest to the front, so that the buffer does not grow with the stream and card data is overwritten.
func (d *Decoder) drop(n int) {
	rest := copy(d.held, d.held[n:])
	clear(d.held[rest:])
	d.held = d.held[:rest]
}
