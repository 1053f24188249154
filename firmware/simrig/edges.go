package simrig

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"

	"posagent/device/devicetest"
	place "posagent/device/gpio"
)

// board is the simulated chip as a board in virtual time has it. An edge takes a moment that is thrown for, so that what
// follows from it does not fall on the instant of what caused it. And a line that is still is not read four times a second:
// here no edge is ever lost, so that such a reading finds nothing, and a day has many of them.
type board struct {
	*devicetest.Chip
	world *World
}

// Pin implements gpio.Chip.
func (b board) Pin(at place.Place) (gpio.PinIO, error) {
	pin, err := b.Chip.Pin(at)
	if err != nil {
		return nil, err
	}
	return &edgePin{PinIO: pin, world: b.world, moved: since()}, nil
}

// edgePin is a line of one life. One goroutine waits for its edges.
type edgePin struct {
	gpio.PinIO
	world *World
	moved time.Duration // when the last edge was told
}

// restless is how long after an edge a line is read as often as the terminal wants to: longer than any calm that it waits for.
const restless = 5 * time.Second

// WaitForEdge implements gpio.PinIO.
func (p *edgePin) WaitForEdge(timeout time.Duration) bool {
	if p.deaf() {
		p.PinIO.WaitForEdge(0)
		return false
	}
	if since()-p.moved > restless {
		timeout = 0 // for ever
	}
	if !p.PinIO.WaitForEdge(timeout) {
		return false
	}
	time.Sleep(1 + time.Duration(p.world.throw("edge "+p.Name(), ownInstant)))
	p.moved = since()
	return true
}

func (p *edgePin) deaf() bool { return p.world.o.PlantDeafTo == p.Name() }

// Read implements gpio.PinIO.
func (p *edgePin) Read() gpio.Level {
	if p.deaf() {
		return p.Name() == closedLine // as it is while nothing is wrong
	}
	return p.PinIO.Read()
}

// withinMark is how soon after an edge the terminal must have taken note, on the disk.
const withinMark = 5 * time.Millisecond

// alarms reports whether a line says that nothing may be sent.
func (s *switches) alarms(name string) bool { return s.chip.Level(name) == (name == failsLine) }

// drive sets a line. From an alarm on the terminal has withinMark to take note of it, if it has power for so long: then it
// must not send. That ends when the supply is steady, and with an opened case when a technician has been there. Without power
// it finds out at the next start, if the line still says so.
func (w *World) drive(name string, level bool) {
	s := w.switches
	if s.chip.Level(name) == level {
		return
	}
	s.chip.Drive(name, level)
	w.mu.Lock()
	defer w.mu.Unlock()
	s.moved[name]++
	nth, l := s.moved[name], w.life
	if !s.alarms(name) {
		if name == failsLine {
			delete(s.told, name)
		}
		return
	}
	time.AfterFunc(withinMark, func() {
		w.mu.Lock()
		still := name == closedLine && s.opened || s.moved[name] == nth
		w.mu.Unlock()
		if still && l != nil && !l.dead() {
			w.toldOf(name)
		}
	})
}

// toldOf notes that the terminal knows of an alarm.
func (w *World) toldOf(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.switches.told[name] = true
}

// sends notes a message that a terminal has begun to send and should not have.
func (w *World) sends(mti string) {
	if w.switches == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, after := range map[string]string{closedLine: "the case was opened", failsLine: "the supply warned"} {
		if w.switches.told[name] {
			w.switches.sent = append(w.switches.sent, fmt.Sprintf("a message %s was sent after %s", mti, after))
		}
	}
}
