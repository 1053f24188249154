package simrig

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"posagent/link"
)

// userTimeout is when TCP gives a connection up whose peer acknowledges nothing: what package link asks of the kernel.
const userTimeout = 20 * time.Second

// network is the terminal's way to the acquirer over Ethernet. Its connections behave like TCP's: bytes arrive in order or
// not at all, unplugged they wait, and after userTimeout they are given up.
type network struct {
	world *World

	mu     sync.Mutex // guards everything below
	dice   *rand.Rand
	down   bool
	pulled int // times, so that a timer knows its own
	wires  []*Wire
}

var networkWire = WireOpts{Name: "line", Latency: 8 * time.Millisecond, Jitter: 20 * time.Millisecond, Chunk: 1460}

func newNetwork(w *World) *network {
	return &network{world: w, dice: stream(w.o.Seed, "network")}
}

type networkDialer struct {
	*network
	life *life
}

func (n *network) dialer(l *life) link.Dialer { return networkDialer{n, l} }

func (n networkDialer) String() string { return "simulated network" }

// Dial implements link.Dialer.
func (n networkDialer) Dial(ctx context.Context) (link.Conn, error) {
	if n.life.dead() {
		return nil, errPower
	}
	if err := n.handshake(ctx); err != nil {
		return nil, err
	}
	w, err := n.life.lay(networkWire)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return nil, syscall.ENETUNREACH
	}
	kept := n.wires[:0]
	for _, o := range n.wires {
		if o.toNear.over() == nil {
			kept = append(kept, o)
		}
	}
	n.wires = append(kept, w)
	n.world.machines.Go(func() { _ = n.world.acquirer.ServeConn(n.world.ctx, w.Far, link.LengthPrefixed) })
	return w.Near, nil
}

func (n networkDialer) handshake(ctx context.Context) error {
	n.mu.Lock()
	down := n.down
	wait := 2*networkWire.Latency + time.Duration(n.dice.Int64N(int64(networkWire.Jitter)))
	n.mu.Unlock()
	if down {
		return syscall.ENETUNREACH
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// command is what a hand does to the cable, and what the provider does to connections.
func (n *network) command(what string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch what {
	case "down":
		if n.down {
			return nil
		}
		n.down = true
		n.pulled++
		pulled := n.pulled
		for _, w := range n.wires {
			w.Stall(userTimeout + time.Hour)
		}
		time.AfterFunc(userTimeout+time.Duration(n.dice.Int64N(int64(time.Second))), func() { n.giveUp(pulled) })
	case "up":
		n.down = false
		for _, w := range n.wires {
			w.Stall(time.Duration(n.dice.Int64N(int64(time.Second)))) // until TCP tries again
		}
	case "drop":
		for _, w := range n.wires {
			w.breakOff(syscall.ECONNRESET, true)
		}
		n.wires = nil
	default:
		return errors.New("line does not know that: use down, up or drop")
	}
	return nil
}

func (n *network) giveUp(pulled int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.down || n.pulled != pulled {
		return
	}
	for _, w := range n.wires {
		w.breakOff(syscall.ETIMEDOUT, true)
	}
	n.wires = nil
}
