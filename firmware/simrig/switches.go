package simrig

import (
	"errors"
	"path/filepath"

	"posagent/device/devicetest"
	"posagent/device/gpio"
	"posagent/firmware/agent"
)

// switches are the single wires of a terminal that has some: the switch that feels the case being opened, the supply's
// warning, and lamps. The chip is the board's, and goes on through every life.
type switches struct {
	chip *devicetest.Chip

	// Guarded by the world's mutex.
	opened bool           // the case, since a technician was last here
	wiped  int            // times that the terminal destroyed the keys where they are kept
	moved  map[string]int // times that a line went on or off
	told   map[string]bool
	sent   []string // what left although nothing might, in words
}

// Lines of the simulated board. The case's is active low, so that a torn wire is an alarm.
var places = map[string]gpio.Place{"ready": {Name: "READY"}, "fault": {Name: "FAULT"},
	"card": {Name: "CARD"}, "buzzer": {Name: "BUZZER"}, "tamper": {Name: closedLine, ActiveLow: true}, "power_fail": {Name: failsLine}}

func newSwitches() *switches {
	s := &switches{chip: devicetest.NewChip("READY", "FAULT", "CARD", "BUZZER", closedLine, failsLine), moved: map[string]int{}, told: map[string]bool{}}
	s.chip.Drive(closedLine, true)
	return s
}

const (
	closedLine = "CASE_CLOSED"
	failsLine  = "POWER_FAIL"
)

// marksFile stands in the store's directory, as cmd/posagent has it: a power cut takes it away with the other files.
const marksFile = "marks"

// take opens the lines and the marks for one life. A terminal without lines has neither.
func (l *life) take(wires *agent.Wires) error {
	s := l.world.switches
	if s == nil {
		return nil
	}
	lines, err := gpio.Open(board{s.chip, l.world}, places)
	if err != nil {
		return err
	}
	if l.marks, err = agent.OpenMarks(filepath.Join(l.dir, marksFile)); err != nil {
		return err
	}
	if l.world.serviced() || l.world.o.PlantForgetsCase {
		if err := l.marks.ClearTampered(); err != nil {
			return err
		}
	}
	for _, name := range []string{closedLine, failsLine} {
		if s.alarms(name) {
			l.world.toldOf(name)
		}
	}
	wires.Lines, wires.Marks, wires.Wipe = lines, l.marks, l.wipe
	return nil
}

// wipe destroys the keys where they are kept. A program does not start without keys: with the next power somebody has loaded
// them again, and has not cleared the mark that the case was opened. That alone must forbid to trade then.
func (l *life) wipe() error {
	if l.dead() {
		return errPower
	}
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	l.world.switches.wiped++
	return nil
}

// serviced reports whether a technician was here since the last time that it was asked.
func (w *World) serviced() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.technician
	w.technician = false
	return was
}

// service is the technician who closes the case of a terminal that has ended trade, clears the mark and loads keys. For that
// it is switched off; who gives it power finds it fit for trade.
func (w *World) service() {
	w.mu.Lock()
	needed := w.switches != nil && w.switches.opened
	if needed {
		w.switches.opened, w.technician = false, true
		delete(w.switches.told, closedLine)
	}
	w.mu.Unlock()
	if needed {
		w.CutPower()
	}
}

var errNoLines = errors.New("this terminal has no such line")

func (w *World) caseCommand(what string) error {
	if w.switches == nil {
		return errNoLines
	}
	switch what {
	case "open":
		w.mu.Lock()
		w.switches.opened = true
		w.mu.Unlock()
		w.drive(closedLine, false)
	case "closed":
		w.drive(closedLine, true)
	case "serviced":
		w.drive(closedLine, true)
		w.service()
	default:
		return errors.New("case does not know that: use open, closed or serviced")
	}
	return nil
}

func (w *World) supplyCommand(what string) error {
	if w.switches == nil {
		return errNoLines
	}
	if what != "failing" && what != "steady" {
		return errors.New("supply does not know that: use failing or steady")
	}
	w.drive(failsLine, what == "failing")
	return nil
}
