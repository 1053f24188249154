package linktest

import (
	"context"
	"net"
	"time"
)

type sockState int

const (
	sockNone sockState = iota
	sockOpening
	sockOpen
	sockThrough // open, and the line is in data state
	sockClosing // the far end has closed it; what it sent can still be fetched
)

// cellSocket is the modem's one connection.
type cellSocket struct {
	state  sockState
	mode   int // Quectel's <access_mode>
	remote net.Conn
	hangup func()

	in     []byte // received, not yet fetched or pushed
	told   bool   // the terminal knows that something waits
	got    int    // bytes received in all
	toward []byte // on its way to the network
	total  int    // bytes taken from the terminal
	acked  int    // of these, acknowledged by the far end
	host   string
	port   string
}

// reachLocked opens the socket in the background and calls opened, with the lock, once it is known whether it is.
func (c *Cell) reachLocked(host, port string, mode int, opened func(ok bool)) {
	address := net.JoinHostPort(host, port)
	if other, known := c.opts.Hosts[address]; known {
		address = other
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.dials++
	dial := c.dials
	c.sock = cellSocket{state: sockOpening, mode: mode, hangup: cancel, host: host, port: port}
	hangs, fails, serving := c.mood.open == openHangs, c.mood.open == openFails, c.power
	c.running.Go(func() {
		defer context.AfterFunc(serving, func() { // a terminal that goes away ends the wait, not the socket
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.dials == dial && c.sock.state == sockOpening {
				cancel()
			}
		})()
		select {
		case <-time.After(roundTrip):
		case <-ctx.Done():
		}
		var remote net.Conn
		switch {
		case hangs:
			<-ctx.Done()
		case !fails && ctx.Err() == nil:
			remote, _ = c.opts.Dial(ctx, address)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if dial != c.dials || c.sock.state != sockOpening {
			if remote != nil {
				_ = remote.Close()
			}
			return
		}
		if remote == nil {
			c.sock = cellSocket{}
		} else {
			c.sock.state, c.sock.remote = sockOpen, remote
			go c.bridge(dial, remote)
			go c.forward(dial, remote)
		}
		opened(remote != nil)
		c.changed.Broadcast()
	})
}

const roundTrip = 60 * time.Millisecond // of a mobile network on a good day

// closeSocketLocked forgets the connection.
func (c *Cell) closeSocketLocked() {
	c.dials++
	if c.sock.hangup != nil {
		c.sock.hangup()
	}
	if c.sock.remote != nil {
		_ = c.sock.remote.Close()
	}
	c.stopEscapeLocked()
	c.sock = cellSocket{}
	c.changed.Broadcast()
}

// bridge brings what the network sends.
func (c *Cell) bridge(dial int, remote net.Conn) {
	chunk := make([]byte, 1024)
	for {
		n, err := remote.Read(chunk)
		c.mu.Lock()
		for dial == c.dials && len(c.sock.in) > cellBuffer {
			c.changed.Wait()
		}
		if dial != c.dials {
			c.mu.Unlock()
			return
		}
		if n > 0 {
			c.sock.got += n
			c.arrivedLocked(chunk[:n])
		}
		if err != nil {
			c.farEndGoneLocked()
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// arrivedLocked brings bytes to the terminal, or tells it that they wait.
func (c *Cell) arrivedLocked(p []byte) {
	switch {
	case c.sock.state == sockThrough:
		c.tellLocked(p...)
	case c.opts.Family == Quectel && c.sock.mode == 1:
		c.pushLocked(p)
	default:
		c.sock.in = append(c.sock.in, p...)
		if !c.sock.told {
			c.sock.told = true
			c.tellWaitingLocked()
		}
	}
}

func (c *Cell) tellWaitingLocked() {
	if c.opts.Family == Quectel {
		c.reportLocked(`+QIURC: "recv",0`)
	} else {
		c.reportLocked("+CIPRXGET: 1,0")
	}
}

// farEndGoneLocked is the far end, or the network, closing the connection.
func (c *Cell) farEndGoneLocked() {
	through := c.sock.state == sockThrough
	c.sock.state = sockClosing
	switch {
	case through:
		c.tellLocked([]byte("\r\nNO CARRIER\r\n")...)
	case c.opts.Family == Quectel:
		c.reportLocked(`+QIURC: "closed",0`)
	default:
		c.reportLocked("+IPCLOSE: 0,1")
	}
	c.changed.Broadcast()
}

// forward brings what the terminal sent to the network. What the far end's TCP took counts as acknowledged.
func (c *Cell) forward(dial int, remote net.Conn) {
	for {
		c.mu.Lock()
		for dial == c.dials && (len(c.sock.toward) == 0 || c.mood.noAck) {
			c.changed.Wait()
		}
		if dial != c.dials {
			c.mu.Unlock()
			return
		}
		chunk := c.sock.toward
		c.sock.toward = nil
		c.changed.Broadcast()
		c.mu.Unlock()
		n, err := remote.Write(chunk)
		c.mu.Lock()
		if dial == c.dials {
			c.sock.acked += n
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// takePayloadLocked is all of it having come.
func (c *Cell) takePayloadLocked() {
	p := c.payload
	c.payload = nil
	ok := c.sock.state == sockOpen && c.mood.send == sendWorks
	if c.mood.send == sendSilent {
		c.mood.silent = true // it died with the payload in its hands
	}
	if ok || c.mood.send == sendUnsaid || c.mood.send == sendSilent {
		c.sock.total += len(p)
		c.sock.toward = append(c.sock.toward, p...)
		c.changed.Broadcast()
	}
	if c.mood.send == sendUnsaid {
		return
	}
	result := c.mood.send
	if result == sendFull {
		c.mood.send = sendWorks // the buffer drains
	}
	if c.opts.Family == Quectel {
		c.quectelSentLocked(ok, result)
	} else {
		c.simcomSentLocked(len(p), ok, result)
	}
}

// fetchLocked gives up to n bytes of what waits.
func (c *Cell) fetchLocked(n int) []byte {
	p := c.sock.in[:min(n, len(c.sock.in))]
	c.sock.in = c.sock.in[len(p):]
	if len(c.sock.in) == 0 {
		c.sock.told = false
	}
	c.changed.Broadcast()
	return p
}

// throughLocked takes a byte in data state.
func (c *Cell) throughLocked(b byte) {
	c.stopEscapeLocked()
	now := time.Now()
	silence := now.Sub(c.lastByte)
	c.lastByte = now
	c.sock.total++
	c.sock.toward = append(c.sock.toward, b)
	c.changed.Broadcast()
	switch {
	case b != '+':
		c.plus = -1
	case silence >= c.opts.Guard:
		c.plus = 1
	case c.plus > 0:
		c.plus++
	}
	if c.plus != 3 {
		return
	}
	dial := c.dials
	c.escape = time.AfterFunc(c.opts.Guard, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if dial == c.dials && c.sock.state == sockThrough && c.plus == 3 {
			c.sock.state, c.sock.mode, c.plus = sockOpen, 0, 0 // note 1.1: the module is then in buffer access mode
			c.sayLocked("OK")
		}
	})
}

func (c *Cell) stopEscapeLocked() {
	if c.escape != nil {
		c.escape.Stop()
		c.escape = nil
	}
}

func (c *Cell) resumeLocked() {
	if c.sock.state != sockOpen {
		c.sayLocked("NO CARRIER")
		return
	}
	c.throughOnLocked()
}

func (c *Cell) throughOnLocked() {
	c.sayLocked("CONNECT")
	c.sock.state, c.lastByte, c.plus = sockThrough, time.Now(), 0
	if waits := c.fetchLocked(len(c.sock.in)); len(waits) > 0 {
		c.tellLocked(waits...)
	}
}
