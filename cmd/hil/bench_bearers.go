package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"posagent/device/devicetest"
	"posagent/link"
	"posagent/link/iso8583"
	"posagent/link/linktest"
	"posagent/link/modem"
)

// What a way to the acquirer costs: the bytes of a TLS handshake by what is agreed on, counted, and what dialling while a
// card is read saves on a telephone line of 9600 bit/s, timed in real time on a simulated modem. Bytes are the same on
// every machine but for a few, because signatures differ in length. The unit of both is in the same run.

const (
	benchHost     = "acquirer.example"
	benchTerminal = "30010001"
	benchMerchant = "898110054110001"
	benchBaud     = 9600
	benchNumber   = "95516"
	echoWithin    = 30 * time.Second
)

func (m *measuring) bearers(ctx context.Context) (chapter, error) {
	c := chapter{title: "The way to the acquirer"}
	w, err := newWayfarer()
	if err != nil {
		return c, err
	}
	if c.rows, err = w.handshakes(ctx); err != nil {
		return c, err
	}
	c.notes = append(c.notes, fmt.Sprintf("handshakes: ratio to X25519 alone; a byte at %d bit/s takes %.2f ms", benchBaud, 10_000.0/benchBaud))
	for _, secured := range []bool{false, true} {
		name := "dialled"
		if secured {
			name = "dialled, TLS"
		}
		cold, open, err := w.telephone(ctx, secured)
		if err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
		c.rows = append(c.rows, row{name + ", by the request", span(cold), "1.00 x", ""},
			row{name + ", while the card is read", span(open), times(float64(open) / float64(cold)), ""})
	}
	c.notes = append(c.notes, fmt.Sprintf("dialled: one echo at %d bit/s, from the request to its answer; ratio to the first of each pair", benchBaud))
	return c, nil
}

// handshakes are the rows of what can be agreed on.
func (w *wayfarer) handshakes(ctx context.Context) (rows []row, err error) {
	unit := 0
	for _, h := range []struct {
		name   string
		curves []tls.CurveID
		mutual bool
		resume bool
	}{
		{"X25519", []tls.CurveID{tls.X25519}, false, false},
		{"X25519, resumed", []tls.CurveID{tls.X25519}, false, true},
		{"P-256", []tls.CurveID{tls.CurveP256}, false, false},
		{"hybrid (Go's choice)", nil, false, false},
		{"X25519, both prove themselves", []tls.CurveID{tls.X25519}, true, false},
		{"X25519, both, resumed", []tls.CurveID{tls.X25519}, true, true},
		{"hybrid, both prove themselves", nil, true, false},
	} {
		n, err := w.handshake(ctx, h.curves, h.mutual, h.resume)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.name, err)
		}
		if unit == 0 {
			unit = n
		}
		rows = append(rows, row{"handshake, " + h.name, fmt.Sprintf("%d B", n), times(float64(n) / float64(unit)), ""})
	}
	return rows, nil
}

// wayfarer is an acquirer with certificates.
type wayfarer struct {
	acquirer *linktest.Acquirer
	ca       *linktest.Authority
	host     tls.Certificate
	terminal tls.Certificate
}

func newWayfarer() (w *wayfarer, err error) {
	w = &wayfarer{acquirer: linktest.NewAcquirer(linktest.AcquirerOpts{TMK: bytes.Repeat([]byte{7}, 16), Terminals: map[string]string{benchTerminal: benchMerchant}})}
	now := time.Now()
	if w.ca, err = linktest.NewAuthority(now); err != nil {
		return nil, err
	}
	if w.host, err = w.ca.Server(now.Add(-time.Hour), now.Add(time.Hour), benchHost); err != nil {
		return nil, err
	}
	w.terminal, err = w.ca.Client(now.Add(-time.Hour), now.Add(time.Hour), benchTerminal)
	return w, err
}

func (w *wayfarer) options(curves []tls.CurveID, mutual, resume bool) (link.TLSOptions, *tls.Config) {
	o := link.TLSOptions{ServerName: benchHost, Roots: w.ca.Pool(), Curves: curves, Resume: resume}
	server := linktest.ServerTLS(w.host, nil)
	if mutual {
		server = linktest.ServerTLS(w.host, w.ca.Pool())
		o.Certificate, o.Settle = &w.terminal, 10*time.Second
	}
	return o, server
}

// tallied counts both ways.
type tallied struct {
	net.Conn
	n *atomic.Int64
}

func (c tallied) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (c tallied) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// loopback dials the acquirer through the kernel.
type loopback struct {
	at string
	n  atomic.Int64
}

func (d *loopback) Dial(ctx context.Context) (link.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.at)
	return tallied{conn, &d.n}, err
}

func (d *loopback) String() string { return "loopback" }

// handshake counts the bytes from connecting to the end of the first exchange, less those of a second one on the same
// line: the tickets that the far end sends after the handshake are then counted, and the message is not.
func (w *wayfarer) handshake(ctx context.Context, curves []tls.CurveID, mutual, resume bool) (int, error) {
	o, server := w.options(curves, mutual, resume)
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	ctx, shut := context.WithCancel(ctx)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = w.acquirer.Serve(ctx, tls.NewListener(door, server), link.LengthPrefixed)
	}()
	defer func() { shut(); <-served }()
	line := &loopback{at: door.Addr().String()}
	dialer, err := link.NewTLS(line, o)
	if err != nil {
		return 0, err
	}
	l, err := newEchoLink(link.Bearer{Name: "loopback", Dialer: dialer})
	if err != nil {
		return 0, err
	}
	defer l.Close()
	spend := func() (int64, error) {
		before := line.n.Load()
		_, err := l.Exchange(ctx, echoRequest())
		return line.n.Load() - before, err
	}
	if resume { // the first session leaves the ticket
		if _, err := spend(); err != nil {
			return 0, err
		}
		_ = l.Hangup()
	}
	first, err := spend()
	if err != nil {
		return 0, err
	}
	second, err := spend()
	return int(first - second), err
}

func newEchoLink(b link.Bearer) (*link.Link, error) {
	header, err := link.ParseHeader("6000060000", "603100310000")
	return link.New(link.Options{Header: header, Answer: echoWithin, Bearers: []link.Bearer{b}}), err
}

func echoRequest() *iso8583.Message {
	m := new(iso8583.Message)
	m.SetMTI("0820")
	m.Set(41, benchTerminal)
	m.Set(42, benchMerchant)
	m.Set(60, "00000001301")
	return m
}

// telephone times one exchange that has to dial, and one on a line that was dialled before.
func (w *wayfarer) telephone(ctx context.Context, secured bool) (cold, open time.Duration, err error) {
	ctx, hangUp := context.WithCancel(ctx)
	o, server := w.options([]tls.CurveID{tls.X25519}, false, false)
	sim := linktest.NewModem(linktest.ModemOpts{PhoneBook: map[string]string{benchNumber: "acquirer"},
		Dial: func(context.Context, string) (net.Conn, error) {
			near, far := net.Pipe()
			var line io.ReadWriteCloser = far
			if secured {
				line = tls.Server(far, server)
			}
			go func() { _ = w.acquirer.ServeConn(ctx, line, link.LengthPrefixed) }()
			return near, nil
		}})
	near, far := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = sim.Serve(ctx, devicetest.Pace(far, benchBaud))
	}()
	defer func() {
		hangUp()
		_ = near.Close()
		<-served
	}()
	var dialer link.Dialer
	if dialer, err = modem.New(near, &modem.Opts{Number: benchNumber}); err != nil {
		return 0, 0, err
	}
	if secured {
		if dialer, err = link.NewTLS(dialer, o); err != nil {
			return 0, 0, err
		}
	}
	l, err := newEchoLink(link.Bearer{Name: "dial", Dialer: dialer, Connect: 2 * time.Minute})
	if err != nil {
		return 0, 0, err
	}
	defer l.Close()
	for _, took := range []*time.Duration{&cold, &open} {
		began := time.Now()
		if _, err := l.Exchange(ctx, echoRequest()); err != nil {
			return 0, 0, err
		}
		*took = time.Since(began)
		if took == &cold { // and now as it is when the dial ran beside the card
			if err := l.Hangup(); err != nil {
				return 0, 0, err
			}
			if err := l.Connect(ctx, time.Minute); err != nil {
				return 0, 0, err
			}
		}
	}
	return cold, open, nil
}
