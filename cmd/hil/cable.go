package main

import (
	"io"
	"net"
	"sync"
)

// cable is a network cable between terminal and acquirer that can be pulled: calls are refused and those in progress
// end at once.
type cable struct {
	to string

	mu     sync.Mutex
	listen net.Listener
	at     string
	calls  map[net.Conn]bool
}

// plugIn lays a cable to an address.
func plugIn(to string) (*cable, error) {
	c := &cable{to: to, at: "127.0.0.1:0", calls: map[net.Conn]bool{}}
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

func (c *cable) replug() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, err := net.Listen("tcp", c.at)
	if err != nil {
		return err
	}
	c.listen, c.at = l, l.Addr().String()
	go c.serve(l)
	return nil
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
		c.hold(near, far)
		carry := func(to, from net.Conn) {
			_, _ = io.Copy(to, from)
			_ = to.Close()
			_ = from.Close()
			c.drop(to, from)
		}
		go carry(near, far)
		go carry(far, near)
	}
}

func (c *cable) hold(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		c.calls[conn] = true
	}
}

func (c *cable) drop(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		delete(c.calls, conn)
	}
}
