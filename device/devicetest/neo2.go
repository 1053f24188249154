package devicetest

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"posagent/device/reader/neo2"
)

// ReaderOpts are the parameters of a simulated card reader.
type ReaderOpts struct {
	Cards map[string]TestCard // the cards that Command may present, by name
	Now   func() time.Time    // the clock of the transaction date in its answers; default time.Now

	DataKey *DataKey // with it the reader enciphers card data; nil gives it in clear

	// Secret is told of what a reader with a DataKey gives and nobody may keep: enciphered tracks, and serial numbers of keys. Nil is
	// nobody.
	Secret func(name string, what []byte)

	// CardRead is called when a card has been read, before the first byte about it leaves, from the goroutine that writes to
	// the line. It may call Command. Nil is nobody.
	CardRead func()
}

// Reader is a simulated ID TECH NEO 2 card reader without display, in clear mode or with a data key, with bootup notification in frame form:
// the far end of the line that device/reader drives. It is strict about what the terminal sends, times a transaction out
// by itself, takes any command during one for a cancel (IDG p. 208), and remembers its cards' counters and verdicts over
// restarts. It has a slot for chip cards (neo2contact.go).
//
// Its methods are safe for concurrent use. Nothing it says or returns holds a card number; its line does.
type Reader struct {
	cards    map[string]TestCard
	now      func() time.Time
	cardRead func()

	mu      sync.Mutex
	session *session     // guarded by mu; nil while nobody is served
	waiting *transaction // guarded by mu; nil while no card is awaited
	queued  *TestCard    // guarded by mu; a card that lies on the reader already
	counter map[string]int
	total   int  // transactions of this reader, for its own counter 9F41
	news    bool // a card was read and nothing said about it yet
	faults  faultSwitches

	slot      slot    // guarded by mu
	memory    memory  // guarded by mu
	sealing   sealing // guarded by mu
	selfCheck [2]byte // guarded by mu; when the reader starts anew each day, UTC, in decimal digits

	passing bool     // guarded by mu; in pass-through mode, in which no card is taken
	signals []string // guarded by mu; what lamp and buzzer have told
}

// faultSwitches are what Command turns on and off; guarded by Reader.mu.
type faultSwitches struct {
	garbage, nonsense, silent, tampered bool
	spoken                              int // how much nonsense was said: its kind rotates
}

// transaction is one 02-01 that has not been answered.
type transaction struct {
	request activation
	timer   *time.Timer
	sealed  bool // it was asked for by 02-40
}

// session is one Serve. Answers are queued so that a terminal that does not listen holds up neither Command nor a timer;
// what does not fit in the queue is lost, as on a line.
type session struct {
	out      chan said
	cardRead func()
	start    atomic.Int64 // how often the reader has started anew: what was said before and has not left is lost then
}

// said is what leaves in one piece; news if it is the first about a card.
type said struct {
	wire  []byte
	news  bool
	start int64
}

const maxQueued = 64 // frames

// NewReader makes a reader that lies switched on on the counter, with no card near it.
func NewReader(o ReaderOpts) *Reader {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Reader{cards: o.Cards, now: o.Now, cardRead: o.CardRead, counter: make(map[string]int),
		sealing: sealing{key: o.DataKey, secret: o.Secret}, slot: slot{planned: make(map[byte]string)}, memory: newMemory(), selfCheck: [2]byte{0x18, 0x30}}
}

// Serve speaks with a terminal on rw until ctx ends or the line does, and returns nil in both cases. One Serve at a time;
// a second is refused. To be interruptible, rw should have SetDeadline, as net.Conn does; a line that has none is left
// when its owner closes it. What was going on when Serve ends goes on: it is the line that was unplugged.
func (r *Reader) Serve(ctx context.Context, rw io.ReadWriter) error {
	s := &session{out: make(chan said, maxQueued), cardRead: r.cardRead}
	r.mu.Lock()
	if r.session != nil {
		r.mu.Unlock()
		return errors.New("this simulated reader already serves a line")
	}
	r.session = s
	r.mu.Unlock()

	return converse(ctx, rw, s, func() error { return r.read(ctx, rw) }, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.session = nil
		close(s.out)
	})
}

func (r *Reader) read(ctx context.Context, rw io.Reader) error {
	decoder, buffer := neo2.Decoder{Accept: neo2.LowFirst}, make([]byte, 512)
	for ctx.Err() == nil {
		n, err := rw.Read(buffer)
		decoder.Write(buffer[:n])
		for {
			item, ok := decoder.Next()
			if !ok {
				break
			}
			r.hear(item)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) write(w io.Writer) error {
	var failed error
	for say := range s.out {
		if say.news && s.cardRead != nil {
			s.cardRead()
		}
		if failed == nil && say.start == s.start.Load() {
			_, failed = w.Write(say.wire)
		}
	}
	return failed
}

// over reports a line that ended, which is how most lines of a test end.
func over(err error) bool {
	for _, end := range []error{io.EOF, io.ErrClosedPipe, os.ErrClosed, os.ErrDeadlineExceeded, syscall.EIO} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// hear obeys one command, or refuses one that is damaged.
func (r *Reader) hear(item neo2.Item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.faults.silent:
		return
	case item.Fault != neo2.Whole:
		r.answerLocked(item.Command, neo2.BadChecksum, nil)
		return
	case r.faults.nonsense:
		r.nonsenseLocked(item.Command)
		return
	}
	r.forgetLocked() // any command during a transaction ends it
	if item.Command != neo2.Contact && item.Command != neo2.Ask {
		r.slot.sale, r.slot.asked = nil, nil
	}
	if r.faults.tampered {
		r.answerLocked(item.Command, neo2.Tampered, nil)
		return
	}
	switch subs := map[byte]byte{neo2.Ping: neo2.PingSub, neo2.Version: neo2.VersionSub, neo2.Cancel: neo2.CancelSub,
		neo2.Activate: neo2.ActivateSub, neo2.Clock: neo2.SelfCheck, neo2.PassThrough: neo2.PowerOff}; {
	case r.signalLocked(item.Frame):
	case r.passing && (item.Command == neo2.Contact || item.Command == neo2.Activate):
		r.answerLocked(item.Command, neo2.NotAllowed, nil)
	case r.configureLocked(item.Command, item.Sub, item.Data):
	case item.Command == neo2.Contact:
		r.contactLocked(item.Sub, item.Data)
	case item.Command == neo2.Ask: // what the terminal says to an ask of ours; nobody answers it
		if goOn := r.slot.asked; goOn != nil {
			r.slot.asked = nil
			goOn()
		}
	case !has(subs, item.Command):
		r.answerLocked(item.Command, neo2.UnknownCommand, nil)
	case item.Command == neo2.Activate && item.Sub == neo2.SealedSub:
		r.activateLocked(item.Data, true)
	case item.Sub != subs[item.Command]:
		r.answerLocked(item.Command, neo2.UnknownSub, nil)
	case item.Command == neo2.Activate && r.sealing.on():
		r.answerLocked(item.Command, neo2.NotAllowed, nil) // in clear, and there is a data key (IDG p. 208)
	case item.Command == neo2.Activate:
		r.activateLocked(item.Data, false)
	case item.Command == neo2.Clock:
		r.clockLocked(item.Data)
	case len(item.Data) != 0:
		r.answerLocked(item.Command, neo2.BadParameter, nil)
	case item.Command == neo2.Version:
		r.answerLocked(item.Command, neo2.OK, []byte(readerFirmware))
	default:
		r.answerLocked(item.Command, neo2.OK, nil)
	}
}

func has(m map[byte]byte, key byte) bool { _, ok := m[key]; return ok }

// activateLocked begins a transaction, and ends it at once if a card lies there already.
func (r *Reader) activateLocked(data []byte, sealed bool) {
	request, status := parseActivation(data)
	if status != neo2.OK {
		r.answerLocked(neo2.Activate, status, nil)
		return
	}
	t := &transaction{request: request, sealed: sealed}
	t.timer = time.AfterFunc(request.timeout, func() { r.timeOut(t) })
	r.waiting = t
	r.sendLocked(neo2.Frame{Command: neo2.Screen, Sub: neo2.ScreenSub, Data: []byte{neo2.ShowPresent}})
	switch {
	case r.queued != nil:
		card := *r.queued
		r.queued = nil
		r.readCardLocked(card)
	case r.slot.card != nil && r.slot.fresh:
		r.seatedLocked()
	}
}

func (r *Reader) timeOut(t *transaction) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == t {
		r.waiting = nil
		r.answerLocked(neo2.Activate, neo2.TimedOut, nil)
	}
}

// readCardLocked is the moment a card meets a reader that waits for one.
func (r *Reader) readCardLocked(card TestCard) {
	request, sealed := r.waiting.request, r.waiting.sealed
	r.forgetLocked()
	r.news = true
	if card.Entry != entrySwiped {
		r.sendLocked(neo2.Frame{Command: neo2.Activate, Sub: neo2.UserInterface, Data: []byte{neo2.CardFound}})
	}
	r.sendLocked(neo2.Frame{Command: neo2.Screen, Sub: neo2.ScreenSub, Data: []byte{neo2.ShowProcessing}})
	r.total++
	r.counter[card.Name]++
	var status byte
	var data []byte
	if sealed {
		status, data = r.sealedAnswer(card, request, r.counter[card.Name], r.now())
	} else {
		status, data = answerOf(card, request, r.counter[card.Name], r.total, r.now())
	}
	r.answerLocked(neo2.Activate, status, data)
}

// forgetLocked ends a transaction without a word.
func (r *Reader) forgetLocked() {
	if r.waiting != nil {
		r.waiting.timer.Stop()
		r.waiting = nil
	}
}

// answerLocked sends one answer, damaged if that was asked for.
func (r *Reader) answerLocked(command, status byte, data []byte) {
	frame := neo2.Frame{Command: command, Sub: status, Data: data}
	if !r.faults.garbage {
		r.sendLocked(frame)
		return
	}
	r.faults.garbage = false
	wire := frame.Append([]byte(lineNoise), neo2.HighFirst)
	wire[len(wire)-1] ^= 0x55
	wire[len(wire)-2] ^= 0xAA
	r.putLocked(wire)
}

// lineNoise holds the beginning of a header, to be mistaken for one.
const lineNoise = "\x00\xff\x13ViViVOtech\x80\x7eViVO"

// nonsenseLocked answers with whole frames that mean nothing, in three ways by turns.
func (r *Reader) nonsenseLocked(command byte) {
	r.faults.spoken++
	switch r.faults.spoken % 3 {
	case 1:
		r.sendLocked(neo2.Frame{Command: 0x77, Sub: 0x42, Data: []byte("????")})
	case 2:
		r.sendLocked(neo2.Frame{Command: command, Sub: 0xEE, Data: []byte{0xDE, 0xAD}})
	default:
		r.sendLocked(neo2.Frame{Command: command ^ 0x80, Sub: neo2.OK, Data: []byte{0x7F}})
	}
}

func (r *Reader) sendLocked(f neo2.Frame) { r.putLocked(f.Append(nil, neo2.HighFirst)) }

func (r *Reader) putLocked(wire []byte) {
	if r.session == nil || r.faults.silent {
		return
	}
	say := said{wire, r.news, r.session.start.Load()}
	r.news = false
	select {
	case r.session.out <- say:
	default: // nobody listens: lost, as on a line
	}
}
