package linktest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"posagent/link"
	"posagent/link/iso8583"
	"posagent/link/profile"
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
	c := &caller{line: line, framing: framing, dialect: a.dialect, shape: a.frame, inbox: a.takeInbox(), answers: make(chan outgoing, maxWaiting), written: make(chan struct{})}
	defer a.giveBack(c.inbox)
	go c.write(ctx)
	defer c.later.Wait()
	defer func() { <-c.written }()
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
				c.hangUp(ctx)
				return nil
			}
			return err
		}
		r, err := a.answer(m)
		if err != nil {
			return err
		}
		if goOn := c.deliver(ctx, r); !goOn {
			c.hangUp(ctx)
			return nil
		}
	}
}

// headSize and lengthSize are how many bytes go before a message, and how many say how long both are.
func headSize(f profile.Frame) int {
	return [...]int{profile.FullHead: headerLength, profile.TPDUHead: tpduLength, profile.NoHead: 0}[f.Head]
}

func lengthSize(f profile.Frame) int { return 2 + 2*int(f.Length) }

// caller is one line. Reading belongs to ServeConn's goroutine, writing to that of write, so that a terminal that does
// not listen yet keeps nobody from hearing it.
type caller struct {
	line    io.ReadWriteCloser
	framing link.Framing
	dialect *iso8583.Dialect
	shape   profile.Frame

	*inbox
	filled int                // of its buffer, on a line without lengths
	header [headerLength]byte // of the last request

	answers chan outgoing  // in the order in which they leave
	later   sync.WaitGroup // answers that wait for their time
	written chan struct{}  // closed when write has ended
}

// inbox is what a line's requests are read into. A line is short, so it passes from one to the next.
type inbox struct {
	buffer  [maxFrame]byte
	message iso8583.Message
}

func (a *Acquirer) takeInbox() *inbox {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := len(a.spare) - 1
	if last < 0 {
		return new(inbox)
	}
	i := a.spare[last]
	a.spare = a.spare[:last]
	return i
}

func (a *Acquirer) giveBack(i *inbox) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spare = append(a.spare, i)
}

// outgoing is one answer on its way.
type outgoing struct {
	frame []byte
	pause time.Duration // before each byte
	last  bool          // nothing follows
}

// maxWaiting is how many answers may wait for a terminal that does not listen, before it is not heard either.
const maxWaiting = 64

var errUnreadable = errors.New("not a message")

// receive reads one message, which lasts until the next.
func (c *caller) receive() (*iso8583.Message, error) {
	if c.framing == link.SelfDelimited {
		return c.receiveBare()
	}
	length := make([]byte, lengthSize(c.shape))
	if _, err := io.ReadFull(c.line, length); err != nil {
		return nil, ended(err)
	}
	n, err := 0, error(nil)
	if len(length) == 4 {
		n, err = strconv.Atoi(string(length))
	} else {
		n = int(binary.BigEndian.Uint16(length))
	}
	if err != nil || n < 0 || n > maxFrame {
		return nil, fmt.Errorf("frame of %d bytes, at most %d are taken", n, maxFrame)
	}
	frame := c.buffer[:n]
	if _, err := io.ReadFull(c.line, frame); err != nil {
		return nil, ended(err)
	}
	m := &c.message
	head := headSize(c.shape)
	if n < head || head > 0 && frame[0] != 0x60 {
		return nil, errUnreadable
	}
	if took, err := c.dialect.Unpack(m, frame[head:]); err != nil || took != n-head {
		return nil, errUnreadable
	}
	copy(c.header[:], frame)
	return m, nil
}

// receiveBare reads until the message itself is whole. What follows it is kept for the next one.
func (c *caller) receiveBare() (*iso8583.Message, error) {
	m := &c.message
	head := headSize(c.shape)
	for {
		if c.filled > 0 && head > 0 && c.buffer[0] != 0x60 {
			return nil, errUnreadable
		}
		if c.filled > head {
			took, err := c.dialect.Unpack(m, c.buffer[head:c.filled])
			if err == nil {
				copy(c.header[:], c.buffer[:])
				c.filled = copy(c.buffer[:], c.buffer[head+took:c.filled])
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
