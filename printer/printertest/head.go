package printertest

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// size is how many times a character is enlarged.
type size struct{ w, h uint8 }

// cell is one character on a line.
type cell struct {
	r       rune
	columns uint8 // 1 or 2 at normal width
	size    size
	bold    bool
}

func (c cell) width() int { return int(c.columns * c.size.w) }

// head is the line under way and the modes it is written in.
type head struct {
	columns int
	line    []cell
	used    int  // columns of it
	lead    byte // first half of a two-byte character

	align   byte
	bold    bool
	chinese bool   // two-byte mode, on at power-on as Chinese printers are delivered
	plain   size   // of single-byte characters
	han     size   // of two-byte characters
	code    []byte // of the symbol to print
	module  int    // its dots
	image   bitmap // bands of a raster image so far
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
		lead := h.lead
		h.lead = 0
		if b < 0x40 || b == 0x7F || b == 0xFF {
			p.fault("%02X %02X is no two-byte character", lead, b)
			p.placeLocked(cell{'?', 2, h.han, h.bold})
			return
		}
		r, known := p.glyphLocked(lead, b)
		if !known {
			p.fault("no glyph for %02X %02X", lead, b)
		}
		p.placeLocked(cell{r, 2, h.han, h.bold})
	case b < 0x80:
		p.placeLocked(cell{rune(b), 1, h.plain, h.bold})
	case h.chinese && b >= 0x81 && b <= 0xFE:
		h.lead = b
	default:
		p.fault("byte %02Xh outside two-byte mode: printed from code page 437", b)
		p.placeLocked(cell{charmap.CodePage437.DecodeByte(b), 1, h.plain, h.bold})
	}
}

// glyphLocked finds a two-byte character, and remembers it as a font's cache does.
func (p *Printer) glyphLocked(lead, b byte) (r rune, known bool) {
	pair := rune(lead)<<8 | rune(b)
	if r, known = p.glyphs[pair]; known {
		return r, true
	}
	s, err := p.font.Bytes([]byte{lead, b})
	r, length := utf8.DecodeRune(s)
	if err != nil || length != len(s) || r == utf8.RuneError {
		return '?', false
	}
	p.glyphs[pair] = r
	return r, true
}

// placeLocked puts a character on the line; one that does not fit begins the next.
func (p *Printer) placeLocked(c cell) {
	h := &p.head
	if h.used+c.width() > h.columns {
		p.printLineLocked()
	}
	if h.line == nil {
		h.line = make([]cell, 0, h.columns)
	}
	h.line = append(h.line, c)
	h.used += c.width()
}

// printLineLocked prints the line under way, empty or not, and moves the paper by it.
func (p *Printer) printLineLocked() {
	h := &p.head
	height := 1
	for _, c := range h.line {
		height = max(height, int(c.size.h))
	}
	indent := 0
	switch h.align {
	case 1:
		indent = (h.columns - h.used) / 2
	case 2:
		indent = h.columns - h.used
	}
	kept := p.paper.add(line{cells: h.line, indent: max(indent, 0), align: h.align, height: height}, p.fault)
	if h.used = 0; kept {
		h.line = nil
	} else {
		h.line = h.line[:0]
	}
	p.untold++
	if m := &p.machine; m.counting {
		if m.endsAfter--; m.endsAfter <= 0 {
			p.changeLocked(func(m *machine) { m.paperEnd, m.counting = true, false })
		}
	}
}
