package linktest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"posagent/link"
	"posagent/link/iso8583"
)

// A frame begins with a TPDU of five bytes, 60 and two addresses of two, and an application header of six. An answer has
// the addresses swapped. Framing says whether two bytes of length go before it.
const (
	tpduLength   = 5
	headerLength = tpduLength + 6
	maxFrame     = headerLength + iso8583.MaxMessage
)

// Serve answers every line that comes in, until ctx ends, which is no error, the listener fails, or the books cannot be
// kept. It returns when all lines are closed.
func (a *Acquirer) Serve(ctx context.Context, listener net.Listener, framing link.Framing) error {
	ctx, cancel := context.WithCancel(ctx)
	var lines sync.WaitGroup
	defer lines.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	for {
		line, err := listener.Accept()
		if err != nil {
			_ = listener.Close()
			if broken := a.brokenBooks(); broken != nil {
				return broken
			}
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		lines.Go(func() {
			if a.ServeConn(ctx, line, framing) != nil && a.brokenBooks() != nil {
				cancel()
			}
		})
	}
}

func (a *Acquirer) brokenBooks() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

// ServeConn answers one line until it ends or ctx does, and closes it. The end of the line is no error.
func (a *Acquirer) ServeConn(ctx context.Context, line io.ReadWriteCloser, framing link.Framing) error {
	ctx, cancel := context.WithCancel(ctx)
	c := &caller{line: line, framing: framing, dialect: a.dialect}
	defer c.later.Wait()
	defer line.Close()
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = line.Close() })()
	for {
		m, err := c.receive()
		if errors.Is(err, errUnreadable) {
			a.noteUnreadable()
			if framing == link.LengthPrefixed {
				continue // the next frame has its own length
			}
		}
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		r, err := a.answer(m)
		if err != nil {
			return err
		}
		if goOn := c.deliver(ctx, r); !goOn {
			return nil
		}
	}
}

// caller is one line. Reading belongs to ServeConn's goroutine.
type caller struct {
	line    io.ReadWriteCloser
	framing link.Framing
	dialect *iso8583.Dialect
	later   sync.WaitGroup // answers still to come

	buffer [maxFrame]byte
	filled int                // of buffer, on a line without lengths
	header [headerLength]byte // of the last request

	mu sync.Mutex // one answer at a time is written
}

var errUnreadable = errors.New("not a message")

// receive reads one message.
func (c *caller) receive() (*iso8583.Message, error) {
	if c.framing == link.SelfDelimited {
		return c.receiveBare()
	}
	var length [2]byte
	if _, err := io.ReadFull(c.line, length[:]); err != nil {
		return nil, ended(err)
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	if n > maxFrame {
		return nil, fmt.Errorf("frame of %d bytes, at most %d are taken", n, maxFrame)
	}
	frame := c.buffer[:n]
	if _, err := io.ReadFull(c.line, frame); err != nil {
		return nil, ended(err)
	}
	m := new(iso8583.Message)
	if n < headerLength || frame[0] != 0x60 {
		return nil, errUnreadable
	}
	if took, err := c.dialect.Unpack(m, frame[headerLength:]); err != nil || took != n-headerLength {
		return nil, errUnreadable
	}
	copy(c.header[:], frame)
	return m, nil
}

// receiveBare reads until the message itself is whole. What follows it is kept for the next one.
func (c *caller) receiveBare() (*iso8583.Message, error) {
	m := new(iso8583.Message)
	for {
		if c.filled > 0 && c.buffer[0] != 0x60 {
			return nil, errUnreadable
		}
		if c.filled > headerLength {
			took, err := c.dialect.Unpack(m, c.buffer[headerLength:c.filled])
			if err == nil {
				copy(c.header[:], c.buffer[:])
				c.filled = copy(c.buffer[:], c.buffer[headerLength+took:c.filled])
				return m, nil
			}
			if !errors.Is(err, iso8583.ErrShort) {
				return nil, errUnreadable
			}
		}
		if c.filled == len(c.buffer) {
			return nil, errUnreadable
		}
		n, err := c.line.Read(c.buffer[c.filled:])
		c.filled += n
		if n == 0 && err != nil {
			return nil, ended(err)
		}
	}
}

// ended makes a line that ends inside a frame the same as one that ends between two.
func ended(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

// deliver does with the answer what the fault says, and reports whether the line goes on.
func (c *caller) deliver(ctx context.Context, r reply) (goOn bool) {
	if r.packed == nil {
		return r.fault.Kind != DropBefore
	}
	frame := c.frame(r.packed)
	switch r.fault.Kind {
	case Silent:
		return true
	case Drop:
		return false
	case Cut:
		c.write(ctx, frame[:len(frame)/2], 0)
		return false
	case Garbage:
		c.write(ctx, c.frame(rubbish), 0)
		return true
	case DropAfter:
		c.write(ctx, frame, 0)
		return false
	case Late:
		c.later.Go(func() {
			if sleep(ctx, r.fault.Delay) {
				c.write(ctx, frame, 0)
			}
		})
		return true
	case Slow:
		c.later.Go(func() { c.write(ctx, frame, r.fault.Delay) })
		return true
	case Twice:
		c.write(ctx, frame, 0)
		c.later.Go(func() { c.write(ctx, frame, 0) })
		return true
	default:
		c.write(ctx, frame, 0)
		return true
	}
}

// rubbish is no message: its type is not four digits.
var rubbish = []byte{0xFA, 0xDE, 0xFF, 0x00, 0x13, 0x37, 0xFF, 0xFF, 0xA5, 0x5A, 0x00, 0x00, 0x7F, 0x80, 0x81, 0xFF}

// frame goes around an answer: length where the line has it, addresses swapped, the request's application header.
func (c *caller) frame(packed []byte) []byte {
	var out []byte
	if c.framing == link.LengthPrefixed {
		out = binary.BigEndian.AppendUint16(out, uint16(headerLength+len(packed)))
	}
	h := c.header
	out = append(out, h[0], h[3], h[4], h[1], h[2])
	out = append(out, h[tpduLength:]...)
	return append(out, packed...)
}

// write sends a frame, with a pause before each byte if there is one. A line that is gone takes nothing, which is what
// the terminal will notice by itself.
func (c *caller) write(ctx context.Context, frame []byte, pause time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pause == 0 {
		_, _ = c.line.Write(frame)
		return
	}
	for i := range frame {
		if !sleep(ctx, pause) {
			return
		}
		if _, err := c.line.Write(frame[i : i+1]); err != nil {
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) (whole bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
