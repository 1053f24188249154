package simrig

import (
	"io"
	"net"
	"strconv"
	"time"
)

// WireOpts are what a wire is like when nothing is wrong with it.
type WireOpts struct {
	Name    string
	Baud    int           // bits per second, ten bits a byte; 0 is a network, which takes no time for a byte
	Latency time.Duration // from the last bit of a chunk to its arrival
	Jitter  time.Duration // up to so much on top, drawn for each chunk
	Chunk   int           // bytes that arrive together at most; 0 is 62

	heard func() func([]byte) // makes who is told of all that passes in one direction; nil is nobody
}

// Faults are what can be wrong with a wire while it works. Rates are chunks in ten thousand.
type Faults struct {
	Lose, Double, Flip, Split, Stall int
	StallFor                         time.Duration // a stalled chunk comes late by up to so much
}

// Wire is a simulated line with two ends. Both behave like a net.Conn.
type Wire struct {
	o      WireOpts
	toFar  *lane
	toNear *lane
	Near   *End // the terminal's
	Far    *End // the machine's
}

// newWire lays a wire, the nth of its name in its world: each direction of each has dice of its own.
func newWire(o WireOpts, seed uint64, nth int) *Wire {
	number := strconv.Itoa(nth)
	w := &Wire{o: o, toFar: newLane(o, stream(seed, o.Name+" out "+number)), toNear: newLane(o, stream(seed, o.Name+" in "+number))}
	w.Near = &End{name: o.Name, in: w.toNear, out: w.toFar}
	w.Far = &End{name: o.Name, in: w.toFar, out: w.toNear}
	return w
}

// Suffer sets what is wrong with the wire from now on, in each direction.
func (w *Wire) Suffer(toFar, toNear Faults) {
	w.toFar.suffer(toFar)
	w.toNear.suffer(toNear)
}

// Stall lets nothing arrive on either side before the virtual clock has moved so far.
func (w *Wire) Stall(d time.Duration) {
	until := since() + d
	w.toFar.hold(until)
	w.toNear.hold(until)
}

// Break ends the wire at once: its near end meets err, its far end the end of the line. What was on its way to the near
// end is lost. What the near end has written still arrives on a network; on a serial line, what has not passed yet was
// in the terminal's own buffers and is lost.
func (w *Wire) Break(err error) {
	w.breakOff(err, w.o.Baud > 0)
}

func (w *Wire) breakOff(err error, lost bool) {
	w.toNear.fail(err, io.ErrClosedPipe)
	w.toFar.fail(nil, err)
	if lost {
		w.toFar.forget()
	}
	w.toFar.closeWriter()
}

// End is one end of a wire. Close lets what was written arrive, and ends a Read and a Write at this end.
type End struct {
	name    string
	in, out *lane

	// leaving, at a terminal's end, says how many bytes pass before something happens, and what; nil is nothing. coming is
	// told of bytes that nobody has seen yet.
	leaving func(p []byte) (pass int, then func())
	coming  func(p []byte)
}

var _ net.Conn = (*End)(nil)

// Read implements net.Conn. It takes what has arrived.
func (e *End) Read(p []byte) (int, error) {
	n, err := e.in.read(p)
	if n == 0 || e.coming == nil {
		return n, err
	}
	e.coming(p[:n])
	if gone := e.in.over(); gone != nil {
		clear(p[:n])
		return 0, gone
	}
	return n, err
}

// Write implements net.Conn. It waits only while the wire's buffer is full, and where something is to happen at a byte of
// it, until that byte has passed.
func (e *End) Write(p []byte) (sent int, err error) {
	if e.leaving == nil {
		return e.out.write(p)
	}
	for {
		pass, then := e.leaving(p[sent:])
		n, err := e.out.write(p[sent : sent+pass])
		sent += n
		if err != nil {
			return sent, err
		}
		if then == nil {
			return sent, nil
		}
		e.out.passed()
		then()
	}
}

// Close implements net.Conn.
func (e *End) Close() error {
	e.in.fail(net.ErrClosed, io.ErrClosedPipe)
	e.out.closeWriter()
	return nil
}

// SetDeadline implements net.Conn.
func (e *End) SetDeadline(t time.Time) error {
	e.in.limit(true, t)
	e.out.limit(false, t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (e *End) SetReadDeadline(t time.Time) error { e.in.limit(true, t); return nil }

// SetWriteDeadline implements net.Conn.
func (e *End) SetWriteDeadline(t time.Time) error { e.out.limit(false, t); return nil }

// LocalAddr implements net.Conn.
func (e *End) LocalAddr() net.Addr { return wireName(e.name) }

// RemoteAddr implements net.Conn.
func (e *End) RemoteAddr() net.Addr { return wireName(e.name) }

type wireName string

func (wireName) Network() string  { return "simulated" }
func (n wireName) String() string { return string(n) }
