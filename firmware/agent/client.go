package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// ErrGone means that the agent went away in the middle of a request. For a sale the outcome is then unknown; it is not
// lost: the same reference returns it once the agent runs again.
var ErrGone = errors.New("the agent went away before it answered")

// Client speaks the local socket's protocol, for the command line, the bench and screen programs in Go.
type Client struct {
	conn  net.Conn
	lines *bufio.Scanner
}

// dialWithin only ends what hangs: where nobody listens the kernel says so at once, and a caller that stood still for some seconds
// in the middle must not read that there is no agent.
const dialWithin = 30 * time.Second

// Dial connects to a running agent.
func Dial(path string) (*Client, error) {
	conn, err := net.DialTimeout("unix", path, dialWithin)
	if err != nil {
		return nil, fmt.Errorf("no agent listens on %s; start it with \"posagent run\": %w", path, err)
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, 4096), MaxLine)
	return &Client{conn, lines}, nil
}

// Ask sends one request, hands every stage to seen (which may be nil) and returns the event that ends it. When ctx ends
// the agent is asked to cancel, and its answer is still waited for.
func (c *Client) Ask(ctx context.Context, q Request, seen func(Event)) (Event, error) {
	line, err := sent(q)
	if err == nil {
		_, err = c.conn.Write(append(line, '\n'))
	}
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = json.NewEncoder(c.conn).Encode(Request{Op: "cancel"}) })
	defer stop()
	for c.lines.Scan() {
		var e Event
		if err := json.Unmarshal(c.lines.Bytes(), &e); err != nil {
			return Event{}, fmt.Errorf("the agent's answer cannot be read: %w", err)
		}
		if e.Ends() {
			return e, nil
		}
		if seen != nil {
			seen(e)
		}
	}
	err = c.lines.Err()
	if err == nil {
		err = io.EOF
	}
	return Event{}, fmt.Errorf("%w: %w", ErrGone, err)
}

// Close ends the connection. A sale that is recorded goes on without it.
func (c *Client) Close() error { return c.conn.Close() }
