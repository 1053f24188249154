package linktest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// ModemOpts is what a modem is connected to.
type ModemOpts struct {
	PhoneBook map[string]string                                           // number, digits only, to host:port
	Dial      func(ctx context.Context, address string) (net.Conn, error) // nil dials TCP
	Guard     time.Duration                                               // S12 at power-on, in steps of 20 ms; 0 means 1 s
}

// Modem is a Hayes modem as ITU-T V.250 (07/2003) has it, with the escape sequence of the Hayes Technical Reference. Its
// calls go to TCP addresses from a phone book.
//
//	           ATD                 CONNECT               +++ between guard times, DTR off (&D1)
//	command ─────────► dialling ─────────────► data ◄──────────────────────► online command
//	  ▲ ▲   busy, a key…  │                     │            ATO                  │
//	  │ └─────────────────┘                     │ NO CARRIER, DTR off (&D2)       │ ATH, ATZ, DTR off (&D2)
//	  └─────────────────────────────────────────┴─────────────────────────────────┘
//
// Where the documents leave a choice it takes the one that is harder on a driver: a command line holds 40 characters,
// "At" is no prefix, a key while dialling gives NO CARRIER and not OK, DTR off (&D2) is answered with NO CARRIER, and
// what is typed before CONNECT is lost. NO ANSWER is given without '@' in the dial string, as most modems do.
//
// One lock guards everything; the goroutines of Serve, of the call and of the timers take it for each step.
type Modem struct {
	opts ModemOpts

	mu      sync.Mutex
	changed *sync.Cond // out, toward, state, call or serving changed

	serving bool
	power   context.Context // of the present Serve: calls end with it
	running sync.WaitGroup  // goroutines of the present Serve

	state   modemState
	profile modemProfile
	typed   modemLine
	out     []byte // on its way to the terminal

	call   int      // number of the present call; a goroutine of an earlier one finds that out
	remote net.Conn // nil when no call is up
	toward []byte   // payload on its way to the other side
	gone   bool     // the other side has ended the call, and the terminal is not told yet
	hangup func()   // ends the dialling in progress
	dialed time.Time

	lastByte time.Time // from the terminal, in data state
	plus     int       // escape characters since a silence
	escape   *time.Timer

	mood modemMood
}

type modemState int

const (
	inCommand modemState = iota
	inDialling
	inData
	inOnlineCommand
)

func (s modemState) String() string {
	return [...]string{"command", "dialling", "data", "online command"}[s]
}

const (
	bufferFull   = 4096                   // bytes of payload, either way, at which its sender is held back
	outputMax    = 64 * 1024              // beyond it answers are lost: nobody reads the line
	trainingTime = 200 * time.Millisecond // from the end of dialling to an outcome
)

// NewModem returns a modem that is switched off until Serve.
func NewModem(o ModemOpts) *Modem {
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}
	}
	if o.Guard == 0 {
		o.Guard = time.Second
	}
	m := &Modem{opts: o}
	m.changed = sync.NewCond(&m.mu)
	return m
}

// Serve is the modem switched on, with rw as its line to the terminal. When rw also has DTR() bool, that is circuit
// 108/2. It returns nil when ctx ends or the line does, and the line's error otherwise; a call that is up is then cut.
//
// The end of ctx wakes a Read or Write in progress by rw's SetDeadline, or else by its Close; a line that has neither,
// or a file in blocking mode, must be ended by its other side.
func (m *Modem) Serve(ctx context.Context, rw io.ReadWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := m.powerOn(ctx); err != nil {
		return err
	}
	wake := waker(rw)
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { wake(); close(woken) })
	m.running.Go(func() { m.write(rw, cancel) })
	if line, ok := rw.(interface{ DTR() bool }); ok {
		m.running.Go(func() { m.watchDTR(ctx, line.DTR) })
	}
	err := m.read(rw)
	ended := ctx.Err() != nil || errors.Is(err, io.EOF)
	if stop() {
		wake() // the writer, too
	} else {
		<-woken // or it would disturb the next Serve on this line
	}
	cancel()
	m.powerOff()
	m.running.Wait()
	if ended {
		return nil
	}
	return err
}

// waker returns what ends a Read and a Write in progress on rw, and makes sure that nothing does now.
func waker(rw io.ReadWriter) func() {
	if line, ok := rw.(interface{ SetDeadline(time.Time) error }); ok && line.SetDeadline(time.Time{}) == nil {
		return func() { _ = line.SetDeadline(time.Unix(1, 0)) }
	}
	if line, ok := rw.(io.Closer); ok {
		return func() { _ = line.Close() }
	}
	return func() {}
}

func (m *Modem) powerOn(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.serving {
		return errors.New("this modem serves a line already")
	}
	m.serving, m.power = true, ctx
	m.state, m.out, m.typed = inCommand, nil, modemLine{}
	m.resetLocked()
	return nil
}

func (m *Modem) powerOff() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serving = false
	m.endCallLocked()
	m.changed.Broadcast()
}

// read takes what the terminal sends.
func (m *Modem) read(rw io.Reader) error {
	chunk := make([]byte, 1024)
	for {
		n, err := rw.Read(chunk)
		m.fromTerminal(chunk[:n], time.Now())
		if err != nil {
			return err
		}
	}
}

// write brings out to the terminal.
func (m *Modem) write(rw io.Writer, stop func()) {
	for {
		m.mu.Lock()
		for m.serving && len(m.out) == 0 {
			m.changed.Wait()
		}
		chunk, serving := m.out, m.serving
		m.out = nil
		m.changed.Broadcast()
		m.mu.Unlock()
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
func (m *Modem) tellLocked(p ...byte) {
	if m.mood.silent || len(m.out)+len(p) > outputMax {
		return
	}
	m.out = append(m.out, p...)
	m.changed.Broadcast()
}
