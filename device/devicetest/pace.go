package devicetest

import (
	"io"
	"sync"
	"time"
)

// bitsPerByte on an asynchronous line: one start bit, eight data bits or seven and parity, one stop bit.
const bitsPerByte = 10

// Chosen by us.
const (
	paceStep  = time.Millisecond     // bytes of one step travel together, one byte at least
	paceSlack = 5 * time.Millisecond // a shorter gap is a late timer, made up for; a longer one is a silent line
)

// Pace makes rw as slow as a line of the given speed in bits per second, each direction for itself, at ten bits a byte.
// A byte written appears at the far end, and a byte read at this one, when its last bit would have arrived. Speed 0 or
// less leaves rw as fast as it is. If rw has deadlines and Close, so has the result.
func Pace(rw io.ReadWriter, baud int) io.ReadWriter {
	if baud <= 0 {
		return rw
	}
	perByte := bitsPerByte * time.Second / time.Duration(baud)
	step := max(1, int(paceStep/perByte))
	line := &paced{rw: rw, in: clock{perByte: perByte, step: step}, out: clock{perByte: perByte, step: step}}
	if conn, ok := rw.(interruptible); ok {
		return struct {
			*paced
			interruptible
		}{line, conn}
	}
	return line
}

// interruptible is what a machine at the far end uses to stop waiting.
type interruptible interface {
	io.Closer
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

type paced struct {
	rw      io.ReadWriter
	in, out clock
}

func (p *paced) Read(b []byte) (int, error) {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	n, err := p.rw.Read(b[:min(len(b), p.in.step)])
	p.in.pass(n)
	return n, err
}

func (p *paced) Write(b []byte) (sent int, err error) {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	for sent < len(b) {
		chunk := b[sent:min(len(b), sent+p.out.step)]
		p.out.pass(len(chunk))
		n, err := p.rw.Write(chunk)
		sent += n
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// clock is one direction of a line. mu guards until and keeps the order of bytes.
type clock struct {
	mu      sync.Mutex
	perByte time.Duration
	step    int       // bytes that travel together
	until   time.Time // when the line's last bit has passed
}

// pass waits until n more bytes have passed. The schedule, not the moment of waking, is carried on, so that timers
// that fire late do not make the line slower than its speed.
func (c *clock) pass(n int) {
	if now := time.Now(); now.Sub(c.until) > paceSlack {
		c.until = now
	}
	c.until = c.until.Add(time.Duration(n) * c.perByte)
	time.Sleep(time.Until(c.until))
}
