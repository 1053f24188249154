package linktest

import (
	"fmt"
	"strconv"
	"time"
)

// Codes of chapter 4.1 of the SIMCom note, the second table.
const (
	simcomNetworkFailure = 1
	simcomNotOpened      = 2
	simcomBadParameter   = 3
	simcomOpened         = 9
	simcomTimeout        = 10
)

// simcomLocked runs the TCP/IP commands (SIMCom note, 2.1 and the examples of 3).
func (c *Cell) simcomLocked(q cellCommand) func() {
	refuse := func(words string) {
		c.sayLocked("+IP ERROR: " + words)
		c.sayLocked("ERROR")
	}
	switch {
	case q.name == "+CGDCONT" || q.name == "+CGAUTH" || q.name == "+CIPMODE" || q.name == "+CIPHEAD" || q.name == "+CIPSRIP":
		c.sayLocked("OK")
	case q.name == "+NETOPEN" && q.asks:
		open := 0
		if c.attached {
			open = 1
		}
		c.sayLocked(fmt.Sprintf("+NETOPEN: %d", open))
		c.sayLocked("OK")
	case q.name == "+NETOPEN":
		return c.netOpen(refuse)
	case q.name == "+NETCLOSE":
		if !c.attached {
			refuse("Network is already closed")
			return nil
		}
		c.closeSocketLocked()
		c.attached = false
		c.sayLocked("OK")
		c.reportLocked("+NETCLOSE: 0")
	case q.name == "+CIPRXGET":
		c.simcomReadLocked(q, refuse)
	case q.name == "+CIPOPEN" && q.asks:
		for n := range 10 {
			if n == 0 && c.sock.state == sockOpen {
				c.sayLocked(fmt.Sprintf(`+CIPOPEN: 0,"TCP","%s",%s,-1`, c.sock.host, c.sock.port))
			} else {
				c.sayLocked(fmt.Sprintf("+CIPOPEN: %d", n))
			}
		}
		c.sayLocked("OK")
	case q.name == "+CIPOPEN":
		c.simcomOpenLocked(q)
	case q.name == "+CIPSEND":
		c.simcomSendLocked(q)
	case q.name == "+CIPACK":
		if c.sock.state == sockNone || q.number(0) != 0 {
			refuse("Connection is not created")
			return nil
		}
		c.sayLocked(fmt.Sprintf("+CIPACK: %d,%d,%d", c.sock.total, c.sock.acked, c.sock.total-c.sock.acked))
		c.sayLocked("OK")
	case q.name == "+CIPCLOSE" && q.asks:
		open := 0
		if c.sock.state != sockNone {
			open = 1
		}
		c.sayLocked(fmt.Sprintf("+CIPCLOSE: %d,0,0,0,0,0,0,0,0,0", open))
		c.sayLocked("OK")
	case q.name == "+CIPCLOSE":
		if c.sock.state == sockNone {
			c.sayLocked("+CIPCLOSE: 0,4")
			c.sayLocked("ERROR")
			return nil
		}
		c.closeSocketLocked()
		c.sayLocked("OK")
		c.reportLocked("+CIPCLOSE: 0,0")
	default:
		c.sayLocked("ERROR")
	}
	return nil
}

func (c *Cell) netOpen(refuse func(string)) func() {
	if c.attached {
		refuse("Network is already opened")
		return nil
	}
	c.sayLocked("OK")
	fails := c.mood.pdpFails || c.registeredLocked() != 1 && c.registeredLocked() != 5
	return func() {
		time.Sleep(roundTrip)
		c.mu.Lock()
		defer c.mu.Unlock()
		if fails {
			c.reportLocked(fmt.Sprintf("+NETOPEN: %d", simcomNetworkFailure))
			return
		}
		c.attached = true
		c.reportLocked("+NETOPEN: 0")
	}
}

func (c *Cell) simcomOpenLocked(q cellCommand) {
	refuse := func(code int) {
		c.sayLocked(fmt.Sprintf("+CIPOPEN: %d,%d", max(0, q.number(0)), code))
		c.sayLocked("ERROR")
	}
	port := q.text(3)
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || q.number(0) != 0 || q.text(1) != "TCP" {
		refuse(simcomBadParameter)
		return
	}
	switch {
	case !c.attached:
		refuse(simcomNotOpened)
	case c.sock.state != sockNone:
		refuse(simcomOpened)
	default:
		c.sayLocked("OK")
		c.reachLocked(q.text(2), port, 0, func(ok bool) {
			code := 0
			if !ok {
				code = simcomTimeout
			}
			c.reportLocked(fmt.Sprintf("+CIPOPEN: 0,%d", code))
		})
	}
}

func (c *Cell) simcomSendLocked(q cellCommand) {
	n := q.number(1)
	switch {
	case q.number(0) != 0 || n < 1 || n > 1500 || c.sock.state != sockOpen || c.mood.send == sendRefused:
		c.sayLocked(fmt.Sprintf("+CIPERROR: %d", simcomNotOpened))
		c.sayLocked("ERROR")
	case c.mood.send == sendUnprompted:
	default:
		c.wanted, c.payload = n, nil
		c.tellLocked([]byte("\r\n>")...)
	}
}

// simcomSentLocked reports <reqSendLength>,<cnfSendLength>: 0 is a full buffer, -1 a connection that is gone.
func (c *Cell) simcomSentLocked(n int, ok bool, why sendMood) {
	confirmed := -1
	switch {
	case ok:
		confirmed = n
	case why == sendFull:
		confirmed = 0
	}
	c.sayLocked("OK")
	c.sayLocked(fmt.Sprintf("+CIPSEND: 0,%d,%d", n, confirmed))
}

func (c *Cell) simcomReadLocked(q cellCommand, refuse func(string)) {
	switch q.number(0) {
	case 0, 1:
		c.manual = q.number(0) == 1
		c.sayLocked("OK")
	case 2:
		if c.sock.state == sockNone || q.number(1) != 0 || len(c.sock.in) == 0 {
			refuse("No data")
			return
		}
		n := q.number(2)
		if n < 0 {
			n = 1500
		}
		p := c.fetchLocked(n)
		c.tellLocked([]byte(fmt.Sprintf("\r\n+CIPRXGET: 2,0,%d,%d\r\n", len(p), len(c.sock.in)))...)
		c.tellLocked(p...)
		c.tellLocked('\r', '\n')
		c.sayLocked("OK")
	case 4:
		if c.sock.state == sockNone {
			refuse("No data")
			return
		}
		c.sayLocked(fmt.Sprintf("+CIPRXGET: 4,0,%d", len(c.sock.in)))
		c.sayLocked("OK")
	default:
		refuse("Invalid parameter")
	}
}
