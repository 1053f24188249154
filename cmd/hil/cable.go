package main

import (
	"net"
	"sync"
	"time"
)

// cable is a network cable between terminal and acquirer that can be pulled: calls are refused and those in progress
// end at once. It can also be told to fail after a number of bytes, together with whatever else fails then.
type cable struct {
	to string

	mu     sync.Mutex
	listen net.Listener
	at     string
	calls  map[net.Conn]bool
	fault  *cableFault
	held   chan struct{} // closed when answers may go on; nil holds none up
	tap    *tap          // nil listens to nothing
}

// cableFault lets a number of bytes pass in one direction, and then nothing in either.
type cableFault struct {
	answers bool // counts what comes from the acquirer
	left    int
	meet    func() // called once, when the first byte too many comes; nil from then on
}

// plugIn lays a cable to an address.
func plugIn(to string, t *tap) (*cable, error) {
	c := &cable{to: to, tap: t, at: "127.0.0.1:0", calls: map[net.Conn]bool{}}
	return c, c.replug()
}

// address is where the terminal's end is. It stays the same when the cable is pulled and plugged in again.
func (c *cable) address() string { return c.at }

func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.listen.Close()
	for call := range c.calls {
		_ = call.Close()
	}
}

// drop breaks the calls in progress.
func (c *cable) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for call := range c.calls {
		_ = call.Close()
	}
}

func (c *cable) replug() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, err := net.Listen("tcp", c.at)
	for since := time.Now(); err != nil && time.Since(since) < startWithin; {
		time.Sleep(5 * time.Millisecond) // a program being started holds a copy of the old socket until it is loaded
		l, err = net.Listen("tcp", c.at)
	}
	if err != nil {
		return err
	}
	c.listen, c.at, c.fault = l, l.Addr().String(), nil
	go c.serve(l)
	return nil
}

// failAfter arms a fault. The cable carries nothing from then on until it is plugged in again.
func (c *cable) failAfter(bytes int, answers bool, meet func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = &cableFault{answers, bytes, meet}
}

// hold keeps back what the acquirer says from now on, until it is told to let it go.
func (c *cable) hold() (letGo func()) {
	held := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = held
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.held = nil
		close(held)
	}
}

// await returns once what the acquirer says may go on.
func (c *cable) await() {
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if held != nil {
		<-held
	}
}

func (c *cable) serve(l net.Listener) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		c.mu.Lock()
		c.calls[near], c.calls[far] = true, true
		c.mu.Unlock()
		go c.carry(far, near, false)
		go c.carry(near, far, true)
	}
}

// carry moves bytes one way until an end closes or the cable fails.
func (c *cable) carry(to, from net.Conn, answers bool) {
	defer func() {
		_ = to.Close()
		_ = from.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.calls, to)
	}()
	var listened *stream
	if c.tap != nil {
		listened = c.tap.stream(answers)
	}
	for piece := make([]byte, 4096); ; {
		n, err := from.Read(piece)
		if answers {
			c.await()
		}
		if n > 0 && listened != nil {
			if listened.carry(to, piece[:n]) != nil {
				return
			}
		} else if n > 0 {
			pass, meet := c.allow(n, answers)
			if _, err := to.Write(piece[:pass]); err != nil {
				return
			}
			if meet != nil {
				meet()
			}
			if pass < n {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// allow says how many of n bytes may pass, and what to do if that was the end.
func (c *cable) allow(n int, answers bool) (pass int, meet func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.fault
	switch {
	case f == nil, f.meet != nil && f.answers != answers:
		return n, nil
	case f.meet == nil:
		return 0, nil
	}
	pass = min(n, f.left)
	f.left -= pass
	if pass < n {
		meet, f.meet = f.meet, nil
	}
	return pass, meet
}
