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
	"posagent/link/linktest"
	"posagent/link/modem"
)

// way is one kind of bearer to the acquirer. Each has a network, which can be cut, and those with a modem a serial line,
// which can be cut too.
type way struct {
	name    string
	family  modem.Family // "" and dials false is the network itself
	access  modem.Access
	dials   bool
	secured bool
}

var ways = []way{
	{name: "tcp"},
	{name: "tls", secured: true},
	{name: "hayes", dials: true},
	{name: "tls over hayes", dials: true, secured: true},
	{name: "quectel buffer", family: modem.Quectel, access: modem.Buffered},
	{name: "quectel push", family: modem.Quectel, access: modem.Pushed},
	{name: "quectel transparent", family: modem.Quectel, access: modem.Transparent},
	{name: "tls over quectel", family: modem.Quectel, access: modem.Buffered, secured: true},
	{name: "simcom", family: modem.SIMCom, access: modem.Buffered},
	{name: "tls over simcom", family: modem.SIMCom, access: modem.Buffered, secured: true},
}

// journey is one way, set up, with what may be cut and what was heard at its end.
type journey struct {
	t        *testing.T
	way      way
	acquirer *linktest.Acquirer
	server   *tls.Config
	options  link.TLSOptions

	network, serial struct{ up, down int } // where each is cut; 0 is never

	mu    sync.Mutex
	net   []*cable
	line  *cable
	heard int
	cell  *linktest.Cell
}

// travel runs a story over a way, in virtual time.
func travel(t *testing.T, w way, story func(*journey)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		j := &journey{t: t, way: w, acquirer: linktest.NewAcquirer(linktest.AcquirerOpts{
			TMK: bytes.Repeat([]byte{7}, 16), Terminals: map[string]string{terminal: merchant}})}
		now := time.Now()
		ca, err := linktest.NewAuthority(now)
		require.NoError(t, err)
		own, err := ca.Server(now.Add(-time.Hour), now.Add(time.Hour), host)
		require.NoError(t, err)
		j.server = linktest.ServerTLS(own, nil)
		j.options = link.TLSOptions{ServerName: host, Roots: ca.Pool(), Curves: []tls.CurveID{tls.X25519}}
		story(j)
		if j.cell != nil {
			j.cell.PowerCycle()
		}
		time.Sleep(time.Hour) // whatever the far end still waits for
	})
}

// reach is the network: a connection to the acquirer, which can be cut.
func (j *journey) reach(context.Context, string) (net.Conn, error) {
	near, far := net.Pipe()
	c := &cable{Conn: near, cutUp: j.network.up, cutDown: j.network.down}
	j.mu.Lock()
	j.net = append(j.net, c)
	j.mu.Unlock()
	go func() {
		defer far.Close()
		var line io.ReadWriteCloser = far
		if j.way.secured {
			sealed := tls.Server(far, j.server)
			if sealed.Handshake() != nil {
				return
			}
			line = sealed
		}
		_ = j.acquirer.ServeConn(ctx, counting{line, j}, link.LengthPrefixed)
	}()
	return c, nil
}

type counting struct {
	io.ReadWriteCloser
	*journey
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.ReadWriteCloser.Read(p)
	c.mu.Lock()
	c.heard += n
	c.mu.Unlock()
	return n, err
}

type network struct{ *journey }

func (n network) Dial(ctx context.Context) (link.Conn, error) { return n.reach(ctx, "") }
func (n network) String() string                              { return "network" }

// dialer is the way's own, with its modem switched on.
func (j *journey) dialer() (dialer link.Dialer, off func()) {
	j.t.Helper()
	on, switchOff := context.WithCancel(ctx)
	served := make(chan struct{})
	off = func() { switchOff(); <-served }
	if !j.way.dials && j.way.family == "" {
		close(served)
		dialer = network{j}
	} else {
		near, far := net.Pipe()
		j.line = &cable{Conn: near, cutUp: j.serial.up, cutDown: j.serial.down}
		var err error
		if j.way.dials {
			sim := linktest.NewModem(linktest.ModemOpts{PhoneBook: map[string]string{"95516": "acquirer"}, Dial: j.reach})
			go func() { defer close(served); _ = sim.Serve(on, far) }()
			dialer, err = modem.New(j.line, &modem.Opts{Number: "95516"})
		} else {
			cell := linktest.NewCell(linktest.CellOpts{Family: linktest.CellFamily(j.way.family), Dial: j.reach})
			j.mu.Lock()
			j.cell = cell
			j.mu.Unlock()
			go func() { defer close(served); _ = cell.Serve(on, far) }()
			dialer, err = modem.NewCellular(j.line, &modem.CellularOpts{Family: j.way.family, Access: j.way.access, Address: "acquirer.example:9000", APN: "cmnet"})
		}
		require.NoError(j.t, err)
	}
	if j.way.secured {
		var err error
		dialer, err = link.NewTLS(dialer, j.options)
		require.NoError(j.t, err)
	}
	return dialer, off
}

// exchange makes one, on a line of its own, and hangs up.
func (j *journey) exchange() error {
	j.t.Helper()
	dialer, off := j.dialer()
	defer off()
	head, err := link.ParseHeader("6000060000", "603100310000")
	require.NoError(j.t, err)
	l := link.New(link.Options{Header: head, Answer: time.Minute, Bearers: []link.Bearer{{Name: j.way.name, Dialer: dialer, Connect: 5 * time.Minute}}})
	began := time.Now()
	_, err = l.Exchange(ctx, echo())
	_ = l.Close()
	require.Less(j.t, time.Since(began), 10*time.Minute)
	synctest.Wait()
	return err
}

// honest holds an error against what the acquirer has heard. What was not sent was not heard, and everything else says
// how far it may have come.
func (j *journey) honest(err error, at string) {
	j.t.Helper()
	j.mu.Lock()
	heard := j.heard
	j.mu.Unlock()
	if err == nil {
		return
	}
	var failed *link.ExchangeError
	require.ErrorAs(j.t, err, &failed, at)
	if errors.Is(err, link.ErrNotSent) {
		require.Zero(j.t, heard, "%s: %v", at, err)
		require.Zero(j.t, failed.Sent.Written)
		return
	}
	require.Positive(j.t, failed.Sent.Written, at)
	if failed.Sent.Handed > 0 && !j.way.secured {
		require.GreaterOrEqual(j.t, failed.Sent.Handed, failed.Sent.Acked, at)
	}
}

func TestTheSameExchangePassesOverEveryBearer(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			travel(t, w, func(j *journey) {
				require.NoError(t, j.exchange())
				assert.Equal(t, 1, j.acquirer.Counts()["0820"])
			})
		})
	}
}

// Each way is cut after every so many bytes of its network and of its serial line, up and down: before it is connected,
// while it proves who it is, in the request, before the answer and inside it.
func TestEveryBearerMayDieAnywhere(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			var network, serial [2]int
			travel(t, w, func(j *journey) {
				require.NoError(t, j.exchange())
				for _, c := range j.net {
					network[0], network[1] = network[0]+c.up, network[1]+c.down
				}
				if j.line != nil {
					serial[0], serial[1] = j.line.up, j.line.down
				}
			})
			unsent, unknown := 0, 0
			cut := func(at string, k int, set func(*journey, int)) {
				travel(t, w, func(j *journey) {
					set(j, k)
					err := j.exchange()
					j.honest(err, at)
					switch {
					case errors.Is(err, link.ErrNotSent):
						unsent++
					case err != nil:
						unknown++
					}
				})
			}
			step := func(total int) int {
				n := 24
				if testing.Short() {
					n = 6
				}
				return max(1, total/n)
			}
			for k := 1; k < network[0]; k += step(network[0]) {
				cut("network up", k, func(j *journey, k int) { j.network.up = k })
			}
			for k := 1; k < network[1]; k += step(network[1]) {
				cut("network down", k, func(j *journey, k int) { j.network.down = k })
			}
			for k := 1; k < serial[0]; k += step(serial[0]) {
				cut("serial up", k, func(j *journey, k int) { j.serial.up = k })
			}
			for k := 1; k < serial[1]; k += step(serial[1]) {
				cut("serial down", k, func(j *journey, k int) { j.serial.down = k })
			}
			assert.Positive(t, unknown)
			assert.True(t, unsent > 0 || w.name == "tcp", "on a bare line every byte is one of the message")
			t.Logf("%d not sent, %d unknown", unsent, unknown)
		})
	}
}

// A line that falls silent instead of breaking: nothing is said, no byte comes back, and the time limits decide.
func TestEveryBearerMayFallSilent(t *testing.T) {
	for _, w := range ways {
		if w.family == "" {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			for after := time.Millisecond; after < 4*time.Second; after += 170 * time.Millisecond {
				travel(t, w, func(j *journey) {
					time.AfterFunc(after, func() {
						j.mu.Lock()
						cell := j.cell
						j.mu.Unlock()
						_, _ = cell.Command("silent on")
					})
					j.honest(j.exchange(), after.String())
				})
			}
		})
	}
}
