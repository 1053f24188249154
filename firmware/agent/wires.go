package agent

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"posagent/device/gpio"
	"posagent/device/scanner"
	"posagent/firmware/terminal"
	"posagent/link"
	"posagent/link/acquirer/keys"
	"posagent/link/profile"
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
	CodeKey() []byte            // of payment codes' fingerprints
	MakeRoom() error
	Tidy() error
	Recount() (txnstore.Recount, error)
}

// Wires is the seam between this program and the world. Production, the simulators and the tests differ in nothing else.
type Wires struct {
	Reader  Opener
	Printer Opener
	PINPad  Opener        // nil where the terminal has none: no PIN is asked for
	Scanner Opener        // nil where the terminal has none: no payment codes are taken
	Bearers []link.Bearer // in order of preference
	Store   Store
	Files   Files            // what the acquirer has downloads kept in; nil keeps none
	Socket  net.Listener     // nil serves nobody
	Lines   *gpio.Lines      // nil where the terminal has none
	Marks   *Marks           // what an opened case and a failing power leave; nil keeps nothing
	Wipe    func() error     // destroys the acquirer's keys where they are kept; nil where nothing is
	Now     func() time.Time // stamps only; timers use package time
	Log     *slog.Logger
}

// Options are what the configuration says, already validated.
type Options struct {
	Terminal, Merchant, Operator string
	Currency                     txn.Currency
	TMK                          []byte // 16 bytes

	Supervisors terminal.Supervisors // nil takes the till's word for who a supervisor is

	Profile       *profile.Profile // how the acquirer is spoken to; nil is profile.UnionPay()
	Header        link.Header
	Answer        time.Duration // wait for the acquirer's answer
	Idle          time.Duration // keep a connection after an exchange
	MAC           keys.MAC      // how a MAC is computed; "" is as the profile has it
	EncryptTracks bool          // encrypt fields 35 and 36 with the acquirer's track key
	DUKPT         *keys.Family  // for a profile that has tracks under DUKPT
	Return        time.Duration // how long a bearer that failed is passed over; 0 tries the best first each time
	Heartbeat     time.Duration // between two questions whether the line lives; 0 asks none
	Preconnect    bool          // dial while the card is read
	MACOnDeclines bool

	ReversalTries int
	ReversalEnds  []string // codes that end a reversal besides 00, 12 and 25
	Lookalike     time.Duration
	MaxBatch      int        // with so many transactions a batch takes no further sale; 0 sets no limit
	MaxCharge     txn.Amount // a charge of more is not begun; 0 sets no limit
	MaxDay        txn.Amount // nor one with which a day's charges come to more; 0 sets no limit
	MaxCardDay    txn.Amount // nor one with which a card's charges of a day come to more; 0 sets no limit
	MaxCardCount  int        // nor one that would be a card's next of a day after so many; 0 sets no limit
	Bins          []terminal.BinRange
	OtherBins     terminal.BinRule // for cards in none of them; empty accepts them
	Blocklist     string           // file of fingerprints of cards that are not charged; empty blocks none
	Settable      []string         // keys of the configuration that the acquirer's parameters may set; see Settable
	BlocklistSlot int              // characters that a number takes up in the acquirer's list; 14 when zero
	OrderQuiet    time.Duration    // after a transaction, before an order of the acquirer is obeyed; 3 s when zero
	OrderRetry    time.Duration    // before one that failed or is repeated is obeyed again, for the first time; 1 min when zero
	AlarmFile     string           // where alarms are counted over restarts; empty counts them in this run alone
	MaxRefund     txn.Amount       // a refund of more is not begun; 0 sets no limit
	CompletionCap int              // the most that a completion may come to, in percent of its pre-authorisation; 115 when zero
	Retry         time.Duration    // between rounds while something is owed
	PaperRetry    time.Duration    // between attempts at owed paper
	Tidy          time.Duration    // quiet time before the store is tidied

	CardWait    time.Duration  // how long the reader waits for a card
	ReaderReply time.Duration  // answer of the reader to an ordinary command
	ReaderKind  string         // one of ReaderKinds; "" is ReaderNEO2
	Lights      bool           // the reader's own front lamp shows outcomes
	Beeps       bool           // and its own buzzer sounds them
	Fallback    bool           // the stripe may be swiped where the chip could not be read
	SelfCheck   *time.Duration // when the reader starts anew each day, from midnight UTC; nil leaves it its own time
	PINPrompt   string         // one that the PIN pad knows for PIN entry
	PINWait     time.Duration  // how long the PIN pad waits for a PIN
	PINReply    time.Duration  // answer of the PIN pad to a packet
	ScannerKind scanner.Kind   // "" is a plain one
	Routes      scanner.Routes // of payment codes
	ScanWait    time.Duration  // how long the scanner waits for a code
	ScanReply   time.Duration  // answer of the scanner to a command
	Print       printer.Opts
	Layout      receipt.Layout
}

// Format keeps the master key out of every print.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "agent options of terminal "+o.Terminal)
}

// LogValue keeps the master key out of the log.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }
