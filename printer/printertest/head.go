package printertest

import (
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// size is how many times a character is enlarged.
type size struct{ w, h int }

// cell is one character on a line.
type cell struct {
	r       rune
	columns int // 1 or 2 at normal width
	size    size
	bold    bool
}

func (c cell) width() int { return c.columns * c.size.w }

// head is the line under way and the modes it is written in.
type head struct {
	columns int
	line    []cell
	lead    byte // first half of a two-byte character

	align   byte
	bold    bool
	chinese bool // two-byte mode, on at power-on as Chinese printers are delivered
	plain   size // of single-byte characters
	han     size // of two-byte characters
	code    []byte
}

// powerOn is also what ESC @ does.
func (h *head) powerOn(columns int) {
	*h = head{columns: columns, chinese: true, plain: size{1, 1}, han: size{1, 1}}
}

// characterLocked takes one byte of text.
func (p *Printer) characterLocked(b byte) {
	h := &p.head
	switch {
	case h.lead != 0:
		pair := []byte{h.lead, b}
		h.lead = 0
		if b < 0x40 || b == 0x7F || b == 0xFF {
			p.fault("% X is no two-byte character", pair)
			p.placeLocked(cell{'?', 2, h.han, h.bold})
			return
		}
		s, err := simplifiedchinese.GB18030.NewDecoder().Bytes(pair)
		if err != nil || len([]rune(string(s))) != 1 || string(s) == "\uFFFD" {
			p.fault("no glyph for % X", pair)
			s = []byte("?")
		}
		p.placeLocked(cell{[]rune(string(s))[0], 2, h.han, h.bold})
	case b < 0x80:
		p.placeLocked(cell{rune(b), 1, h.plain, h.bold})
	case h.chinese && b >= 0x81 && b <= 0xFE:
		h.lead = b
	default:
		p.fault("byte %02Xh outside two-byte mode: printed from code page 437", b)
		p.placeLocked(cell{charmap.CodePage437.DecodeByte(b), 1, h.plain, h.bold})
	}
}

// placeLocked puts a character on the line; one that does not fit begins the next.
func (p *Printer) placeLocked(c cell) {
	if p.head.used()+c.width() > p.head.columns {
		p.printLineLocked()
	}
	p.head.line = append(p.head.line, c)
}

func (h *head) used() int {
	used := 0
	for _, c := range h.line {
		used += c.width()
	}
	return used
}

// printLineLocked prints the line under way, empty or not, and moves the paper by it.
func (p *Printer) printLineLocked() {
	h := &p.head
	height := 1
	for _, c := range h.line {
		height = max(height, c.size.h)
	}
	indent := 0
	switch h.align {
	case 1:
		indent = (h.columns - h.used()) / 2
	case 2:
		indent = h.columns - h.used()
	}
	p.paper.add(line{cells: h.line, indent: max(indent, 0), height: height}, p.fault)
	h.line = nil
	p.untold++
	if m := &p.machine; m.counting {
		if m.endsAfter--; m.endsAfter <= 0 {
			p.changeLocked(func(m *machine) { m.paperEnd, m.counting = true, false })
		}
	}
}
