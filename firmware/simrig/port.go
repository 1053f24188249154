package simrig

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"

	"posagent/firmware/agent"
	"posagent/firmware/scenario"
)

// port is a serial port of the terminal with a machine at the end of its cable. The machine has one socket: a port that is
// opened again is served once the machine has noticed the end of the line before.
type port struct {
	world *World
	o     WireOpts
	serve func(context.Context, net.Conn)
	seat  chan struct{}

	mu        sync.Mutex // guards everything below
	unplugged bool
	tty       int   // how often it came back: each time it is another tty, as it is while somebody holds the one before
	wire      *Wire // the newest
	toFar     Faults
	toNear    Faults
	unsealed  bool // no bit falls over now
}

func newPort(w *World, o WireOpts, serve func(context.Context, net.Conn)) *port {
	return &port{world: w, o: o, serve: serve, seat: make(chan struct{}, 1)}
}

func (p *port) opener(l *life) agent.Opener {
	return func() (agent.Port, error) { return p.open(l) }
}

func (p *port) open(l *life) (agent.Port, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unplugged || p.world.o.PlantFirstName && p.tty > 0 {
		return nil, fmt.Errorf("open %s: %w; is the cable plugged in?", p.o.Name, syscall.ENOENT)
	}
	w, err := l.lay(p.o)
	if err != nil {
		return nil, err
	}
	p.wire = w
	p.applyLocked()
	to, from := scenario.Event{Kind: scenario.ByteTo, What: p.o.Name}, scenario.Event{Kind: scenario.ByteFrom, What: p.o.Name}
	w.Near.leaving = func(b []byte) (int, func()) {
		if p.world.traced() {
			p.world.saw(p.o.Name, "> %d bytes", len(b))
		}
		return p.world.sensor.bytes(to, len(b))
	}
	w.Near.coming = func(b []byte) {
		if p.world.traced() {
			p.world.saw(p.o.Name, "< %d bytes", len(b))
		}
		p.world.sensor.eachByte(from, len(b))
	}
	p.world.saw(p.o.Name, "opened")
	p.world.machines.Go(func() {
		p.seat <- struct{}{}
		defer func() { <-p.seat }()
		p.serve(p.world.ctx, w.Far)
		_ = w.Far.Close()
	})
	return w.Near, nil
}

// plug pulls the cable, or puts it back.
func (p *port) plug(in bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if in && p.unplugged {
		p.tty++
	}
	p.unplugged = !in
	if !in && p.wire != nil {
		p.wire.Break(syscall.EIO)
	}
}

func (p *port) suffer(toFar, toNear Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.toFar, p.toNear = toFar, toNear
	p.applyLocked()
}

// seal says whether what passes from now on is proven by a MAC. Where it is not, no bit falls over: nobody could tell.
func (p *port) seal(sealed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unsealed == sealed {
		p.unsealed = !sealed
		p.applyLocked()
	}
}

func (p *port) applyLocked() {
	if p.wire == nil {
		return
	}
	toFar, toNear := p.toFar, p.toNear
	if p.unsealed {
		toFar.Flip, toNear.Flip = 0, 0
	}
	p.wire.Suffer(toFar, toNear)
}

// newest is the wire that is in use, if any ever was.
func (p *port) newest() *Wire {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wire
}
