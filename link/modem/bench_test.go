package modem

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"posagent/link"
	"posagent/link/linktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const number = "95516"

// bench is a modem on a cable, with an acquirer's telephone at the other end of the line.
type bench struct {
	t     *testing.T
	modem *linktest.Modem
	port  *port
	cable *cable
	calls chan net.Conn // the acquirer's end of every call that was connected
	ring  bool          // calls are never answered
}

// cable is the modem's end of the line, with the wires beside the data.
type cable struct {
	net.Conn
	ready atomic.Bool // DTR
}

func (c *cable) DTR() bool { return c.ready.Load() }

func (c *cable) setDTR(on bool) error {
	c.ready.Store(on)
	return nil
}

// port is the terminal's end. It can hand up bytes one at a time, and remembers what passed, in order.
type port struct {
	net.Conn
	single bool

	mu  sync.Mutex
	log []moment
}

type moment struct {
	at      time.Time
	written bool
	data    string
}

func (p *port) note(written bool, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, moment{time.Now(), written, string(data)})
}

func (p *port) Read(b []byte) (int, error) {
	if p.single && len(b) > 1 {
		b = b[:1]
	}
	n, err := p.Conn.Read(b)
	if n > 0 {
		p.note(false, b[:n])
	}
	return n, err
}

func (p *port) Write(b []byte) (int, error) {
	p.note(true, b)
	return p.Conn.Write(b)
}

// onBench runs a story in virtual time.
func onBench(t *testing.T, story func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, switchOff := context.WithCancel(t.Context())
		terminal, far := net.Pipe()
		b := &bench{t: t, port: &port{Conn: terminal}, cable: &cable{Conn: far}, calls: make(chan net.Conn, 16)}
		b.cable.ready.Store(true)
		b.modem = linktest.NewModem(linktest.ModemOpts{PhoneBook: map[string]string{number: "acquirer"}, Dial: b.answer})
		served := make(chan error, 1)
		go func() { served <- b.modem.Serve(ctx, b.cable) }()
		tooLong := time.AfterFunc(time.Hour, func() { panic("the story never ends") })
		story(b)
		tooLong.Stop()
		switchOff()
		require.NoError(t, <-served)
	})
}

func (b *bench) answer(ctx context.Context, _ string) (net.Conn, error) {
	if b.ring {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	acquirer, line := net.Pipe()
	b.calls <- acquirer
	return line, nil
}

// driver is a program starting on the port, with nothing known of the one before.
func (b *bench) driver(o Opts) *Modem {
	b.t.Helper()
	if o.Number == "" {
		o.Number = number
	}
	m, err := New(b.port, &o)
	require.NoError(b.t, err)
	return m
}

func (b *bench) dial(m *Modem) (terminal link.Conn, acquirer net.Conn) {
	b.t.Helper()
	terminal, err := m.Dial(b.t.Context())
	require.NoError(b.t, err)
	return terminal, <-b.calls
}

func (b *bench) tell(command string) {
	b.t.Helper()
	_, err := b.modem.Command(command)
	require.NoError(b.t, err)
}

func (b *bench) requireState(want string) {
	b.t.Helper()
	synctest.Wait()
	got, err := b.modem.Command("state")
	require.NoError(b.t, err)
	require.Equal(b.t, want, got)
}

// talk proves a call: a question and an answer.
func talk(t *testing.T, terminal link.Conn, acquirer net.Conn) {
	t.Helper()
	carry(t, terminal, acquirer, []byte("question"))
	carry(t, acquirer, terminal, []byte("answer"))
}

// carry requires that payload passes from one end to the other unchanged, and nothing with it.
func carry(t *testing.T, from io.Writer, to io.Reader, payload []byte) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := from.Write(payload)
		sent <- err
	}()
	got := make([]byte, len(payload))
	_, err := io.ReadFull(to, got)
	require.NoError(t, err)
	require.Equal(t, payload, got)
	require.NoError(t, <-sent)
}

// drain returns everything the acquirer gets until the call ends.
func drain(t *testing.T, acquirer net.Conn) string {
	t.Helper()
	all, err := io.ReadAll(acquirer)
	require.NoError(t, err)
	return string(all)
}

// took measures virtual time.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}
