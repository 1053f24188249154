package agent

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/linktest"
	"posagent/link/modem"
	"posagent/txnstore/txn/words"
)

// exchange is the acquirer's side of a network, which can be told to hang up.
type exchange struct {
	w       *world
	framing link.Framing
	secured *tls.Config
	last    net.Conn
	down    bool

	network, serial fuse // of the acquirer's network, and of the line to a modem
}

func (x *exchange) reach(context.Context, string) (net.Conn, error) {
	if x.down {
		return nil, linktest.ErrLineDown
	}
	near, far := net.Pipe()
	x.last = far
	var line io.ReadWriteCloser = far
	if x.secured != nil {
		line = tls.Server(far, x.secured)
	}
	go func() { _ = x.w.acquirer.ServeConn(x.w.ctx, line, x.framing) }()
	return fused{near, &x.network}, nil
}

// modem is the line to one.
func (x *exchange) modem(serve func(context.Context, net.Conn)) Opener {
	open := x.w.wire(x.w.ctx, serve)
	return func() (Port, error) {
		port, err := open()
		if err != nil {
			return nil, err
		}
		return fused{port.(net.Conn), &x.serial}, nil
	}
}

type straight struct{ *exchange }

func (s straight) Dial(ctx context.Context) (link.Conn, error) { return s.reach(ctx, "") }
func (s straight) String() string                              { return "straight" }

// bearersOf are the kinds of bearer, with the far end of each.
func bearersOf(w *world) map[string]func(*exchange) link.Bearer {
	cell := func(family modem.Family) func(*exchange) link.Bearer {
		return func(x *exchange) link.Bearer {
			sim := linktest.NewCell(linktest.CellOpts{Family: linktest.CellFamily(family), Dial: x.reach})
			w.t.Cleanup(sim.PowerCycle)
			return link.Bearer{Name: string(family), Connect: 2 * time.Minute, Dialer: Cellular{
				Open: x.modem(func(ctx context.Context, c net.Conn) { _ = sim.Serve(ctx, c) }),
				Opts: modem.CellularOpts{Family: family, Address: "acquirer.example:9000", APN: "cmnet"}}}
		}
	}
	return map[string]func(*exchange) link.Bearer{
		"tcp": func(x *exchange) link.Bearer { return link.Bearer{Name: "tcp", Dialer: straight{x}} },
		"tls": func(x *exchange) link.Bearer {
			now := time.Now()
			ca, err := linktest.NewAuthority(now)
			require.NoError(w.t, err)
			own, err := ca.Server(now.Add(-time.Hour), now.Add(1000*time.Hour), "acquirer.example")
			require.NoError(w.t, err)
			x.secured = linktest.ServerTLS(own, nil)
			dialer, err := link.NewTLS(straight{x}, link.TLSOptions{ServerName: "acquirer.example", Roots: ca.Pool()})
			require.NoError(w.t, err)
			return link.Bearer{Name: "tls", Dialer: dialer}
		},
		"dial": func(x *exchange) link.Bearer {
			x.framing = link.SelfDelimited
			sim := linktest.NewModem(linktest.ModemOpts{PhoneBook: map[string]string{"95516": "acquirer"}, Dial: x.reach})
			return link.Bearer{Name: "dial", Framing: link.SelfDelimited, Connect: 2 * time.Minute, Dialer: Dialup{
				Open: x.modem(func(ctx context.Context, c net.Conn) { _ = sim.Serve(ctx, c) }),
				Opts: modem.Opts{Number: "95516"}}}
		},
		"quectel": cell(modem.Quectel),
		"simcom":  cell(modem.SIMCom),
	}
}

// over restarts the agent with bearers of its own.
func (w *world) over(bearers ...link.Bearer) {
	w.t.Helper()
	w.cutPower()
	w.bearers = bearers
	w.boot()
}

func TestTheSameSalePassesOverEveryBearer(t *testing.T) {
	for _, name := range []string{"tcp", "tls", "dial", "quectel", "simcom"} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				x := &exchange{w: w}
				w.options.Preconnect = true
				w.over(bearersOf(w)[name](x))
				e := w.sell("visa-4242", "12.50")
				require.Equal(t, words.OutcomeApproved, e.Outcome, "%+v", e)
				assert.Equal(t, name, e.Txn.Bearer)

				w.fault("silent for sale")
				e = w.sell("visa-4242", "13.50")
				require.Equal(t, words.OutcomeReversed, e.Outcome, "%+v", e)
				assert.Equal(t, e.Txn.Total, e.Txn.Written)
				if name == "quectel" || name == "simcom" {
					assert.Equal(t, e.Txn.Total, e.Txn.Acked, "the modem knows that the acquirer's TCP has all of it")
				}
				x.down = true
				_ = x.last.Close()
				time.Sleep(time.Minute)
				e = w.sell("visa-4242", "14.50")
				require.Equal(t, words.OutcomeNotDone, e.Outcome, "not a byte left: %+v", e)
				x.down = false
				require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "15.50").Outcome)

				_, e = w.ask(Request{Op: "host test"})
				require.Len(t, e.Host, 1)
				assert.Empty(t, e.Host[0].Error)
				var parts []string
				for _, p := range e.Host[0].Parts {
					parts = append(parts, p.Name)
				}
				assert.Equal(t, "exchange", parts[len(parts)-1], "%v", parts)
				assert.Contains(t, parts, "connected")
			})
		})
	}
}

func TestAReversalFindsTheAddressThatGotTheSale(t *testing.T) {
	inWorld(t, func(w *world) {
		primary, secondary := &exchange{w: w}, &exchange{w: w}
		w.options.Return = 5 * time.Minute
		w.over(link.Bearer{Name: "ethernet", Address: 1, Dialer: straight{primary}}, link.Bearer{Name: "ethernet", Address: 2, Dialer: straight{secondary}})
		primary.down = true
		w.fault("silent for sale")
		w.fault("silent for reversal")
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeUnknown, e.Outcome)
		assert.Equal(t, 2, e.Txn.Address)
		primary.down = false
		time.Sleep(2 * time.Minute)
		_, e = w.ask(Request{Op: "show", Reference: "till-1"})
		require.Equal(t, words.OutcomeReversed, e.Outcome)
		assert.Nil(t, primary.last, "the primary was never asked")
		time.Sleep(5 * time.Minute)
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "13.50").Outcome)
		assert.NotNil(t, primary.last, "and it is used again")
	})
}

func TestAHeartbeatKeepsTheLineAndFindsItsEnd(t *testing.T) {
	inWorld(t, func(w *world) {
		x := &exchange{w: w}
		w.options.Heartbeat, w.options.Idle = 30*time.Second, 0
		w.over(link.Bearer{Name: "ethernet", Dialer: straight{x}})
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		before := w.acquirer.Counts()["0820"]
		assert.GreaterOrEqual(t, before, 9)
		first := x.last
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "12.50").Outcome)
		synctest.Wait()
		assert.Same(t, first, x.last, "the sale found the line open")
		_ = x.last.Close()
		time.Sleep(31 * time.Second)
		synctest.Wait()
		assert.NotSame(t, first, x.last, "and a line that broke is open again before anybody needs it")
	})
}
