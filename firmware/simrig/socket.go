package simrig

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"time"
)

// socket is the terminal's local socket: a listener whose connections are wires.
type socket struct {
	world *World
	calls chan *Wire
	done  chan struct{}
	once  sync.Once

	mu   sync.Mutex
	open []*Wire
}

var socketWire = WireOpts{Name: "till", Latency: 20 * time.Microsecond, Jitter: 50 * time.Microsecond, Chunk: 1 << 16}

const backlog = 16

func newSocket(w *World) *socket {
	return &socket{world: w, calls: make(chan *Wire, backlog), done: make(chan struct{})}
}

// dial is the till's side. The wire's near end is the terminal's.
func (s *socket) dial() (net.Conn, error) {
	w := s.world.lay(socketWire)
	if s.world.traced() {
		w.Far.coming = func(p []byte) {
			for line := range bytes.Lines(p) {
				if event := eventOf(line); event != "" {
					s.world.saw("till", "< %s", event)
				}
			}
		}
	}
	s.mu.Lock()
	kept := s.open[:0]
	for _, o := range s.open {
		if o.toNear.over() == nil {
			kept = append(kept, o)
		}
	}
	s.open = append(kept, w)
	s.mu.Unlock()
	select {
	case <-s.done:
		return nil, errPower
	case s.calls <- w:
		return w.Far, nil
	}
}

// eventOf says what the till is told. The rest of a line that does not come in one piece is nothing.
func eventOf(line []byte) string {
	text, begins := strings.CutPrefix(string(line), `{"event":"`)
	if !begins {
		return ""
	}
	event, rest, _ := strings.Cut(text, `"`)
	for _, field := range []string{`,"stage":"`, `,"outcome":"`} {
		if value, is := strings.CutPrefix(rest, field); is {
			value, _, _ = strings.Cut(value, `"`)
			return event + " " + value
		}
	}
	return event
}

// Accept implements net.Listener.
func (s *socket) Accept() (net.Conn, error) {
	select {
	case <-s.done:
		return nil, net.ErrClosed
	case w := <-s.calls:
		return w.Near, nil
	}
}

// Close implements net.Listener. Connections that nobody has accepted are refused.
func (s *socket) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

// cut breaks every connection. What is on its way to the till then is lost, so that it does not matter which of the
// terminal's goroutines came first at the instant of the cut.
func (s *socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.open {
		w.breakOff(errPower, true)
	}
}

// Addr implements net.Listener.
func (s *socket) Addr() net.Addr { return wireName("till") }
