package printertest

// reception cuts the stream into commands as it arrives, whether or not they can be executed now.
type reception struct {
	part []byte // the beginning of a command
	last byte   // the byte before, to see DLE EOT where it must not be

	alone [1]byte // a character, on its way to where it is copied or obeyed
}

// receive takes bytes from the line.
func (p *Printer) receive(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(data) > 0 && !p.machine.silent { // switched off nobody is listening
		n := p.textLocked(data)
		if n == 0 {
			p.receiveByteLocked(data[0])
			n = 1
		}
		data = data[n:]
		p.executeLocked()
		p.tellLinesLocked()
	}
}

// textLocked prints the characters that data begins with, most of what a slip is made of, at most up to the end of a line, and
// returns how many bytes they were. It is receiveByteLocked for many at once, where nothing waits before them.
func (p *Printer) textLocked(data []byte) (n int) {
	r := &p.reception
	if len(r.part) > 0 || len(p.queue) > 0 || p.holding || p.head.image.height > 0 || !p.machine.online() {
		return 0
	}
	for n < len(data) && data[n] >= ' ' && data[n] != 0x7F && p.untold == 0 {
		p.characterLocked(data[n])
		r.last = data[n]
		p.overrun = false
		n++
	}
	return n
}

func (p *Printer) receiveByteLocked(b byte) {
	r := &p.reception
	inside := len(r.part) > 1 && r.part[0] != codeDLE
	if inside && !p.machine.star && r.last == codeDLE && (b == codeEOT || b == codeENQ || b == codeDC4) {
		p.fault("DLE %02Xh inside another command: some printers execute it, others take it for data", b)
	}
	r.last = b
	if len(r.part) == 0 && b != codeESC && b != codeFS && b != codeGS && b != codeDLE {
		r.alone[0] = b
		p.enqueueLocked(r.alone[:])
		return
	}
	r.part = append(r.part, b)
	length := commandLength
	if p.machine.star {
		length = starLength
	}
	switch n := length(r.part); {
	case n > rasterHeader+rasterMost:
		p.fault("raster image of %d bytes or more: no printer takes that", rasterMost)
	case n == incomplete || n > len(r.part):
		return
	case n == unknown:
		p.fault("unknown command % X", r.part)
	case p.machine.star && r.part[1] == codeACK:
		if r.part[2] != codeSOH {
			p.fault("unknown command % X", r.part)
		} else {
			p.sayLocked(p.machine.starStatus())
		}
	case r.part[0] == codeDLE:
		p.realTimeLocked(r.part[1], r.part[2])
	default:
		p.enqueueLocked(r.part)
	}
	r.part = r.part[:0]
}

// enqueueLocked puts a command behind those that wait. A host that ignores XOFF loses what does not fit. What need not
// wait is obeyed at once.
func (p *Printer) enqueueLocked(command []byte) {
	if len(p.queue) == 0 && !p.holding && p.machine.online() {
		p.overrun = false
		p.obeyLocked(command)
		return
	}
	command = append([]byte(nil), command...)
	if p.queued+len(command) > receiveBuffer && len(p.queue) > 0 {
		if !p.overrun {
			p.overrun = true
			p.fault("receive buffer overflow: data lost")
		}
		return
	}
	p.queue = append(p.queue, command)
	p.queued += len(command)
	if p.queued > almostFull && !p.holding && !p.machine.online() {
		p.holding = true
		p.sayLocked([]byte{codeXOFF})
	}
}

// realTimeLocked executes DLE EOT and DLE ENQ on reception.
func (p *Printer) realTimeLocked(command, n byte) {
	switch {
	case command == codeEOT && n >= 1 && n <= 4:
		p.sayLocked([]byte{p.machine.realTime(n)})
	case command == codeENQ && (n == 1 || n == 2):
		if !p.machine.cutterError || p.machine.jammed {
			return // nothing that it could end
		}
		if n == 2 {
			p.clearLocked()
		}
		p.changeLocked(func(m *machine) { m.cutterError = false })
	default:
		p.fault("unknown real-time command 10 %02X %02X", command, n)
	}
}

// clearLocked empties the receive buffer and the line under way. Process ids in it are never answered.
func (p *Printer) clearLocked() {
	p.queue, p.queued, p.overrun = nil, 0, false
	p.reception = reception{}
	p.imageEndLocked()
	p.head.line, p.head.used = nil, 0
	p.head.lead = 0
}

// executeLocked works the buffer off as far as the printer is able to.
func (p *Printer) executeLocked() {
	for len(p.queue) > 0 && p.machine.online() {
		command := p.queue[0]
		p.queue = p.queue[1:]
		p.queued -= len(command)
		if p.holding && p.queued < almostEmpty {
			p.holding = false
			p.sayLocked([]byte{codeXON})
		}
		p.overrun = false
		p.obeyLocked(command)
	}
}
