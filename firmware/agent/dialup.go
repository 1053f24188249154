package agent

import (
	"context"
	"fmt"
	"time"

	"posagent/link"
	"posagent/link/modem"
)

// Dialup is a bearer's dialer over a Hayes modem. The modem's line is open only during a call, so that other programs on
// the terminal may use it between calls and an adapter may be replugged.
type Dialup struct {
	Open Opener
	Opts modem.Opts
	// Lines fills in the modem lines of an opened port, where it has any; nil leaves them out.
	Lines func(Port, *modem.Opts)
}

// Dial opens the line and places the call. Closing the connection hangs up and closes the line.
func (d Dialup) Dial(ctx context.Context) (link.Conn, error) {
	return onOwnLine(d.Open, func(port Port) (link.Dialer, error) {
		opts := d.Opts
		if d.Lines != nil {
			d.Lines(port, &opts)
		}
		return modem.New(port, &opts)
	}, func(m link.Dialer) (link.Conn, error) {
		began := time.Now()
		conn, err := m.Dial(ctx)
		if err == nil {
			link.Report(ctx, link.Reached, began)
		}
		return conn, err
	})
}

func (d Dialup) String() string { return "dial " + d.Opts.Number }

// Cellular is a bearer's dialer over a cellular modem with a TCP of its own. Its line, too, is open only during a
// connection; what is known of the modem's failures stays in Opts.Ladder.
type Cellular struct {
	Open Opener
	Opts modem.CellularOpts
}

// Dial opens the line and connects. Closing the connection closes both.
func (c Cellular) Dial(ctx context.Context) (link.Conn, error) {
	return onOwnLine(c.Open, func(port Port) (link.Dialer, error) { return modem.NewCellular(port, &c.Opts) },
		func(m link.Dialer) (link.Conn, error) { return m.Dial(ctx) })
}

func (c Cellular) String() string { return string(c.Opts.Family) + " " + c.Opts.Address }

// onOwnLine opens a line, puts a modem's driver on it, dials, and leaves nothing open that nobody uses.
func onOwnLine(open Opener, drive func(Port) (link.Dialer, error), dial func(link.Dialer) (link.Conn, error)) (link.Conn, error) {
	port, err := open()
	if err != nil {
		return nil, fmt.Errorf("modem: %w", err)
	}
	m, err := drive(port)
	if err != nil {
		_ = port.Close()
		return nil, fmt.Errorf("modem: %w", err)
	}
	call, err := dial(m)
	if err != nil {
		_ = port.Close()
		return nil, err
	}
	if meter, counts := call.(link.Meter); counts {
		return &onePortMeter{onePortCall{call, port}, meter}, nil
	}
	return &onePortCall{call, port}, nil
}

type onePortCall struct {
	link.Conn
	port Port
}

func (c *onePortCall) Close() error {
	err := c.Conn.Close()
	if portErr := c.port.Close(); err == nil {
		err = portErr
	}
	return err
}

// onePortMeter is one whose modem counts what has arrived.
type onePortMeter struct {
	onePortCall
	meter link.Meter
}

func (m *onePortMeter) Handed() int64                { return m.meter.Handed() }
func (m *onePortMeter) Acknowledged() (int64, error) { return m.meter.Acknowledged() }
