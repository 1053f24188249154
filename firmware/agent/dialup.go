package agent

import (
	"context"
	"fmt"

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
	port, err := d.Open()
	if err != nil {
		return nil, fmt.Errorf("modem: %w", err)
	}
	opts := d.Opts
	if d.Lines != nil {
		d.Lines(port, &opts)
	}
	m, err := modem.New(port, &opts)
	if err != nil {
		_ = port.Close()
		return nil, fmt.Errorf("modem: %w", err)
	}
	call, err := m.Dial(ctx)
	if err != nil {
		_ = port.Close()
		return nil, err
	}
	return &onePortCall{call, port}, nil
}

func (d Dialup) String() string { return "dial " + d.Opts.Number }

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
