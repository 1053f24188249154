package printertest

// machine is the printer's body: what its sensors feel.
type machine struct {
	paperEnd, nearEnd bool
	coverOpen         bool
	jammed            bool // paper in the blade: DLE ENQ cannot help before it is cleared
	jamAtCut          bool // the next cut jams
	cutterError       bool // stays after the jam is cleared, until DLE ENQ or power off
	hot               bool // the head waits until it has cooled
	held              bool // somebody leans on the feed button
	broken            bool // an error that only power off and on ends
	silent            bool // switched off
	mute              bool // prints, but its answers do not arrive
	nonsense          bool // its answers arrive as rubbish
	mingle            bool // puts automatic status and flow control bytes inside block answers
	endsAfter         int  // lines until the paper ends, when counting
	counting          bool

	automatic byte   // GS a, or a Star printer's ESC RS a
	star      bool   // Star line mode
	counter   byte   // a Star printer's ETB counter
	counted   bool   // it has moved since it was cleared
	rubbish   uint32 // state of the rubbish generator
}

// powerOn sets what the power switch sets. Sensors feel on.
func (m *machine) powerOn() {
	m.automatic, m.counter, m.counted = 0, 0, false
	if m.star {
		m.automatic = 1
	}
	m.cutterError = m.jammed
	m.broken = false
	if m.rubbish == 0 {
		m.rubbish = 2463534242
	}
}

func (m *machine) online() bool {
	return !m.silent && !m.paperEnd && !m.coverOpen && !m.cutterError && !m.hot && !m.held && !m.broken
}

// realTime is the answer to DLE EOT n: bits 1 and 4 always set.
func (m *machine) realTime(n byte) byte {
	b := byte(0x12)
	set := func(is bool, bits byte) {
		if is {
			b |= bits
		}
	}
	switch n {
	case 1:
		set(!m.online(), 1<<3)
		set(m.held, 1<<6)
	case 2:
		set(m.coverOpen, 1<<2)
		set(m.held, 1<<3)
		set(m.paperEnd, 1<<5)
		set(m.cutterError || m.hot || m.broken, 1<<6)
	case 3:
		set(m.cutterError, 1<<3)
		set(m.broken, 1<<5)
		set(m.hot, 1<<6)
	case 4:
		set(m.nearEnd || m.paperEnd, 1<<2|1<<3)
		set(m.paperEnd, 1<<5|1<<6)
	}
	return b
}

// status is the automatic status: bit 4 of the first byte set, of the others clear.
func (m *machine) status() [4]byte {
	s := [4]byte{0x10, 0, 0, 0x0F}
	if !m.online() {
		s[0] |= 1 << 3
	}
	if m.coverOpen {
		s[0] |= 1 << 5
	}
	if m.held {
		s[0] |= 1 << 6
	}
	if m.cutterError {
		s[1] |= 1 << 3
	}
	if m.broken {
		s[1] |= 1 << 5
	}
	if m.hot {
		s[1] |= 1 << 6
	}
	if m.nearEnd || m.paperEnd {
		s[2] |= 1<<0 | 1<<1
	}
	if m.paperEnd {
		s[2] |= 1<<2 | 1<<3
	}
	return s
}

// paperSensors is the answer to GS r 1.
func (m *machine) paperSensors() byte { return m.status()[2] }

// changeLocked changes the body, reports the change if automatic status is on, and goes on printing if that is possible
// now.
func (p *Printer) changeLocked(change func(*machine)) {
	before := p.machine.status()
	change(&p.machine)
	now := p.machine.status()
	switch {
	case now == before || p.machine.automatic == 0:
	case p.machine.star:
		p.sayLocked(p.machine.starStatus())
	default:
		p.sayLocked(now[:])
	}
}

// sayLocked sends an answer to the host.
func (p *Printer) sayLocked(b []byte) {
	m := &p.machine
	if m.silent || m.mute || !p.connected {
		return
	}
	answer := append([]byte(nil), b...)
	if m.nonsense {
		for i := range answer {
			m.rubbish ^= m.rubbish << 13
			m.rubbish ^= m.rubbish >> 17
			m.rubbish ^= m.rubbish << 5
			answer[i] = byte(m.rubbish >> 11)
		}
	}
	select {
	case p.answers <- answer:
	default:
		p.fault("the host does not read: an answer was lost")
	}
}

// sayBlockLocked sends a block answer, mingled with other answers when asked to.
func (p *Printer) sayBlockLocked(b []byte) {
	if !p.machine.mingle {
		p.sayLocked(b)
		return
	}
	status := p.machine.status()
	var mixed []byte
	for i, c := range b {
		mixed = append(mixed, c)
		switch i {
		case 0:
			mixed = append(mixed, codeXOFF)
		case 2:
			mixed = append(mixed, status[0], codeXOFF, status[1], status[2], status[3])
		case 4:
			mixed = append(mixed, codeXON)
		}
	}
	p.sayLocked(mixed)
}
