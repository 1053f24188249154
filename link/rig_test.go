package link

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/link/iso8583"
	"posagent/link/profile"
)

// stalled is how long a far end does nothing when it should.
const stalled = time.Hour

const (
	tid = "10000001"
	mid = "898000000000001"
)

var (
	header   = Header{TPDU: [5]byte{0x60, 0x00, 0x06, 0x12, 0x34}, Application: [6]byte{0x60, 0x31, 0x00, 0x31, 0x00, 0x00}}
	unionPay = profile.UnionPay().Dialect
)

func message(mti string, fields map[int]string) *iso8583.Message {
	m := new(iso8583.Message)
	m.SetMTI(mti)
	for field, value := range fields {
		m.Set(field, value)
	}
	return m
}

func sale(stan string) *iso8583.Message {
	return message("0200", map[int]string{
		3: "000000", 4: "000000001250", 11: stan, 22: "021", 25: "00", 35: "6200000000000005=30122010000000000",
		41: tid, 42: mid, 49: "156", 60: "22000024000500"})
}

func reversal(stan string) *iso8583.Message {
	return message("0400", map[int]string{
		3: "000000", 4: "000000001250", 11: stan, 22: "021", 25: "00", 39: "98", 41: tid, 42: mid, 49: "156",
		60: "22000024000500"})
}

func approval(stan string) *iso8583.Message {
	return message("0210", map[int]string{3: "000000", 4: "000000001250", 11: stan, 39: "00", 41: tid, 42: mid})
}

// farEnd is the acquirer's end of a line, and the Dialer that leads to it. Every connection is served by talk, in its
// own goroutine, one call a connection; the line is hung up when talk returns.
type farEnd struct {
	t       testing.TB
	framing Framing
	orders  byte
	talk    func(*call)
	refuse  error // what Dial fails with
	never   bool  // Dial waits for its context

	mu    sync.Mutex
	dials int
}

func (f *farEnd) String() string { return "pipe" }

func (f *farEnd) Dial(ctx context.Context) (Conn, error) {
	f.mu.Lock()
	f.dials++
	f.mu.Unlock()
	if f.never {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if f.refuse != nil {
		return nil, f.refuse
	}
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		f.talk(&call{Conn: far, farEnd: f})
	}()
	return near, nil
}

func (f *farEnd) dialled() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dials
}

// call is one connection as the acquirer sees it.
type call struct {
	net.Conn
	*farEnd
}

func (c *call) String() string { return "far end" }

// hear reads one request; nil when the terminal hung up.
func (c *call) hear() *iso8583.Message {
	body := c.hearFrame()
	if body == nil {
		return nil
	}
	m := new(iso8583.Message)
	n, err := unionPay.Unpack(m, body[headerLen:])
	require.NoError(c.t, err)
	require.Equal(c.t, len(body)-headerLen, n)
	return m
}

// hearFrame reads TPDU, application header and message. The far end of a line without lengths gets each frame in one
// piece: net.Pipe keeps the borders of a Write when the Read is large enough.
func (c *call) hearFrame() []byte {
	buf := make([]byte, maxFrame)
	if c.framing == SelfDelimited {
		n, err := c.Read(buf)
		if err != nil {
			return nil
		}
		return buf[:n]
	}
	if _, err := io.ReadFull(c, buf[:lengthLen]); err != nil {
		return nil
	}
	body := buf[lengthLen : lengthLen+int(binary.BigEndian.Uint16(buf))]
	if _, err := io.ReadFull(c, body); err != nil {
		return nil
	}
	return body
}

// listen drains until the terminal hangs up.
func (c *call) listen() { _, _ = io.Copy(io.Discard, c) }

func (c *call) frame(m *iso8583.Message) []byte {
	h := header.Answers()
	h.Application[ordersByte] |= c.orders
	frame, err := AppendFrame(nil, c.framing, h, unionPay, m)
	require.NoError(c.t, err)
	return frame
}

func (c *call) frames(messages ...*iso8583.Message) (all []byte) {
	for _, m := range messages {
		all = append(all, c.frame(m)...)
	}
	return all
}

func (c *call) say(messages ...*iso8583.Message) { c.raw(c.frames(messages...)) }

func (c *call) raw(b []byte) { _, _ = c.Write(b) }

// approve answers every request it hears.
func approve(c *call) {
	for m := c.hear(); m != nil; m = c.hear() {
		c.say(answer(m))
	}
}

// answer is an approval of a request of any type.
func answer(m *iso8583.Message) *iso8583.Message {
	mti := []byte(m.MTI())
	mti[2]++
	a := message(string(mti), map[int]string{39: "00", 41: m.Get(41), 42: m.Get(42)})
	if m.Has(11) {
		a.Set(11, m.Get(11))
	}
	return a
}

// rig is a link under test, in virtual time, and what it told.
type rig struct {
	*testing.T
	*Link
	mu     sync.Mutex
	strays []string
	stages []string
}

func (r *rig) strayed() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.strays
}

// in runs a story in virtual time. The link and every goroutine must be gone at its end.
func in(t *testing.T, story func(t *testing.T, start func(Options) *rig)) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(2 * stalled) }) // let stalled far ends go
		story(t, func(o Options) *rig {
			r := &rig{T: t}
			o.Header = header
			o.Stray = func(m *iso8583.Message) {
				r.mu.Lock()
				r.strays = append(r.strays, m.MTI()+" "+m.Get(11))
				r.mu.Unlock()
			}
			o.Progress = func(s Stage) { r.stages = append(r.stages, s.String()) }
			r.Link = New(o)
			t.Cleanup(func() { _ = r.Close() })
			return r
		})
	})
}

// over is the usual rig: one line to a far end.
func over(f *farEnd) Options {
	return Options{Bearers: []Bearer{{Name: "ethernet", Dialer: f, Framing: f.framing}}}
}

// fail runs an exchange that must fail, and checks what every failure owes its caller.
func (r *rig) fail(ctx context.Context, m *iso8583.Message) *ExchangeError {
	r.Helper()
	reply, err := r.Exchange(ctx, m)
	require.Nil(r, reply)
	var failed *ExchangeError
	require.ErrorAs(r, err, &failed)
	require.Equal(r, failed.Sent.Written == 0, errors.Is(err, ErrNotSent), "not sent means no byte and nothing else: %v", err)
	require.LessOrEqual(r, failed.Sent.Written, failed.Sent.Total)
	require.NotContains(r, err.Error(), "6200000000000005")
	return failed
}

func (r *rig) took(since time.Time, want time.Duration) {
	r.Helper()
	require.Equal(r, want, time.Since(since))
}

func bothFramings(t *testing.T, story func(t *testing.T, framing Framing)) {
	t.Run("length prefixed", func(t *testing.T) { story(t, LengthPrefixed) })
	t.Run("self delimited", func(t *testing.T) { story(t, SelfDelimited) })
}
