package linktest

import (
	"context"
	"errors"
	"net"
	"sync"

	"posagent/link"
)

// Line leads to the acquirer without a network: each Dial is a new in-memory connection, so that a whole link runs in
// the virtual time of testing/synctest.
type Line struct {
	acquirer *Acquirer
	ctx      context.Context
	framing  link.Framing

	mu   sync.Mutex
	down bool
	last net.Conn
}

// ErrLineDown is what a dial meets while the line is down.
var ErrLineDown = errors.New("the simulated line is down")

// Line makes a dialer. Connections end with ctx, or when the link closes them.
func (a *Acquirer) Line(ctx context.Context, framing link.Framing) *Line {
	return &Line{acquirer: a, ctx: ctx, framing: framing}
}

// Dial implements link.Dialer.
func (l *Line) Dial(context.Context) (link.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, ErrLineDown
	}
	near, far := net.Pipe()
	l.last = far
	go func() { _ = l.acquirer.ServeConn(l.ctx, far, l.framing) }()
	return near, nil
}

// SetDown takes the line down, with what is connected, or brings it back.
func (l *Line) SetDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	if down && l.last != nil {
		_ = l.last.Close()
	}
}

func (l *Line) String() string { return "simulated acquirer" }
