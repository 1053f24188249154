package gpio

import (
	"errors"
	"fmt"
	"strings"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3/gpioioctl"
)

// ErrNoLine means that the board has no such line.
var ErrNoLine = errors.New("there is no such line")

// Board is the GPIO chips of the machine.
type Board struct{ chips []*gpioioctl.GPIOChip }

// OpenBoard finds the chips. They stay open as long as the program runs: the library below must not close them.
func OpenBoard() (*Board, error) {
	if _, err := driverreg.Init(); err != nil {
		return nil, fmt.Errorf("gpio: %w", err)
	}
	if len(gpioioctl.Chips) == 0 {
		return nil, errors.New("gpio: no chip answers at /dev/gpiochip*; the kernel must be 5.10 or newer, and this user allowed to open them")
	}
	return &Board{gpioioctl.Chips}, nil
}

// Pin finds a line. A name that two chips give is refused: one of them would be the wrong one.
func (b *Board) Pin(p Place) (gpio.PinIO, error) {
	var found []*gpioioctl.GPIOLine
	var known []string
	for _, chip := range b.chips {
		known = append(known, fmt.Sprintf("%s (%d lines)", chip.Label(), chip.LineCount()))
		for _, line := range chip.Lines() {
			switch {
			case p.Name != "" && line.Name() == p.Name,
				p.Name == "" && (chip.Label() == p.Chip || chip.Name() == p.Chip) && line.Number() == p.Number:
				found = append(found, line)
			}
		}
	}
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("%w: %s; the chips are %s", ErrNoLine, p, strings.Join(known, ", "))
	case len(found) > 1:
		return nil, fmt.Errorf("%s: %d lines are called so; name chip and number", p, len(found))
	}
	return found[0], nil
}
