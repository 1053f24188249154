package linktest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// CellOpts is what a cellular modem is connected to.
type CellOpts struct {
	Family CellFamily
	// Dial makes the network's side of a socket; nil dials TCP. Hosts sends an address that the terminal names to another.
	Dial  func(ctx context.Context, address string) (net.Conn, error)
	Hosts map[string]string
	Guard time.Duration // around the escape sequence; 0 means 1 s
	Boot  time.Duration // from power to the first answer; 0 means 4 s
}

// CellFamily is whose commands a modem understands.
type CellFamily string

const (
	Quectel CellFamily = "quectel"
	SIMCom  CellFamily = "simcom"
)

// Cell is a cellular modem with a TCP of its own, as seen at its serial line. What all have in common follows 3GPP TS
// 27.007; sockets follow
//
//	Quectel  EC200U&EG915U Series TCP/IP Application Note, V1.1 (2021-08-17), chapters 2 and 4
//	SIMCom   A7600 Series TCPIP Application Note, V1.00 (2020-06-19), chapters 1.6, 3 and 4
//
// It has one context and one socket, number 0. Where the notes leave a choice it takes the one that is harder on a
// driver: a report may stand between the lines of an answer, a command line may be refused with a code or without one,
// "SEND OK" says nothing of the far end, and data that waits is reported once.
//
//	off ──► booting ──► command ──QIOPEN,CIPOPEN──► command with a socket
//	           ▲           │                          │ QIOPEN with access mode 2
//	           └─ CFUN=1,1 ┘                        data ──+++, DTR──► command with a socket
//
// One lock guards everything. The line's reader runs the commands, one after another, as a modem does.
type Cell struct {
	opts CellOpts

	mu      sync.Mutex
	changed *sync.Cond // out, the socket or serving changed

	serving bool
	power   context.Context // of the present Serve
	running sync.WaitGroup  // goroutines of the present Serve

	ready    time.Time // deaf until then
	booting  bool      // and until it has reported itself
	out      []byte    // on its way to the terminal
	typed    []byte    // the command line so far
	echo     bool
	codes    bool // +CME ERROR instead of ERROR
	attached bool // the context, or the network library, is open
	manual   bool // SIMCom: received data waits to be fetched
	failure  int  // Quectel: code of the last TCP/IP failure
	wanted   int  // payload bytes that are still to come after the prompt
	payload  []byte

	sock  cellSocket
	dials int // which socket is the present one; a goroutine of an earlier one finds that out

	escape   *time.Timer
	lastByte time.Time
	plus     int

	mood cellMood
}

const cellBuffer = 10240 // bytes that wait either way (AT+QISEND, <Freesize>)

// NewCell returns a modem that is switched off until Serve.
func NewCell(o CellOpts) *Cell {
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}
	}
	if o.Guard == 0 {
		o.Guard = time.Second
	}
	if o.Boot == 0 {
		o.Boot = 4 * time.Second
	}
	c := &Cell{opts: o, mood: cellMood{sim: "ready", register: 1}}
	c.changed = sync.NewCond(&c.mu)
	c.resetLocked()
	return c
}

// Serve is the modem's line: switched on the first time, and from then on in whatever state it was, because a terminal
// that closes its line does not switch its modem off. It returns nil when ctx ends or the line does.
func (c *Cell) Serve(ctx context.Context, rw io.ReadWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.mu.Lock()
	if c.serving {
		c.mu.Unlock()
		return errors.New("this modem serves a line already")
	}
	c.serving, c.power, c.out, c.typed, c.wanted = true, ctx, nil, nil, 0
	c.mu.Unlock()
	wake, woken := waker(rw), make(chan struct{})
	stop := context.AfterFunc(ctx, func() { wake(); close(woken) })
	c.running.Go(func() { c.write(rw, cancel) })
	err := c.read(rw)
	over := ctx.Err() != nil || errors.Is(err, io.EOF)
	if stop() {
		wake()
	} else {
		<-woken
	}
	cancel()
	c.mu.Lock()
	c.serving = false
	c.changed.Broadcast()
	c.mu.Unlock()
	c.running.Wait()
	if over {
		return nil
	}
	return err
}

// PowerCycle takes the modem's power away and gives it back.
func (c *Cell) PowerCycle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mood.silent, c.mood.cycles = false, c.mood.cycles+1
	c.rebootLocked()
}

func (c *Cell) resetLocked() {
	c.echo, c.codes, c.attached, c.manual, c.wanted, c.typed = !c.mood.noEcho, false, false, false, 0, nil
}

func (c *Cell) rebootLocked() {
	c.closeSocketLocked()
	c.resetLocked()
	c.out, c.mood.boots = nil, c.mood.boots+1
	c.ready = time.Now().Add(c.opts.Boot)
	if c.power != nil && c.serving {
		power := c.power
		c.booting = true
		c.running.Go(func() {
			select {
			case <-time.After(c.opts.Boot):
			case <-power.Done():
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.booting = false
			if c.opts.Family == Quectel {
				c.reportLocked("RDY")
			} else {
				c.reportLocked("*ATREADY: 1")
			}
		})
	}
}

func (c *Cell) read(rw io.Reader) error {
	chunk := make([]byte, 1024)
	for {
		n, err := rw.Read(chunk)
		for _, b := range chunk[:n] {
			c.key(b)
		}
		if err != nil {
			return err
		}
	}
}

func (c *Cell) write(rw io.Writer, stop func()) {
	for {
		c.mu.Lock()
		for c.serving && len(c.out) == 0 {
			c.changed.Wait()
		}
		chunk, serving := c.out, c.serving
		c.out = nil
		c.changed.Broadcast()
		c.mu.Unlock()
		if !serving {
			return
		}
		if _, err := rw.Write(chunk); err != nil {
			stop()
			return
		}
	}
}

// tellLocked queues bytes for the terminal.
func (c *Cell) tellLocked(p ...byte) {
	if c.mood.silent || time.Now().Before(c.ready) || len(c.out)+len(p) > outputMax {
		return
	}
	c.out = append(c.out, p...)
	c.changed.Broadcast()
}

// sayLocked sends one line of an answer or a result.
func (c *Cell) sayLocked(text string) {
	c.tellLocked([]byte("\r\n" + text + "\r\n")...)
	if c.mood.chatty {
		c.tellLocked([]byte("\r\n+CREG: 1\r\n")...) // a report where nobody wants one
	}
}

// reportLocked sends what nobody asked for. In data state the terminal would take it for payload.
func (c *Cell) reportLocked(text string) {
	if c.sock.state != sockThrough {
		c.tellLocked([]byte("\r\n" + text + "\r\n")...)
	}
}
