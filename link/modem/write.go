package modem

import (
	"fmt"
	"net"
	"os"
	"time"
)

// Write sends payload. It is refused with ErrNoCarrier, and not a byte leaves, once the call is known to be lost: the
// modem would take the bytes for commands. Three plus signs alone, with silence before them, are sent a guard time
// apart, or the modem would take them for the escape sequence.
func (c *call) Write(p []byte) (int, error) {
	if err := c.writing.take(c.closing); err != nil {
		return 0, err
	}
	defer c.writing.give()
	if err := c.ended(); err != nil {
		return 0, err
	}
	if c.carrierGone() {
		return 0, ErrNoCarrier
	}
	if !c.plus.completes(p, time.Now()) {
		return c.send(p)
	}
	for i := range p {
		if err := c.pause(longer(c.plus.guard)); err != nil {
			return i, err
		}
		c.plus.runs = 1
		if n, err := c.send(p[i : i+1]); err != nil {
			return i + n, err
		}
	}
	return len(p), nil
}

func (c *call) send(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.port.Write(p)
	c.plus.wrote(p[:n], time.Now())
	switch {
	case err == nil:
		return n, nil
	case c.ended() != nil:
		return n, c.ended()
	case isTimeout(err):
		return n, os.ErrDeadlineExceeded
	}
	err = fmt.Errorf("modem port: %w", err)
	c.end(err)
	return n, err
}

// pause lets time pass in the middle of a Write, unless its deadline or Close comes first.
func (c *call) pause(d time.Duration) error {
	c.mu.Lock()
	by := c.writeBy
	c.mu.Unlock()
	if !by.IsZero() && time.Until(by) < d {
		return os.ErrDeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.closing:
		return net.ErrClosed
	}
}
