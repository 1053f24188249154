package linktest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

type sendMood string

const (
	sendWorks      sendMood = ""
	sendFull       sendMood = "full"       // SEND FAIL, once
	sendRefused    sendMood = "refused"    // no prompt but ERROR
	sendUnprompted sendMood = "unprompted" // neither
	sendUnsaid     sendMood = "unsaid"     // taken, and never a word about it
	sendLost       sendMood = "lost"       // ERROR after the payload
	sendSilent     sendMood = "silent"     // the modem dies with it
)

type openMood string

const (
	openWorks openMood = ""
	openFails openMood = "fails"
	openHangs openMood = "hangs"
)

// cellMood is what Command asks for.
type cellMood struct {
	sim      string // ready, missing, locked
	register int    // <stat> of 27.007, 7.2
	pdpFails bool
	open     openMood
	send     sendMood
	busy     int // looks at the card that are refused, because it is busy
	noEcho   bool
	chatty   bool // reports between the lines of answers
	silent   bool // hears and says nothing
	noAck    bool // nothing reaches the far end, and nobody says so

	boots, resets, cycles int
}

// Command changes the modem's mood, at any time. An answer of several words is for people.
//
//	sim ready|missing|locked
//	register home|roaming|searching|denied
//	pdp ok|fails                       the context, or the network library
//	open ok|fails|hangs                the next sockets
//	send ok|full|refused|unprompted|unsaid|lost|silent
//	busy N                             the card is busy at the next N looks
//	echo on|off                        now and after every start
//	chatter on|off                     reports between the lines of answers
//	silent on|off                      the modem is dead: it hears and says nothing
//	closed                             the far end closes the socket
//	drop                               half-open: what is sent reaches nobody, and nobody says so; drop off ends it
//	pdpdeact                           the network takes the context away
//	reboot                             as after a brown-out
//	state                              none, opening, open, data or closing, and how often it started
func (c *Cell) Command(line string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	verb, what, _ := strings.Cut(line, " ")
	on := what == "on"
	known := func(all ...string) bool {
		for _, one := range all {
			if what == one {
				return true
			}
		}
		return false
	}
	switch {
	case verb == "sim" && known("ready", "missing", "locked"):
		c.mood.sim = what
	case verb == "register" && known("home", "roaming", "searching", "denied"):
		c.mood.register = map[string]int{"home": 1, "searching": 2, "denied": 3, "roaming": 5}[what]
	case verb == "pdp" && known("ok", "fails"):
		c.mood.pdpFails = what == "fails"
	case verb == "open" && known("ok", "fails", "hangs"):
		c.mood.open = openMood(strings.Replace(what, "ok", "", 1))
	case verb == "send" && known("ok", "full", "refused", "unprompted", "unsaid", "lost", "silent"):
		c.mood.send = sendMood(strings.Replace(what, "ok", "", 1))
	case verb == "busy":
		n, err := strconv.Atoi(what)
		if err != nil || n < 0 || n > 1000 {
			return "", errors.New("busy: want a number of looks at the card, 0 to 1000")
		}
		c.mood.busy = n
	case verb == "echo" && known("on", "off"):
		c.mood.noEcho, c.echo = !on, on
	case verb == "chatter" && known("on", "off"):
		c.mood.chatty = on
	case verb == "silent" && known("on", "off"):
		c.mood.silent = on
	case line == "closed" || line == "drop" || line == "drop off" || line == "pdpdeact" || line == "reboot":
		return c.networkLocked(line)
	case line == "state":
		name := map[sockState]string{sockNone: "none", sockOpening: "opening", sockOpen: "open", sockThrough: "data", sockClosing: "closing"}[c.sock.state]
		return fmt.Sprintf("%s, %d starts, %d resets, %d power cycles", name, c.mood.boots, c.mood.resets, c.mood.cycles), nil
	default:
		return "", fmt.Errorf("modem does not know %.40q: use sim, register, pdp, open, send, busy, echo, chatter, silent, closed, "+
			"drop, pdpdeact, reboot or state", line)
	}
	return line, nil
}

// networkLocked is what the network does to a socket.
func (c *Cell) networkLocked(line string) (string, error) {
	switch line {
	case "reboot":
		c.rebootLocked()
		return "started anew", nil
	case "drop off":
		c.mood.noAck = false
		c.changed.Broadcast()
		return line, nil
	case "drop":
		c.mood.noAck = true
		return "what is sent now reaches nobody", nil
	case "pdpdeact":
		if !c.attached {
			return "", errors.New("there is no context")
		}
		c.closeSocketLocked()
		c.attached = false
		if c.opts.Family == Quectel {
			c.reportLocked(`+QIURC: "pdpdeact",1`)
		} else {
			c.reportLocked("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")
		}
		return "context gone", nil
	}
	if c.sock.remote == nil {
		return "", errors.New("there is no socket")
	}
	_ = c.sock.remote.Close() // its reader tells the terminal
	return "socket closed", nil
}
