package linktest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// key takes one byte from the terminal.
func (c *Cell) key(b byte) {
	c.mu.Lock()
	if c.mood.silent || c.booting || time.Now().Before(c.ready) {
		c.mu.Unlock()
		return
	}
	switch {
	case c.sock.state == sockThrough:
		c.throughLocked(b)
	case c.wanted > 0:
		c.payload = append(c.payload, b)
		if c.wanted--; c.wanted == 0 {
			c.takePayloadLocked()
		}
	case b == '\r':
		if c.echo {
			c.tellLocked(b)
		}
		line := string(c.typed)
		c.typed = nil
		if body, is := strings.CutPrefix(strings.ToUpper(line[:min(2, len(line))]), "AT"); is && body == "" {
			pause := c.runLocked(line[2:])
			c.mu.Unlock()
			if pause != nil {
				pause()
			}
			return
		}
	case b >= ' ' && len(c.typed) < 512:
		c.typed = append(c.typed, b)
		if c.echo {
			c.tellLocked(b)
		}
	}
	c.mu.Unlock()
}

// cellCommand is a command line taken apart: AT+NAME, AT+NAME?, AT+NAME=a,"b",3.
type cellCommand struct {
	name string
	asks bool
	args []string
}

// parseCell takes a command line apart. Quotes keep commas.
func parseCell(body string) cellCommand {
	name, rest, given := strings.Cut(body, "=")
	q := cellCommand{name: strings.ToUpper(strings.TrimSpace(name))}
	if cut, asks := strings.CutSuffix(q.name, "?"); asks && !given {
		q.name, q.asks = cut, true
	}
	if !given {
		return q
	}
	arg, quoted := "", false
	for _, r := range rest {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			q.args, arg = append(q.args, arg), ""
		default:
			arg += string(r)
		}
	}
	q.args = append(q.args, arg)
	return q
}

func (q cellCommand) text(n int) string {
	if n < len(q.args) {
		return q.args[n]
	}
	return ""
}

// number is an argument, or -1.
func (q cellCommand) number(n int) int {
	v, err := strconv.Atoi(q.text(n))
	if err != nil {
		return -1
	}
	return v
}

// Codes of +CME ERROR (3GPP TS 27.007, 9.2).
const (
	cmeNoSIM     = 10
	cmeSIMBusy   = 14
	cmeNoService = 30
	cmeUnknown   = 100
)

// runLocked runs one command line and sends its result. What takes time comes back as a function that is to be run
// without the lock: the modem hears nothing meanwhile.
func (c *Cell) runLocked(body string) func() {
	if c.mood.busy > 0 && strings.HasPrefix(strings.ToUpper(body), "+CPIN") { // 27.007, 9.2.1: the card, not the modem, is busy
		c.mood.busy--
		c.refuseLocked(cmeSIMBusy)
		return nil
	}
	q := parseCell(body)
	if done, later := c.commonLocked(q); done {
		return later
	}
	if !c.simReadyLocked() {
		return nil
	}
	if c.opts.Family == Quectel {
		return c.quectelLocked(q)
	}
	return c.simcomLocked(q)
}

func (c *Cell) simReadyLocked() bool {
	if c.mood.sim == "missing" {
		c.refuseLocked(cmeNoSIM)
		return false
	}
	return true
}

// refuseLocked ends a command with a code, or without one while CMEE is 0.
func (c *Cell) refuseLocked(code int) {
	if c.codes {
		c.sayLocked(fmt.Sprintf("+CME ERROR: %d", code))
	} else {
		c.sayLocked("ERROR")
	}
}

// commonLocked runs what every cellular modem understands (V.250, 3GPP TS 27.007).
func (c *Cell) commonLocked(q cellCommand) (done bool, later func()) {
	switch q.name {
	case "", "E0Q0V1", "E0", "E1", "&D1", "&D2", "&C1":
		c.echo = c.echo && !strings.HasPrefix(q.name, "E0") || q.name == "E1"
		c.sayLocked("OK")
	case "I":
		c.sayLocked(strings.ToUpper(string(c.opts.Family)) + " simulated")
		c.sayLocked("OK")
	case "H":
		c.sayLocked("OK")
	case "O":
		c.resumeLocked()
	case "+CMEE":
		c.codes = q.number(0) > 0
		c.sayLocked("OK")
	case "+CPIN":
		switch {
		case c.mood.sim == "missing":
			c.refuseLocked(cmeNoSIM)
		case c.mood.sim == "locked":
			c.sayLocked("+CPIN: SIM PIN")
			c.sayLocked("OK")
		default:
			c.sayLocked("+CPIN: READY")
			c.sayLocked("OK")
		}
	case "+CSQ":
		c.sayLocked("+CSQ: 21,99")
		c.sayLocked("OK")
	case "+CREG", "+CGREG", "+CEREG":
		c.sayLocked(fmt.Sprintf("%s: 0,%d", q.name, c.registeredLocked()))
		c.sayLocked("OK")
	case "+CFUN":
		c.sayLocked("OK")
		if q.number(0) == 1 && q.number(1) == 1 {
			return true, func() {
				time.Sleep(100 * time.Millisecond) // the OK must be out
				c.mu.Lock()
				defer c.mu.Unlock()
				c.mood.resets++
				c.rebootLocked()
			}
		}
	default:
		return false, nil
	}
	return true, nil
}

// registeredLocked is <stat> of 27.007, 7.2.
func (c *Cell) registeredLocked() int {
	if c.mood.sim != "ready" {
		return 0
	}
	return c.mood.register
}
