package agent

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"posagent/firmware/terminal"
	"posagent/link"
	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/printer"
	"posagent/printer/receipt"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// Port is one line: bytes with deadlines. A tty, a pty, a socket or an in-memory pipe.
type Port interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Opener opens a line, and opens it again after it broke.
type Opener func() (Port, error)

// Store is what the agent keeps its books in: a txnstore.Store, or one whose power can fail at every call.
type Store interface {
	terminal.Store
	NextSTAN() (uint32, error)
	Batch() uint32
	AdoptBatch(uint32) error
	Fingerprint(txn.PAN) string // names a card without its number
	MakeRoom() error
	Tidy() error
	Recount() (txnstore.Recount, error)
}

// Wires is the seam between this program and the world. Production, the simulators and the tests differ in nothing else.
type Wires struct {
	Reader  Opener
	Printer Opener
	Bearers []link.Bearer // in order of preference
	Store   Store
	Socket  net.Listener     // nil serves nobody
	Now     func() time.Time // stamps only; timers use package time
	Log     *slog.Logger
}

// Options are what the configuration says, already validated.
type Options struct {
	Terminal, Merchant, Operator string
	Currency                     txn.Currency
	TMK                          []byte // 16 bytes

	Supervisors terminal.Supervisors // nil takes the till's word for who a supervisor is

	Dialect       *iso8583.Dialect
	Header        link.Header
	Answer        time.Duration // wait for the acquirer's answer
	Idle          time.Duration // keep a connection after an exchange
	MAC           keys.MAC      // how field 64 is computed
	EncryptTracks bool          // encrypt fields 35 and 36 with the acquirer's track key
	Return        time.Duration // how long a bearer that failed is passed over; 0 tries the best first each time
	Heartbeat     time.Duration // between two questions whether the line lives; 0 asks none
	Preconnect    bool          // dial while the card is read
	MACOnDeclines bool

	ReversalTries int
	ReversalEnds  []string // codes that end a reversal besides 00, 12 and 25
	Lookalike     time.Duration
	MaxBatch      int           // with so many transactions a batch takes no further sale; 0 sets no limit
	MaxCharge     txn.Amount    // a charge of more is not begun; 0 sets no limit
	MaxDay        txn.Amount    // nor one with which a day's charges come to more; 0 sets no limit
	Blocklist     string        // file of fingerprints of cards that are not charged; empty blocks none
	AlarmFile     string        // where alarms are counted over restarts; empty counts them in this run alone
	MaxRefund     txn.Amount    // a refund of more is not begun; 0 sets no limit
	CompletionCap int           // the most that a completion may come to, in percent of its pre-authorisation; 115 when zero
	Retry         time.Duration // between rounds while something is owed
	PaperRetry    time.Duration // between attempts at owed paper
	Tidy          time.Duration // quiet time before the store is tidied

	CardWait    time.Duration  // how long the reader waits for a card
	ReaderReply time.Duration  // answer of the reader to an ordinary command
	Fallback    bool           // the stripe may be swiped where the chip could not be read
	SelfCheck   *time.Duration // when the reader starts anew each day, from midnight UTC; nil leaves it its own time
	Print       printer.Opts
	Layout      receipt.Layout
}

// Format keeps the master key out of every print.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "agent options of terminal "+o.Terminal)
}

// LogValue keeps the master key out of the log.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }
