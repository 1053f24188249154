package gpio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// Place says where a line is and which level means on.
type Place struct {
	Name      string // as the kernel names the line; or
	Chip      string // the chip's label or name, with
	Number    int    // the line's offset on it
	ActiveLow bool
}

func (p Place) String() string {
	if p.Name != "" {
		return p.Name
	}
	return fmt.Sprintf("%s:%d", p.Chip, p.Number)
}

// Check refuses a place that names nothing, or too much.
func (p Place) Check() error {
	switch {
	case p.Name == "" && p.Chip == "":
		return errors.New("names no line: give its name, or chip and number")
	case p.Name != "" && p.Chip != "":
		return errors.New("has a name and a chip: give one of them")
	case p.Number < 0 || p.Number > 1023:
		return fmt.Errorf("line %d: want 0 to 1023", p.Number)
	}
	return nil
}

// Chip finds lines: a Board, or the simulated one of device/devicetest.
type Chip interface {
	Pin(Place) (gpio.PinIO, error)
}

// Line is one wire, on or off. A nil Line is one that the terminal does not have: it is off, and setting it does nothing.
type Line struct {
	pin   gpio.PinIO
	place Place
}

func (l *Line) String() string { return l.place.String() }

func (l *Line) level(on bool) gpio.Level { return gpio.Level(on != l.place.ActiveLow) }

// On reads an input.
func (l *Line) On() bool { return l != nil && l.pin.Read() == l.level(true) }

// Set drives an output. When a line is first driven it is low for a moment, by the driver below; wire what must not feel
// that active-high.
func (l *Line) Set(on bool) error {
	if l == nil {
		return nil
	}
	if err := l.pin.Out(l.level(on)); err != nil {
		return fmt.Errorf("line %s: %w", l.place, err)
	}
	return nil
}

// Pulse presses a key: on for so long, then off again, also when ctx ends meanwhile. A modem's power key wants 0.1 to 2 s,
// its reset about 0.2 s; its manual says.
func (l *Line) Pulse(ctx context.Context, d time.Duration) error {
	if err := l.Set(true); err != nil {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return errors.Join(l.Set(false), ctx.Err())
}

// poll is how often a watched line is read although no edge was told.
const poll = 250 * time.Millisecond

// Watch tells when an input goes on, at once, and when it has been off for calm without a break. An edge that is over before
// the level can be read counts as on. It returns when ctx ends.
//
//	line   ____|‾|_|‾‾‾‾|_____________________
//	tell       on                calm → off
func (l *Line) Watch(ctx context.Context, calm time.Duration, tell func(on bool)) error {
	if l == nil {
		<-ctx.Done()
		return nil
	}
	if err := l.pin.In(gpio.PullNoChange, gpio.BothEdges); err != nil {
		return fmt.Errorf("line %s: %w", l.place, err)
	}
	defer context.AfterFunc(ctx, func() { _ = l.pin.Halt() })()
	told, off, edge := false, time.Time{}, false
	for ctx.Err() == nil {
		switch on := l.On(); {
		case (on || edge) && !told:
			told = true
			tell(true)
			fallthrough
		case on || edge || off.IsZero():
			off = time.Now()
		case told && time.Since(off) >= calm:
			told = false
			tell(false)
		}
		asked := time.Now()
		if edge = l.pin.WaitForEdge(poll); !edge && time.Since(asked) < poll/2 {
			rest(ctx, poll) // it says no at once when the line has failed
		}
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
