package modem

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/linktest"
)

const address = "acquirer.example:9000"

// mast is a cellular modem on a cable, with the acquirer at the other end of the network.
type mast struct {
	t      *testing.T
	cell   *linktest.Cell
	port   *port
	calls  chan net.Conn
	ladder *Ladder
	opts   CellularOpts
}

// families runs a story with each kind of modem, with both of its ways to receive where it has them.
func families(t *testing.T, story func(*mast)) {
	t.Helper()
	for _, o := range []CellularOpts{{Family: Quectel, Access: Buffered}, {Family: Quectel, Access: Pushed}, {Family: SIMCom, Access: Buffered}} {
		t.Run(string(o.Family)+" "+string(o.Access), func(t *testing.T) { atMast(t, o, story) })
	}
}

func atMast(t *testing.T, o CellularOpts, story func(*mast)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, switchOff := context.WithCancel(t.Context())
		terminal, far := net.Pipe()
		m := &mast{t: t, port: &port{Conn: terminal}, calls: make(chan net.Conn, 16), ladder: &Ladder{}, opts: o}
		m.cell = linktest.NewCell(linktest.CellOpts{Family: linktest.CellFamily(o.Family), Dial: func(context.Context, string) (net.Conn, error) {
			acquirer, line := net.Pipe()
			m.calls <- acquirer
			return line, nil
		}})
		m.ladder.PowerCycle = func(context.Context) error {
			m.cell.PowerCycle()
			return nil
		}
		served := make(chan error, 1)
		go func() { served <- m.cell.Serve(ctx, far) }()
		tooLong := time.AfterFunc(30*24*time.Hour, func() { panic("the story never ends") })
		story(m)
		tooLong.Stop()
		switchOff()
		require.NoError(t, <-served)
		m.cell.PowerCycle()
	})
}

func (m *mast) driver() *Cellular {
	m.t.Helper()
	o := m.opts
	o.Address, o.APN, o.Ladder = address, "cmnet", m.ladder
	c, err := NewCellular(m.port, &o)
	require.NoError(m.t, err)
	return c
}

func (m *mast) dial() (link.Conn, net.Conn) {
	m.t.Helper()
	conn, err := m.driver().Dial(m.t.Context())
	require.NoError(m.t, err)
	synctest.Wait()
	acquirer := <-m.calls
	for len(m.calls) > 0 { // a dial before this one may have reached the acquirer, and come to nothing
		acquirer = <-m.calls
	}
	return conn, acquirer
}

func (m *mast) fails(want error) error {
	m.t.Helper()
	conn, err := m.driver().Dial(m.t.Context())
	require.ErrorIs(m.t, err, want)
	require.Nil(m.t, conn)
	return err
}

func (m *mast) tell(command string) {
	m.t.Helper()
	_, err := m.cell.Command(command)
	require.NoError(m.t, err)
}

func (m *mast) state() string {
	synctest.Wait()
	state, err := m.cell.Command("state")
	require.NoError(m.t, err)
	return state
}
