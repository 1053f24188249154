package gpio

import (
	"errors"
	"fmt"

	"periph.io/x/conn/v3/gpio"
)

// Lines are all that a terminal may have; nil ones are absent.
type Lines struct {
	Ready, Fault, Card   *Line // lamps
	Buzzer               *Line
	Tamper               *Line // on while the case is open
	PowerFail            *Line // on while the supply fails
	ModemKey, ModemReset *Line
	PaperOut, CoverOpen  *Line // switches of a printer that does not speak
}

// Uses are the lines by the names that a configuration has for them.
func (l *Lines) Uses() map[string]**Line {
	return map[string]**Line{"ready": &l.Ready, "fault": &l.Fault, "card": &l.Card, "buzzer": &l.Buzzer, "tamper": &l.Tamper, "power_fail": &l.PowerFail,
		"modem_key": &l.ModemKey, "modem_reset": &l.ModemReset, "paper_out": &l.PaperOut, "cover_open": &l.CoverOpen}
}

// Open takes the lines that places names, inputs as inputs and outputs off. It tells every fault at once.
func Open(chip Chip, places map[string]Place) (*Lines, error) {
	lines, taken := &Lines{}, map[gpio.PinIO]string{}
	uses := lines.Uses()
	var faults []error
	for use, place := range places {
		slot, known := uses[use]
		if !known {
			faults = append(faults, fmt.Errorf("gpio.%s: there is no such use of a line", use))
			continue
		}
		line, err := open(chip, place, use, taken)
		if err != nil {
			faults = append(faults, fmt.Errorf("gpio.%s: %w", use, err))
		}
		*slot = line
	}
	return lines, errors.Join(faults...)
}

func open(chip Chip, place Place, use string, taken map[gpio.PinIO]string) (*Line, error) {
	if err := place.Check(); err != nil {
		return nil, err
	}
	pin, err := chip.Pin(place)
	if err != nil {
		return nil, err
	}
	if other, twice := taken[pin]; twice {
		return nil, fmt.Errorf("%s is the line of %s, too", place, other)
	}
	taken[pin] = use
	line := &Line{pin, place}
	switch use {
	case "tamper", "power_fail", "paper_out", "cover_open":
		if err := pin.In(gpio.PullNoChange, gpio.NoEdge); err != nil {
			return nil, fmt.Errorf("line %s: %w", place, err)
		}
		return line, nil
	default:
		return line, line.Set(false)
	}
}
