package link

import (
	"context"
	"io"
	"time"
)

// Conn is a connected line: a byte stream that behaves like a net.Conn. Close ends a Read and a Write that are in
// progress, and may be called from another goroutine. Write says how many bytes may have left, also when it fails;
// it says zero only if none did.
type Conn interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Dialer makes connections. TCP is one, a modem another. Dial ends soon after its context does, and leaves nothing
// open when it fails. String names the far end for people, without secrets.
type Dialer interface {
	Dial(ctx context.Context) (Conn, error)
	String() string
}

// Framing is how a line tells messages apart.
type Framing int

const (
	LengthPrefixed Framing = iota // two bytes, big-endian: the length of TPDU, application header and message
	SelfDelimited                 // no length: the message itself says where it ends
)

// Bearer is one way to the acquirer.
type Bearer struct {
	Name    string // for people and for the evidence kept with a transaction: "ethernet", "dial-up"
	Address int    // which of the acquirer's addresses it leads to: 1 the primary, 2 the secondary; 0 where there is one only
	Dialer  Dialer
	Framing Framing
	Connect time.Duration // allowance for one dial; 0 is 10 s
}
