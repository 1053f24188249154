package linktest

import (
	"fmt"
	"strconv"
	"time"
)

// Codes of table 2, chapter 4 of the Quectel note.
const (
	quectelPDPFailed     = 561
	quectelInUse         = 563
	quectelConnectFailed = 566
	quectelBadParameter  = 552
)

var quectelWords = map[int]string{0: "operate successfully", quectelPDPFailed: "open PDP context failed", quectelInUse: "socket identity has been used",
	quectelConnectFailed: "socket connect failed", quectelBadParameter: "invalid parameters"}

// quectelLocked runs the TCP/IP commands (Quectel note, 2.4).
func (c *Cell) quectelLocked(q cellCommand) func() {
	fail := func(code int) {
		c.failure = code
		c.sayLocked("ERROR")
	}
	switch {
	case q.name == "+QISDE":
		c.sayLocked("OK")
	case q.name == "+QICSGP":
		if q.number(0) != 1 || q.number(1) != 1 || q.text(2) == "" {
			fail(quectelBadParameter)
			return nil
		}
		c.sayLocked("OK")
	case q.name == "+QIACT" && q.asks:
		if c.attached {
			c.sayLocked(`+QIACT: 1,1,1,"10.7.6.5"`)
		}
		c.sayLocked("OK")
	case q.name == "+QIACT":
		return c.activate(q, fail)
	case q.name == "+QIDEACT":
		c.closeSocketLocked()
		c.attached = false
		c.sayLocked("OK")
	case q.name == "+QIGETERROR":
		c.sayLocked(fmt.Sprintf("+QIGETERROR: %d,%s", c.failure, quectelWords[c.failure]))
		c.sayLocked("OK")
	case q.name == "+QIOPEN":
		c.quectelOpenLocked(q, fail)
	case q.name == "+QISTATE":
		if n := map[sockState]int{sockOpening: 1, sockOpen: 2, sockThrough: 2, sockClosing: 4}[c.sock.state]; n > 0 && q.number(1) == 0 {
			c.sayLocked(fmt.Sprintf(`+QISTATE: 0,"TCP","%s",%s,0,%d,1,0,%d,"uart1"`, c.sock.host, c.sock.port, n, c.sock.mode))
		}
		c.sayLocked("OK")
	case q.name == "+QISEND":
		c.quectelSendLocked(q, fail)
	case q.name == "+QIRD":
		c.quectelReadLocked(q, fail)
	case q.name == "+QICLOSE":
		c.closeSocketLocked()
		c.sayLocked("OK")
	default:
		c.sayLocked("ERROR")
	}
	return nil
}

// activate takes its time: "other AT commands cannot be executed" before it is over (2.4.3).
func (c *Cell) activate(q cellCommand, fail func(int)) func() {
	if q.number(0) != 1 || c.attached || c.mood.pdpFails || c.registeredLocked() != 1 && c.registeredLocked() != 5 {
		fail(quectelPDPFailed)
		return nil
	}
	return func() {
		time.Sleep(roundTrip)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.attached = true
		c.sayLocked("OK")
	}
}

func (c *Cell) quectelOpenLocked(q cellCommand, fail func(int)) {
	mode := max(0, q.number(6))
	port := q.text(4)
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || q.number(1) != 0 || q.text(2) != "TCP" || mode > 2 {
		fail(quectelBadParameter)
		return
	}
	switch {
	case !c.attached:
		fail(quectelPDPFailed)
	case c.sock.state != sockNone:
		c.sayLocked("OK")
		c.reportLocked(fmt.Sprintf("+QIOPEN: 0,%d", quectelInUse))
	case mode == 2:
		c.reachLocked(q.text(3), port, mode, func(ok bool) {
			if !ok {
				fail(quectelConnectFailed)
				return
			}
			c.throughOnLocked()
		})
	default:
		c.sayLocked("OK")
		c.reachLocked(q.text(3), port, mode, func(ok bool) {
			if ok {
				c.reportLocked("+QIOPEN: 0,0")
			} else {
				c.failure = quectelConnectFailed
				c.reportLocked(fmt.Sprintf("+QIOPEN: 0,%d", quectelConnectFailed))
			}
		})
	}
}

func (c *Cell) quectelSendLocked(q cellCommand, fail func(int)) {
	n := q.number(1)
	switch {
	case q.number(0) != 0 || n < 0 || n > 1460 || c.sock.state == sockNone || c.sock.state == sockOpening:
		fail(quectelBadParameter)
	case n == 0:
		c.sayLocked(fmt.Sprintf("+QISEND: %d,%d,%d", c.sock.total, c.sock.acked, c.sock.total-c.sock.acked))
		c.sayLocked("OK")
	case c.sock.state == sockClosing || c.mood.send == sendRefused:
		fail(quectelBadParameter)
	case c.mood.send == sendUnprompted:
	default:
		c.wanted, c.payload = n, nil
		c.tellLocked([]byte("\r\n> ")...)
	}
}

func (c *Cell) quectelSentLocked(ok bool, why sendMood) {
	switch {
	case ok:
		c.sayLocked("SEND OK")
	case why == sendFull:
		c.sayLocked("SEND FAIL")
	default:
		c.failure = quectelBadParameter
		c.sayLocked("ERROR")
	}
}

func (c *Cell) quectelReadLocked(q cellCommand, fail func(int)) {
	if c.sock.state == sockNone || q.number(0) != 0 || q.number(1) > 1500 {
		fail(quectelBadParameter)
		return
	}
	if q.number(1) == 0 {
		c.sayLocked(fmt.Sprintf("+QIRD: %d,%d,%d", c.sock.got, c.sock.got-len(c.sock.in), len(c.sock.in)))
		c.sayLocked("OK")
		return
	}
	n := q.number(1)
	if n < 0 {
		n = 1500
	}
	p := c.fetchLocked(n)
	c.tellLocked([]byte(fmt.Sprintf("\r\n+QIRD: %d\r\n", len(p)))...)
	if len(p) > 0 {
		c.tellLocked(p...)
		c.tellLocked('\r', '\n')
	}
	c.sayLocked("OK")
}

// pushLocked is direct push mode (note 1.1): the data follows its announcement.
func (c *Cell) pushLocked(p []byte) {
	c.tellLocked([]byte(fmt.Sprintf("\r\n+QIURC: \"recv\",0,%d\r\n", len(p)))...)
	c.tellLocked(p...)
	c.tellLocked('\r', '\n')
}
