package modem

import (
	"context"
	"time"
)

// family is what differs between makers. Whoever calls it has the floor. Connection and context have one number each.
type family interface {
	// report reads a line that nobody asked for; follows tells how many bytes of data come right after a line.
	report(line string) event
	follows(line string) int

	attach(ctx context.Context, c *chat, o *CellularOpts, fresh bool) error
	open(ctx context.Context, c *chat, host, port string, within time.Duration) error

	// send gives one piece of at most most bytes to the modem, and says how many of them may leave.
	send(ctx context.Context, c *chat, p []byte, within time.Duration) (given int, err error)
	most() int
	// fetch takes what waits, up to one answer's worth; nothing means that nothing waits.
	fetch(ctx context.Context, c *chat) ([]byte, error)
	// alive asks whether the connection still stands, as far as the modem knows.
	alive(ctx context.Context, c *chat) (bool, error)
	// acknowledged is what the far end's TCP has confirmed since the connection was opened.
	acknowledged(ctx context.Context, c *chat) (int64, error)
	shut(ctx context.Context, c *chat) error
}
