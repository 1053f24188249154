package devicetest

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"

	place "posagent/device/gpio"
)

// Chip is a GPIO chip made of memory. Its lines behave like those of the kernel's character device as periph gives them:
// edges are told only of inputs that asked for them, a wait of 0 lasts for ever, and Halt ends one.
type Chip struct {
	mu   sync.Mutex
	pins map[string]*Pin
}

// NewChip makes a chip with lines of these names, numbered from 0, all low.
func NewChip(names ...string) *Chip {
	c := &Chip{pins: map[string]*Pin{}}
	for i, name := range names {
		c.pins[name] = &Pin{chip: c, name: name, number: i, edges: make(chan struct{}, 16), halted: make(chan struct{}, 1)}
	}
	return c
}

// Pin finds a line by its name, or by its number on the chip "sim".
func (c *Chip) Pin(at place.Place) (gpio.PinIO, error) {
	for _, p := range c.pins {
		if p.name == at.Name || at.Name == "" && at.Chip == "sim" && p.number == at.Number {
			if p.Taken {
				return nil, fmt.Errorf("%s: device or resource busy", at)
			}
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", place.ErrNoLine, at)
}

// Drive sets the level of an input from outside.
func (c *Chip) Drive(name string, level bool) {
	p := c.pins[name]
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.level == gpio.Level(level) {
		return
	}
	p.level = gpio.Level(level)
	if p.edge == gpio.BothEdges || p.edge == gpio.RisingEdge && level || p.edge == gpio.FallingEdge && !level {
		select {
		case p.edges <- struct{}{}:
		default: // the kernel's queue is bounded, too
		}
	}
}

// Level is what a line has, whoever drives it.
func (c *Chip) Level(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bool(c.pins[name].level)
}

// Driven are the levels that the program gave an output, with their times.
func (c *Chip) Driven(name string) []Driven {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Driven(nil), c.pins[name].driven...)
}

// Take makes a line another program's.
func (c *Chip) Take(name string) { c.pins[name].Taken = true }

// Break has a line refuse to be driven from now on.
func (c *Chip) Break(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pins[name].broken = true
}

// Driven is one level of an output.
type Driven struct {
	Level bool
	At    time.Time
}

// Pin is one line of a Chip. It is a gpio.PinIO.
type Pin struct {
	Taken bool

	chip          *Chip // its mutex guards what follows
	name          string
	number        int
	level         gpio.Level
	out, broken   bool
	edge          gpio.Edge
	driven        []Driven
	edges, halted chan struct{}
}

const drivenMost = 1000

func (p *Pin) String() string         { return p.name }
func (p *Pin) Name() string           { return p.name }
func (p *Pin) Number() int            { return p.number }
func (p *Pin) Function() string       { return "" }
func (p *Pin) Pull() gpio.Pull        { return gpio.PullNoChange }
func (p *Pin) DefaultPull() gpio.Pull { return gpio.PullNoChange }

// Halt ends a wait for an edge.
func (p *Pin) Halt() error {
	select {
	case p.halted <- struct{}{}:
	default:
	}
	return nil
}

// In makes it an input. Edges of before are forgotten, and who halted it before: the kernel gives each request of a line a
// queue of its own.
func (p *Pin) In(_ gpio.Pull, edge gpio.Edge) error {
	p.chip.mu.Lock()
	defer p.chip.mu.Unlock()
	p.out, p.edge = false, edge
	for len(p.edges) > 0 {
		<-p.edges
	}
	for len(p.halted) > 0 {
		<-p.halted
	}
	return nil
}

func (p *Pin) Read() gpio.Level {
	p.chip.mu.Lock()
	defer p.chip.mu.Unlock()
	return p.level
}

// WaitForEdge waits for ever when timeout is 0.
func (p *Pin) WaitForEdge(timeout time.Duration) bool {
	var late <-chan time.Time
	if timeout != 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-p.edges:
		return true
	case <-p.halted:
	case <-late:
	}
	return false
}

// Out drives it.
func (p *Pin) Out(l gpio.Level) error {
	p.chip.mu.Lock()
	defer p.chip.mu.Unlock()
	if p.broken {
		return syscall.EIO
	}
	p.out, p.edge, p.level = true, gpio.NoEdge, l
	if len(p.driven) < drivenMost {
		p.driven = append(p.driven, Driven{bool(l), time.Now()})
	}
	return nil
}

// PWM is not there, as in the kernel's character device.
func (p *Pin) PWM(gpio.Duty, physic.Frequency) error { return errors.New("no PWM on this line") }
