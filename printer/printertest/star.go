package printertest

// A Star printer in Star line mode, from the manual that printer/star.go names, without sharing its tables: the same body
// and paper, other words. Status is sent unasked from power-on, as with the memory switch at its delivery, until ESC RS a
// ends it. In its text two-byte characters need no mode.

const (
	codeSOH = 0x01
	codeACK = 0x06
	codeETB = 0x17
	codeCAN = 0x18
	codeRS  = 0x1E
)

// starLength tells how many bytes the command that begins with b has.
func starLength(b []byte) int {
	if len(b) < 2 {
		return incomplete
	}
	if b[0] != codeESC {
		return unknown
	}
	switch b[1] {
	case '@', 'E', 'F':
		return 2
	case 'a', 'd', codeACK:
		return 3
	case 'i', codeRS:
		return 4
	case codeGS:
		return starLengthAfterGS(b)
	}
	return unknown
}

func starLengthAfterGS(b []byte) int {
	switch {
	case len(b) < 3:
		return incomplete
	case b[2] == 'a':
		return 4
	case b[2] != 'y':
		return unknown
	case len(b) < 4:
		return incomplete
	case b[3] == 'P':
		return 4
	case b[3] == 'S':
		return 6
	case b[3] != 'D':
		return unknown
	case len(b) < 8:
		return incomplete
	}
	return 8 + int(b[6]) + int(b[7])<<8
}

// starStatus is the automatic status: two headers, and seven bytes of which the last is not used.
func (m *machine) starStatus() []byte {
	s := []byte{0x23, 0x06, 0, 0, 0, 0, 0, 0, 0}
	set := func(is bool, at int, bits byte) {
		if is {
			s[at] |= bits
		}
	}
	set(m.counted, 2, 1<<1)
	set(!m.online(), 2, 1<<3)
	set(m.coverOpen, 2, 1<<5)
	set(m.cutterError, 3, 1<<3)
	set(m.broken, 3, 1<<5)
	set(m.hot, 3, 1<<6)
	set(m.nearEnd || m.paperEnd, 5, 1<<2)
	set(m.paperEnd, 5, 1<<3)
	s[7] = m.counter&7<<1 | m.counter&0x18<<2
	return s
}

// starObeyLocked executes one whole command or character.
func (p *Printer) starObeyLocked(b []byte) {
	m, h := &p.machine, &p.head
	switch {
	case b[0] == codeETB:
		m.counter, m.counted = (m.counter+1)%32, true
		if m.automatic != 0 {
			p.sayLocked(m.starStatus())
		}
		return
	case b[0] == codeCAN:
		m.counter, m.counted = 0, false
		h.line, h.used = nil, 0
		return
	case b[0] != codeESC:
		p.plainLocked(b)
		return
	}
	p.halfLocked()
	switch b[1] {
	case '@':
		h.powerOn(p.columns)
		p.paper.breakOff(p.fault)
	case 'E':
		h.bold = true
	case 'F':
		h.bold = false
	case 'a':
		p.feedLocked(int(b[2]))
	case 'd':
		p.cutLocked(b[2] == 2 || b[2] == 3)
	case 'i':
		if b[2] > 5 || b[3] > 5 {
			p.fault("ESC i %d %d: no such size", b[2], b[3])
			return
		}
		h.plain = size{1 + b[3], 1 + b[2]}
		h.han = h.plain
	case codeRS:
		p.starSetLocked(b)
	case codeGS:
		p.starGSLocked(b)
	}
}

func (p *Printer) starSetLocked(b []byte) {
	switch {
	case b[2] == 'a':
		p.machine.automatic = b[3]
	case b[2] == 'E' && (b[3] == 0 || b[3] == '0'):
		p.machine.counter, p.machine.counted = 0, false
	default:
		p.fault("unknown command % X", b)
	}
}

func (p *Printer) starGSLocked(b []byte) {
	h := &p.head
	switch {
	case b[2] == 'a' && b[3] <= 2 && len(h.line) == 0:
		h.align = b[3]
	case b[2] == 'a':
		p.fault("ESC GS a %d in the middle of a line, or of no known kind", b[3])
	case b[3] == 'S' && b[4] == '2':
		h.module = int(b[5])
	case b[3] == 'D':
		h.code = append([]byte(nil), b[8:]...)
	case b[3] == 'P':
		p.symbolPrintedLocked()
	}
}
