package link_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/iso8583"
	"posagent/link/linktest"
)

const (
	host     = "acquirer.example"
	terminal = "10000001"
	merchant = "898000000000001"
)

var ctx = context.Background()

func echo() *iso8583.Message {
	m := new(iso8583.Message)
	m.SetMTI("0820")
	m.Set(41, terminal)
	m.Set(42, merchant)
	m.Set(60, "00000001301")
	return m
}

// cable is a line that counts what passes and can be cut after a number of bytes in either direction.
type cable struct {
	net.Conn
	mu       sync.Mutex
	up, down int // bytes that passed
	cutUp    int // the line dies when so many have gone up; 0 is never
	cutDown  int
}

var errCut = errors.New("the line was cut")

func (c *cable) pass(p []byte, count *int, limit int) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(p)
	if limit > 0 {
		n = min(n, limit-*count)
	}
	*count += n
	return n, limit > 0 && *count >= limit
}

func (c *cable) Write(p []byte) (int, error) {
	n, cut := c.pass(p, &c.up, c.cutUp)
	if n > 0 {
		if wrote, err := c.Conn.Write(p[:n]); err != nil {
			return wrote, err
		}
	}
	if cut {
		_ = c.Conn.Close()
		return n, errCut
	}
	return n, nil
}

func (c *cable) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	n, cut := c.pass(p[:n], &c.down, c.cutDown)
	if cut {
		_ = c.Conn.Close()
		return n, errCut
	}
	return n, err
}

// secure is an acquirer behind TLS and the dialer that leads to it.
type secure struct {
	t        *testing.T
	acquirer *linktest.Acquirer
	ca       *linktest.Authority
	server   *tls.Config
	cutUp    int
	cutDown  int

	mu     sync.Mutex
	cables []*cable
	heard  int // bytes that came out of TLS at the far end
}

func (s *secure) String() string { return "pipe" }

func (s *secure) Dial(context.Context) (link.Conn, error) {
	near, far := net.Pipe()
	c := &cable{Conn: near, cutUp: s.cutUp, cutDown: s.cutDown}
	s.mu.Lock()
	s.cables = append(s.cables, c)
	s.mu.Unlock()
	sealed := tls.Server(far, s.server)
	go func() {
		defer far.Close()
		if sealed.Handshake() == nil {
			_ = s.acquirer.ServeConn(ctx, hearing{sealed, s}, link.LengthPrefixed)
		}
	}()
	return c, nil
}

type hearing struct {
	*tls.Conn
	*secure
}

func (h hearing) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.mu.Lock()
	h.heard += n
	h.mu.Unlock()
	return n, err
}
func (h hearing) String() string { return "far end" }

func (s *secure) bytes() (up, down, heard int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.cables {
		c.mu.Lock()
		up, down = up+c.up, down+c.down
		c.mu.Unlock()
	}
	return up, down, s.heard
}

// sealed runs a story with an acquirer behind TLS, in virtual time; it is the first day of 2000 there.
func sealed(t *testing.T, story func(t *testing.T, s *secure)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		ca, err := linktest.NewAuthority(now)
		require.NoError(t, err)
		own, err := ca.Server(now.Add(-time.Hour), now.Add(1000*time.Hour), host)
		require.NoError(t, err)
		story(t, &secure{t: t, ca: ca, server: linktest.ServerTLS(own, nil), acquirer: linktest.NewAcquirer(linktest.AcquirerOpts{
			TMK: bytes.Repeat([]byte{7}, 16), Terminals: map[string]string{terminal: merchant}})})
		time.Sleep(time.Minute)
	})
}

func (s *secure) pin() [32]byte { return link.PinOf(s.server.Certificates[0].Leaf) }

func (s *secure) link(o link.TLSOptions) *link.Link {
	s.t.Helper()
	dialer, err := link.NewTLS(s, o)
	require.NoError(s.t, err)
	head, err := link.ParseHeader("6000060000", "603100310000")
	require.NoError(s.t, err)
	return link.New(link.Options{Header: head, Answer: 10 * time.Second, Bearers: []link.Bearer{{Name: "ethernet", Dialer: dialer}}})
}

// exchange makes one on a line of its own.
func (s *secure) exchange(o link.TLSOptions) error {
	l := s.link(o)
	defer l.Close()
	_, err := l.Exchange(ctx, echo())
	return err
}

func TestAnExchangePassesOverTLS(t *testing.T) {
	for name, shape := range map[string]func(*secure, *link.TLSOptions){
		"by a CA":      func(s *secure, o *link.TLSOptions) { o.Roots = s.ca.Pool() },
		"CA and a pin": func(s *secure, o *link.TLSOptions) { o.Roots, o.Pins = s.ca.Pool(), [][32]byte{{}, s.pin()} },
		"CA and the CA's pin": func(s *secure, o *link.TLSOptions) {
			o.Roots, o.Pins = s.ca.Pool(), [][32]byte{link.PinOf(s.ca.Certificate)}
		},
		"a pin alone": func(s *secure, o *link.TLSOptions) { o.Pins, o.ServerName = [][32]byte{s.pin()}, "" },
		"P-256":       func(s *secure, o *link.TLSOptions) { o.Roots, o.Curves = s.ca.Pool(), []tls.CurveID{tls.CurveP256} },
		"both prove who they are": func(s *secure, o *link.TLSOptions) {
			o.Roots, o.Certificate, o.Settle = s.ca.Pool(), s.terminal(s.ca), time.Second
		},
		"and no ticket comes": func(s *secure, o *link.TLSOptions) {
			o.Roots, o.Certificate, o.Settle = s.ca.Pool(), s.terminal(s.ca), time.Second
			s.server.SessionTicketsDisabled = true
		},
	} {
		t.Run(name, func(t *testing.T) {
			sealed(t, func(t *testing.T, s *secure) {
				o := link.TLSOptions{ServerName: host, Curves: []tls.CurveID{tls.X25519}}
				shape(s, &o)
				began := time.Now()
				l := s.link(o)
				for range 3 {
					_, err := l.Exchange(ctx, echo())
					require.NoError(t, err)
				}
				require.NoError(t, l.Close())
				assert.Equal(t, o.Certificate != nil && s.server.SessionTicketsDisabled, time.Since(began) == time.Second,
					"only a far end that sends no ticket costs the wait for one: %s", time.Since(began))
				assert.Len(t, s.cables, 1)
			})
		})
	}
}

// terminal is a certificate of ours. The server then wants one.
func (s *secure) terminal(by *linktest.Authority) *tls.Certificate {
	s.server.ClientAuth, s.server.ClientCAs = tls.RequireAndVerifyClientCert, s.ca.Pool()
	own, err := by.Client(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), terminal)
	require.NoError(s.t, err)
	return &own
}

func TestAFarEndThatIsNotTheAcquirerGetsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		want  error
		shape func(*secure, *link.TLSOptions)
	}{
		"another CA":      {link.ErrIdentity, func(s *secure, o *link.TLSOptions) { o.Roots = another(s.t).Pool() }},
		"another name":    {link.ErrIdentity, func(s *secure, o *link.TLSOptions) { o.Roots, o.ServerName = s.ca.Pool(), "bank.example" }},
		"another key":     {link.ErrIdentity, func(s *secure, o *link.TLSOptions) { o.Roots, o.Pins = s.ca.Pool(), [][32]byte{{1}} }},
		"pin alone fails": {link.ErrIdentity, func(s *secure, o *link.TLSOptions) { o.Pins = [][32]byte{{1}} }},
		"we are unknown": {link.ErrUnknown, func(s *secure, o *link.TLSOptions) {
			o.Roots, o.Certificate, o.Settle = s.ca.Pool(), s.terminal(another(s.t)), time.Second
		}},
		"TLS 1.2 only": {nil, func(s *secure, o *link.TLSOptions) {
			o.Roots, s.server.MinVersion, s.server.MaxVersion = s.ca.Pool(), tls.VersionTLS12, tls.VersionTLS12
		}},
	} {
		t.Run(name, func(t *testing.T) {
			sealed(t, func(t *testing.T, s *secure) {
				o := link.TLSOptions{ServerName: host}
				c.shape(s, &o)
				err := s.exchange(o)
				require.ErrorIs(t, err, link.ErrNotSent)
				if c.want != nil {
					require.ErrorIs(t, err, c.want)
				}
				_, _, heard := s.bytes()
				assert.Zero(t, heard)
			})
		})
	}
}

func another(t *testing.T) *linktest.Authority {
	ca, err := linktest.NewAuthority(time.Now())
	require.NoError(t, err)
	return ca
}

func TestAWrongClockIsNamed(t *testing.T) {
	battery := func() time.Time { return time.Date(1970, 1, 1, 0, 5, 0, 0, time.UTC) }
	later := func() time.Time { return time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		now    func() time.Time
		policy link.Clock
		pin    bool // a right one
		ca     bool
		good   bool
		says   string
	}{
		"strict":                    {battery, link.ClockStrict, true, true, false, "the clock says 1970-01-01 00:05 UTC and the certificate is valid from 1999-12-31"},
		"strict, pin alone":         {battery, link.ClockStrict, true, false, false, "set the clock"},
		"pinned":                    {battery, link.ClockPinned, true, true, true, ""},
		"pinned, pin alone":         {battery, link.ClockPinned, true, false, true, ""},
		"pinned and the pin wrong":  {battery, link.ClockPinned, false, true, false, "no pin matches"},
		"ended, not begun":          {later, link.ClockPinned, true, true, false, "was valid until 2000-02-11"},
		"ended, and strict":         {later, link.ClockStrict, true, false, false, "if the clock is right, the acquirer must renew it"},
		"a clock that is all right": {time.Now, link.ClockPinned, true, true, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sealed(t, func(t *testing.T, s *secure) {
				var notices []string
				o := link.TLSOptions{ServerName: host, Clock: c.policy, Now: c.now, Pins: [][32]byte{{9}}, Notice: func(n string) { notices = append(notices, n) }}
				if c.pin {
					o.Pins = [][32]byte{s.pin()}
				}
				if c.ca {
					o.Roots = s.ca.Pool()
				}
				err := s.exchange(o)
				if c.good {
					require.NoError(t, err)
					now := c.now()
					assert.Equal(t, now.Year() == 1970, len(notices) == 1, "%q", notices)
					return
				}
				require.ErrorIs(t, err, link.ErrNotSent)
				require.ErrorIs(t, err, link.ErrClock)
				require.ErrorContains(t, err, c.says)
				assert.Empty(t, notices)
			})
		})
	}
}

func TestAResumedSessionIsShorterAndVerifiedAgain(t *testing.T) {
	sealed(t, func(t *testing.T, s *secure) {
		now := time.Now()
		l := s.link(link.TLSOptions{ServerName: host, Roots: s.ca.Pool(), Resume: true, Curves: []tls.CurveID{tls.X25519}, Now: func() time.Time { return now }})
		var spent [2]int
		for i := range spent {
			_, err := l.Exchange(ctx, echo())
			require.NoError(t, err)
			require.NoError(t, l.Hangup())
			up, down, _ := s.bytes()
			spent[i] = up + down
		}
		assert.Less(t, spent[1]-spent[0], spent[0]*9/10)
		now = now.Add(-100 * time.Hour)
		_, err := l.Exchange(ctx, echo())
		require.ErrorIs(t, err, link.ErrClock)
		require.NoError(t, l.Close())
	})
}

// Over a network that holds what was sent: both ends speak at once where the server asks for another curve.
func TestX25519MeetsAServerThatKnowsP256Alone(t *testing.T) {
	now := time.Now()
	ca, err := linktest.NewAuthority(now)
	require.NoError(t, err)
	own, err := ca.Server(now.Add(-time.Hour), now.Add(time.Hour), host)
	require.NoError(t, err)
	s := &secure{t: t, ca: ca, server: linktest.ServerTLS(own, nil), acquirer: linktest.NewAcquirer(linktest.AcquirerOpts{
		TMK: bytes.Repeat([]byte{7}, 16), Terminals: map[string]string{terminal: merchant}})}
	s.server.CurvePreferences = []tls.CurveID{tls.CurveP256}
	far, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer far.Close()
	go func() {
		if c, err := far.Accept(); err == nil {
			_ = s.acquirer.ServeConn(ctx, tls.Server(c, s.server), link.LengthPrefixed)
		}
	}()
	dialer, err := link.NewTLS(link.TCP{Address: far.Addr().String()}, link.TLSOptions{ServerName: host, Roots: ca.Pool(),
		Curves: []tls.CurveID{tls.X25519, tls.CurveP256}})
	require.NoError(t, err)
	head, err := link.ParseHeader("6000060000", "603100310000")
	require.NoError(t, err)
	l := link.New(link.Options{Header: head, Answer: time.Minute, Bearers: []link.Bearer{{Name: "ethernet", Dialer: dialer, Connect: time.Minute}}})
	defer l.Close()
	_, err = l.Exchange(ctx, echo())
	require.NoError(t, err)
}

// Cut after every byte, up and down: what is reported as not sent was not heard, and nothing of it was on the line.
func TestALineCutAnywhereUnderTLSIsHonest(t *testing.T) {
	var up, down, whole int
	options := func(s *secure) link.TLSOptions {
		return link.TLSOptions{ServerName: host, Roots: s.ca.Pool(), Curves: []tls.CurveID{tls.X25519}}
	}
	sealed(t, func(t *testing.T, s *secure) {
		l := s.link(options(s))
		require.NoError(t, l.Connect(ctx, time.Minute))
		synctest.Wait()
		whole, _, _ = s.bytes()
		_, err := l.Exchange(ctx, echo())
		require.NoError(t, err)
		up, down, _ = s.bytes()
		require.NoError(t, l.Close())
	})
	require.Greater(t, up, whole)
	var unsent, sent int
	cut := func(cutUp, cutDown int) {
		sealed(t, func(t *testing.T, s *secure) {
			s.cutUp, s.cutDown = cutUp, cutDown
			err := s.exchange(options(s))
			wrote, _, heard := s.bytes()
			require.Error(t, err, "cut at %d, %d", cutUp, cutDown)
			if errors.Is(err, link.ErrNotSent) {
				unsent++
				require.Zero(t, heard)
				require.LessOrEqual(t, wrote, whole+8, "cut at %d, %d", cutUp, cutDown) // a signature's length varies
				return
			}
			sent++
			var failed *link.ExchangeError
			require.ErrorAs(t, err, &failed)
			require.Positive(t, failed.Sent.Written)
		})
	}
	step := 5
	if testing.Short() {
		step = 41
	}
	for k := 1; k < up-24; k += step { // less what closing the line costs
		cut(k, 0)
	}
	for k := 1; k < down-24; k += step {
		cut(0, k)
	}
	assert.Positive(t, unsent)
	assert.Positive(t, sent)
}

func TestTLSOptionsAreChecked(t *testing.T) {
	s := &secure{t: t}
	for name, o := range map[string]link.TLSOptions{
		"nobody to trust":      {ServerName: host},
		"a CA and no name":     {Roots: another(t).Pool()},
		"a clock and no pin":   {ServerName: host, Roots: another(t).Pool(), Clock: link.ClockPinned},
		"a negative handshake": {Pins: [][32]byte{{1}}, Handshake: -1},
	} {
		_, err := link.NewTLS(s, o)
		require.Error(t, err, name)
	}
	_, err := link.NewTLS(nil, link.TLSOptions{Pins: [][32]byte{{1}}})
	require.Error(t, err)
	pin := [32]byte{1, 2, 3}
	back, err := link.ParsePin(link.PinText(pin))
	require.NoError(t, err)
	require.Equal(t, pin, back)
	for _, wrong := range []string{"", "sha256/", "sha256/AAAA", "sha1/" + link.PinText(pin)[7:]} {
		_, err := link.ParsePin(wrong)
		require.Error(t, err, wrong)
	}
}

func TestAStalledHandshakeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, far) }()
		dialer, err := link.NewTLS(one{near}, link.TLSOptions{Pins: [][32]byte{{1}}})
		require.NoError(t, err)
		began := time.Now()
		_, err = dialer.Dial(ctx)
		require.ErrorIs(t, err, link.ErrTimeout)
		require.ErrorContains(t, err, "no handshake within 20s")
		require.Equal(t, 20*time.Second, time.Since(began))
	})
}

type one struct{ net.Conn }

func (o one) Dial(context.Context) (link.Conn, error) { return o.Conn, nil }
func (o one) String() string                          { return "pipe" }
