package printer

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"posagent/printer/receipt"
)

// Port is the line to the printer. Deadlines behave like those of net.Conn: a read or write that is under way returns
// os.ErrDeadlineExceeded when its deadline passes or is set into the past.
type Port interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// ProofMode is how the driver learns that a slip is on paper.
type ProofMode string

const (
	ProcessID       ProofMode = "process-id"        // GS ( H 48: Epson TM series and those that follow it
	ETBCounter      ProofMode = "etb-counter"       // Star printers, which are spoken to in Star line mode then
	StatusAfterFeed ProofMode = "status-after-feed" // GS r behind the slip: shows that the data was taken, never proves
	NoProof         ProofMode = "none"              // asks only whether a fault shows after the last byte
	Mute            ProofMode = "mute"              // asks nothing: the printer answers nothing
)

// ProofModes are all there are, the best first.
func ProofModes() []ProofMode {
	return []ProofMode{ProcessID, ETBCounter, StatusAfterFeed, NoProof, Mute}
}

// Opts are the printer's parameters. Zero fields take the default.
type Opts struct {
	Columns  int           // normal characters a line; default 32 (58 mm paper); 80 mm paper has 48
	Answer   time.Duration // longest wait for a status answer; default 1 s
	Print    time.Duration // longest wait for proof after the last byte, and for a full printer to take more; default 30 s
	Baud     int           // bits per second of the line, at ten a byte: so long a slip is on its way, and not asked after; 0 is a line that takes no time
	CutAfter bool          // the printer has a cutter; without it the slip is fed to the tear bar
	Proof    ProofMode     // default ProcessID
	Codes    CodeMode      // how QR codes are printed, and whether pictures are; default NoCodes
	Silences int           // how often in a row New has not heard this printer, up to now
	FirstID  uint32        // first process id; 0 takes a random one, so that an answer still owed to a process that died is not taken for ours
}

func (o *Opts) withDefaults() (Opts, error) {
	var set Opts
	if o != nil {
		set = *o
	}
	if set.Columns == 0 {
		set.Columns = 32
	}
	if set.Answer == 0 {
		set.Answer = time.Second
	}
	if set.Print == 0 {
		set.Print = 30 * time.Second
	}
	if set.Proof == "" {
		set.Proof = ProcessID
	}
	switch {
	case set.Columns < receipt.MinColumns || set.Columns > receipt.MaxColumns:
		return set, fmt.Errorf("printer: %d columns: use %d to %d", set.Columns, receipt.MinColumns, receipt.MaxColumns)
	case set.Baud < 0:
		return set, fmt.Errorf("printer: %d baud: use the line's speed, or 0", set.Baud)
	case set.Answer < 0 || set.Print < 0:
		return set, errors.New("printer: a waiting time is negative")
	case !slices.Contains(ProofModes(), set.Proof):
		return set, fmt.Errorf("printer: proof mode %q is not known: use one of %q", set.Proof, ProofModes())
	case set.Proof == ETBCounter && set.Codes == RasterCodes:
		return set, fmt.Errorf("printer: codes %q: a Star printer draws them itself: use %q", set.Codes, NativeCodes)
	}
	if err := set.Codes.known(); err != nil {
		return set, err
	}
	if set.FirstID == 0 {
		var random [4]byte
		_, _ = rand.Read(random[:]) // never fails since Go 1.24
		set.FirstID = binary.LittleEndian.Uint32(random[:])
	}
	return set, nil
}

// Printer is one ESC/POS printer. Its methods may be called from several goroutines; they take turns.
type Printer struct {
	port Port
	opts Opts

	mu     sync.Mutex // one conversation at a time; guards what follows
	ear    ear
	frame  int // of a Star printer: what the counter is set to before the next slip
	nextID uint32
	unsure bool   // a question went unanswered; its answer may still come
	apart  bool   // it does not answer four questions that come together
	seen   Status // what it said last, by any way
	torn   bool   // a slip broke off inside its data; the next one declares it void
	room   []byte // of the slip that was sent last
}

// New makes a driver and proves that a printer answers, unless it is said to be mute. A printer that answers but cannot print (no paper, cover open)
// is accepted: Status and Print say what is wrong.
//
// New first sends NULs, which printers ignore: they complete a command that a crashed predecessor may have left half
// sent, and which would otherwise swallow the question. A line that flips a bit in a command's length may leave a printer that
// takes 64 KiB for its data; the more often in a row the caller says that it was not heard, the more NULs.
func New(port Port, o *Opts) (*Printer, error) {
	if port == nil {
		return nil, errors.New("printer: no port")
	}
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Printer{port: port, opts: opts, nextID: opts.FirstID, ear: &demultiplexer{}}
	if p.star() {
		p.ear, p.frame = &starEar{}, firstFrame(opts.FirstID)
	}
	t, end, err := p.converse(context.Background())
	if err != nil {
		return nil, err
	}
	defer end()
	if _, err := t.write(padding(opts.Codes, opts.Silences), opts.Answer); err != nil {
		return nil, t.fault(err, Status{}, false)
	}
	if p.mute() {
		return p, nil
	}
	if _, err := t.status(); err != nil {
		return nil, t.fault(err, Status{}, false)
	}
	return p, nil
}

// String names the driver for status pages.
func (p *Printer) String() string {
	if p.star() {
		return fmt.Sprintf("Star printer, %d columns, proof by %s", p.opts.Columns, p.opts.Proof)
	}
	return fmt.Sprintf("ESC/POS printer, %d columns, proof by %s", p.opts.Columns, p.opts.Proof)
}

func (p *Printer) star() bool { return p.opts.Proof == ETBCounter }

// Columns is the width that slips must be laid out for.
func (p *Printer) Columns() int { return p.opts.Columns }

// Status asks the printer how it is. An unanswered question is a *FaultError around ErrNoAnswer; a fault that the
// printer reports is no error here: see Status.Fault. A mute printer's is the zero Status.
func (p *Printer) Status(ctx context.Context) (Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mute() {
		return Status{}, nil
	}
	t, end, err := p.converse(ctx)
	if err != nil {
		return Status{}, err
	}
	defer end()
	s, err := t.status()
	if err != nil {
		return Status{}, t.fault(err, Status{}, false)
	}
	return s, nil
}

// Seen is what the printer said last, without asking again: after Print, how it was during the slip.
func (p *Printer) Seen() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// Halt makes the printer quiet: it sends no more status on its own. What it holds is still printed. The driver can be
// used again; the next slip switches the automatic status on.
func (p *Printer) Halt() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, end, err := p.converse(context.Background())
	if err != nil {
		return err
	}
	defer end()
	if p.star() || p.mute() {
		return nil // it was told to at its last slip, and speaks when it is asked; or never
	}
	if _, err := t.write(automaticStatus(nil, asbOff), p.opts.Answer); err != nil {
		return t.fault(err, Status{}, false)
	}
	return nil
}

// fault makes the error of a failed conversation.
func (t *talk) fault(cause error, s Status, sent bool) error {
	return &FaultError{Cause: cause, Status: s, Sent: sent, Noise: t.noise}
}
