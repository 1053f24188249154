package printertest

// obeyLocked executes one whole command or character, in its turn.
func (p *Printer) obeyLocked(b []byte) {
	if b[0] != codeGS || b[1] != 'v' {
		p.imageEndLocked()
	}
	if p.machine.star {
		p.starObeyLocked(b)
		return
	}
	switch b[0] {
	case codeESC:
		p.escLocked(b)
	case codeFS:
		p.fsLocked(b)
	case codeGS:
		p.gsLocked(b)
	default:
		p.plainLocked(b)
	}
}

// plainLocked takes what is no command.
func (p *Printer) plainLocked(b []byte) {
	switch b[0] {
	case codeLF:
		p.halfLocked()
		p.printLineLocked()
	case codeNUL, codeCR: // CR moves nothing when automatic line feed is off, as delivered
		p.halfLocked()
	case codeHT:
		p.halfLocked()
		for stop := p.head.used/8*8 + 8; p.head.used < min(stop, p.columns); {
			p.placeLocked(cell{' ', 1, size{1, 1}, false})
		}
	default:
		if b[0] < 0x20 || b[0] == 0x7F {
			p.fault("unknown control code %02Xh", b[0])
			return
		}
		p.characterLocked(b[0])
	}
}

// halfLocked gives up a two-byte character whose second half does not come.
func (p *Printer) halfLocked() {
	if p.head.lead != 0 {
		p.fault("%02Xh is half a character", p.head.lead)
		p.head.lead = 0
	}
}

func (p *Printer) escLocked(b []byte) {
	p.halfLocked()
	h := &p.head
	switch b[1] {
	case '@':
		h.powerOn(p.columns)
		p.paper.breakOff(p.fault)
	case 'a':
		if n := b[2] &^ 0x30; n <= 2 && len(h.line) == 0 {
			h.align = n
		} else {
			p.fault("ESC a %d in the middle of a line, or of no known kind", b[2])
		}
	case 'E':
		h.bold = b[2]&1 != 0
	case '!':
		h.bold = b[2]&0x08 != 0
		h.plain = size{1 + b[2]>>5&1, 1 + b[2]>>4&1}
	case 'd':
		p.feedLocked(int(b[2]))
	case 'J':
		p.feedLocked(int(b[2]) / dotsPerLine)
	}
}

// feedLocked prints the line under way and feeds the paper by n lines in all.
func (p *Printer) feedLocked(n int) {
	if len(p.head.line) > 0 {
		p.printLineLocked()
		n--
	}
	for ; n > 0 && p.machine.online(); n-- { // without paper the rest of the feed is lost
		p.printLineLocked()
	}
}

func (p *Printer) fsLocked(b []byte) {
	p.halfLocked()
	h := &p.head
	switch b[1] {
	case '&':
		h.chinese = true
	case '.':
		h.chinese = false
	case '!':
		h.han = size{1 + b[2]>>2&1, 1 + b[2]>>3&1}
	}
}

func (p *Printer) gsLocked(b []byte) {
	p.halfLocked()
	h := &p.head
	switch b[1] {
	case '!':
		if b[2]&0x88 != 0 {
			p.fault("GS ! %02Xh: no such size", b[2])
			return
		}
		h.plain = size{1 + b[2]>>4, 1 + b[2]&7}
		h.han = h.plain
	case 'a':
		p.machine.automatic = b[2] & 0x0F
		if p.machine.automatic != 0 {
			status := p.machine.status()
			p.sayLocked(status[:])
		}
	case 'r':
		switch b[2] {
		case 1, 49:
			p.sayLocked([]byte{p.machine.paperSensors()})
		case 2, 50:
			p.sayLocked([]byte{0})
		default:
			p.fault("GS r %d: no such status", b[2])
		}
	case 'V':
		p.cutLocked(b[2] >= feedsToCut)
	case '(':
		p.extendedLocked(b)
	case 'v':
		p.bandLocked(bitmap{rasterWidth(b), rasterHeight(b), append([]byte(nil), b[rasterHeader:]...)})
	}
}

// feedsToCut is the first m of GS V that feeds what is printed to the blade before it cuts (functions B to D, TM-T88VI).
const feedsToCut = 65

// cutLocked cuts, at the beginning of a line only, as the manuals demand. Where the blade jams, what was fed to it is taken
// out with the jam: it is whole, and ends below its last line.
func (p *Printer) cutLocked(fed bool) {
	if len(p.head.line) > 0 {
		p.fault("GS V in the middle of a line is ignored")
		return
	}
	if p.machine.jamAtCut {
		p.changeLocked(func(m *machine) { m.jamAtCut, m.jammed, m.cutterError = false, true, true })
		if fed {
			p.paper.end(tearMark, p.fault)
		}
		return
	}
	p.paper.end(cutMark, p.fault)
}

func (p *Printer) extendedLocked(b []byte) {
	data := b[5:]
	switch b[2] {
	case 'H':
		if len(data) == 6 && data[0] == 48 && data[1] == 48 && inRange(data[2:]) {
			p.sayBlockLocked([]byte{0x37, 0x22, data[2], data[3], data[4], data[5], 0})
			return
		}
	case 'k':
		if p.symbolLocked(data) {
			return
		}
	}
	p.fault("GS ( %c with % X: unknown, skipped", b[2], clipped(data))
}

func inRange(id []byte) bool {
	for _, d := range id {
		if d < 32 || d > 126 {
			return false
		}
	}
	return true
}

func clipped(b []byte) []byte { return b[:min(len(b), 16)] }

// symbolLocked takes the QR code functions of GS ( k: model, size, correction, store, print. On paper it is
// dots; as text it says how many bytes it carries.
func (p *Printer) symbolLocked(data []byte) bool {
	if len(data) < 3 || data[0] != 49 {
		return false
	}
	switch data[1] {
	case 65, 69: // model, error correction: this head has one of each
		return true
	case 67:
		p.head.module = int(data[2])
		return true
	case 80:
		p.head.code = append([]byte(nil), data[3:]...)
		return true
	case 81:
		p.symbolPrintedLocked()
		return true
	}
	return false
}
