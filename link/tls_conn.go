package link

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// longAgo wakes a Read or a Write in progress.
var longAgo = time.Unix(1, 0)

// tlsConn is a secured line.
type tlsConn struct {
	*tls.Conn
	raw *netConn

	verdict   error // what was found wrong with the far end's certificate
	listening bool  // for the far end's verdict; the dialer's, and the reader's inside its Read

	reading sync.Mutex // guards early
	early   []byte     // what came while the far end's verdict was awaited
}

var _ Meter = (*tlsConn)(nil)

// Write counts conservatively. A record that left in part tells the far end nothing, but that is its affair: what was
// handed to the line below counts as bytes that may have left.
func (c *tlsConn) Write(p []byte) (int, error) {
	before := c.raw.wrote.Load()
	n, err := c.Conn.Write(p)
	if err != nil && n < len(p) {
		n = max(n, min(len(p), int(c.raw.wrote.Load()-before)))
	}
	return n, err
}

func (c *tlsConn) Read(p []byte) (int, error) {
	c.reading.Lock()
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		c.reading.Unlock()
		return n, nil
	}
	c.reading.Unlock()
	return c.Conn.Read(p)
}

// listen reads until a ticket comes, a byte, or the time given. An error is the far end's.
func (c *tlsConn) listen(until time.Time) error {
	if err := c.raw.SetReadDeadline(until); err != nil {
		return err
	}
	c.listening = true
	defer func() { c.listening = false }()
	var one [1]byte
	n, err := c.Conn.Read(one[:])
	c.early = append(c.early, one[:n]...)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if n > 0 {
		err = nil // the reader meets it again
	}
	return errors.Join(err, c.raw.SetReadDeadline(time.Time{}))
}

// ticket ends listen. It runs inside Read, when a session ticket has come.
func (c *tlsConn) ticket() {
	if c.listening {
		_ = c.raw.SetReadDeadline(longAgo)
	}
}

func (c *tlsConn) Handed() int64 { return handed(c.raw.Conn) }

func (c *tlsConn) Acknowledged() (int64, error) {
	if m, is := c.raw.Conn.(Meter); is {
		return m.Acknowledged()
	}
	return 0, errors.ErrUnsupported
}

// netConn dresses a line up for crypto/tls, and counts what may have left.
type netConn struct {
	Conn
	wrote atomic.Int64
}

func (c *netConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wrote.Add(int64(n))
	return n, err
}

func (c *netConn) LocalAddr() net.Addr  { return lineAddr{} }
func (c *netConn) RemoteAddr() net.Addr { return lineAddr{} }

func (c *netConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// lineAddr is an address for an interface that wants one; no line depends on it.
type lineAddr struct{}

func (lineAddr) Network() string { return "line" }
func (lineAddr) String() string  { return "line" }

// sessionCache keeps the last session, where that is wanted: a dialer has one far end.
type sessionCache struct {
	keep bool

	mu   sync.Mutex
	last *tls.ClientSessionState
}

func (s *sessionCache) Get(string) (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.last != nil
}

func (s *sessionCache) Put(_ string, state *tls.ClientSessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keep {
		s.last = state
	}
}

// ticketBell rings when a ticket comes on one connection, on the goroutine that reads it.
type ticketBell struct {
	*sessionCache
	ring func()
}

func (b *ticketBell) Put(key string, state *tls.ClientSessionState) {
	b.sessionCache.Put(key, state)
	if state != nil {
		b.ring()
	}
}
