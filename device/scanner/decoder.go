package scanner

import "posagent/device/scanner/gm72"

// maxLine is the longest text that is looked at. A payment code has 32 digits at most; a customer may show anything.
const maxLine = 128

// item is one thing that a scanner said: a line of text, an answer to a command, or damage.
type item struct {
	kind kind
	text string  // of a line
	op   byte    // of an answer
	data [1]byte // its first byte
}

type kind int

const (
	textLine kind = iota
	answer
	damaged // a line with characters that no text has
	tooLong
)

// decoder finds lines, and where frames is set answers between them, in a stream cut anywhere. Its memory is fixed.
type decoder struct {
	frames bool
	held   [maxLine]byte
	n      int
	fault  kind // of the line that is being read; textLine is none
}

// take reads one byte and returns what it completes, if anything.
func (d *decoder) take(octet byte) (item, bool) {
	if d.frames && d.fault == textLine && (d.n > 0 && gm72.Begins(d.held[0]) || d.n == 0 && gm72.Begins(octet)) {
		return d.frame(octet)
	}
	switch {
	case octet == '\r' || octet == '\n':
		return d.line()
	case d.fault != textLine:
	case octet < ' ' || octet > '~':
		d.fault = damaged
	case d.n == len(d.held):
		d.fault = tooLong
	default:
		d.held[d.n] = octet
		d.n++
	}
	return item{}, false
}

// pause says that the line was silent for longer than between two characters. What was begun before does not belong to what
// comes now: a stray digit in front of a code would make another code of it.
func (d *decoder) pause() {
	if d.n > 0 {
		d.forget()
		d.fault = damaged
	}
}

func (d *decoder) frame(octet byte) (item, bool) {
	d.held[d.n] = octet
	d.n++
	f, size, ok := gm72.Read(d.held[:d.n])
	switch {
	case !ok:
		d.forget()
		d.fault = damaged // up to the end of the line; a frame lost with it is asked for again
		return item{}, false
	case size == 0:
		return item{}, false
	}
	said := item{kind: answer, op: f.Operation}
	copy(said.data[:], f.Data)
	d.forget()
	return said, f.Source == gm72.FromScanner
}

func (d *decoder) line() (item, bool) {
	said := item{kind: d.fault}
	if d.fault == textLine {
		said.text = string(d.held[:d.n])
	}
	empty := d.fault == textLine && d.n == 0
	d.forget()
	return said, !empty
}

// forget overwrites what was read.
func (d *decoder) forget() {
	clear(d.held[:d.n])
	d.n, d.fault = 0, textLine
}
