package linktest

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"posagent/link"
)

// deliver does with the answer what the fault says, and reports whether the line goes on.
func (c *caller) deliver(ctx context.Context, r reply) (goOn bool) {
	if r.before != nil {
		c.send(ctx, outgoing{frame: c.frame(r.before, Fault{}, 0)})
	}
	if r.packed == nil {
		return r.fault.Kind != DropBefore
	}
	frame := c.frame(r.packed, r.fault, r.order)
	switch r.fault.Kind {
	case Silent:
		return true
	case Drop:
		return false
	case Cut:
		c.send(ctx, outgoing{frame: frame[:len(frame)/2]})
		return false
	case Garbage:
		c.send(ctx, outgoing{frame: c.frame(rubbish, Fault{}, 0)})
		return true
	case DropAfter:
		c.send(ctx, outgoing{frame: frame})
		return false
	case Late:
		c.later.Go(func() {
			if sleep(ctx, r.fault.Delay) {
				c.send(ctx, outgoing{frame: frame})
			}
		})
		return true
	case Slow:
		c.send(ctx, outgoing{frame: frame, pause: r.fault.Delay})
		return true
	case Twice:
		c.send(ctx, outgoing{frame: frame})
		c.send(ctx, outgoing{frame: frame})
		return true
	default:
		c.send(ctx, outgoing{frame: frame})
		return true
	}
}

// rubbish is no message: its type is not four digits.
var rubbish = []byte{0xFA, 0xDE, 0xFF, 0x00, 0x13, 0x37, 0xFF, 0xFF, 0xA5, 0x5A, 0x00, 0x00, 0x7F, 0x80, 0x81, 0xFF}

// frame goes around an answer: length where the line has it, addresses swapped, the request's application header. Its
// third byte tells the terminal what to do next, in the low digit.
func (c *caller) frame(packed []byte, fault Fault, order byte) []byte {
	var out []byte
	head := headSize(c.shape)
	switch {
	case c.framing != link.LengthPrefixed:
	case lengthSize(c.shape) == 4:
		out = fmt.Appendf(out, "%04d", head+len(packed))
	default:
		out = binary.BigEndian.AppendUint16(out, uint16(head+len(packed)))
	}
	h := c.header
	if fault.Kind == Order {
		order = fault.Code[0] - '0'
	}
	h[tpduLength+2] = h[tpduLength+2]&0xF0 | order
	h = [headerLength]byte(append([]byte{h[0], h[3], h[4], h[1], h[2]}, h[tpduLength:]...))
	out = append(out, h[:head]...)
	return append(out, packed...)
}

// send puts an answer behind those that wait.
func (c *caller) send(ctx context.Context, o outgoing) {
	select {
	case c.answers <- o:
	case <-ctx.Done():
	}
}

// hangUp waits until what was sent before has left.
func (c *caller) hangUp(ctx context.Context) {
	c.send(ctx, outgoing{last: true})
	select {
	case <-c.written:
	case <-ctx.Done():
	}
}

// write is the only writer of the line. A line that is gone takes nothing, which the terminal will notice by itself.
func (c *caller) write(ctx context.Context) {
	defer close(c.written)
	for {
		select {
		case o := <-c.answers:
			c.writeFrame(ctx, o)
			if o.last {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (c *caller) writeFrame(ctx context.Context, o outgoing) {
	if o.pause == 0 {
		_, _ = c.line.Write(o.frame)
		return
	}
	for i := range o.frame {
		if !sleep(ctx, o.pause) {
			return
		}
		if _, err := c.line.Write(o.frame[i : i+1]); err != nil {
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
