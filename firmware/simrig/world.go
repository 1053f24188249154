package simrig

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"posagent/device/devicetest"
	"posagent/device/scanner"
	"posagent/firmware/agent"
	"posagent/firmware/scenario"
	"posagent/link"
	"posagent/link/linktest"
	"posagent/printer/printertest"
)

// World is a rig in virtual time: it must be made, used and closed inside one bubble of testing/synctest.
type World struct {
	o       Options
	ctx     context.Context
	end     context.CancelFunc
	sensor  *sensor
	trace   *trace // nil keeps none
	log     *logbook
	options agent.Options

	acquirer *linktest.Acquirer
	machines sync.WaitGroup
	reader   *port
	printer  *port
	modem    *port
	scanner  *port
	network  *network
	pinpad   *port     // nil where the terminal has no PIN pad
	switches *switches // nil where it has no lines
	card     *devicetest.Reader
	scan     *devicetest.Scanner
	pad      *devicetest.PinPad
	paper    *printertest.Printer
	phone    *linktest.Modem

	files       remainsReader // what is read of a life's files lasts until the next life has them
	firstFamily []byte        // the file of its DUKPT keys as it was delivered; lives follow one another

	mu          sync.Mutex // guards everything below
	throws      map[string]*rand.Rand
	laid        map[string]int
	clock       time.Duration // by which the terminal's wall clock is wrong
	faults      []error       // of the world itself: nothing that it says may be believed then
	life        *life
	lives       int
	cuts        map[string]int // by what they fell upon
	upon        string         // what is happening now
	healing     bool
	happened    map[string]int // faults by kind
	secrets     secretKeeper
	shown       map[string]bool // payment codes, by their names in stories
	technician  bool            // was here, and nobody has seen it yet
	overheard   []string        // what passed on wires in clear that must not
	clearReader bool            // the reader was told to give card data in clear
	smudged     [][2]int        // slips, first and last, that were printed over a noisy line
}

var _ scenario.Rig = (*World)(nil)

// Wires as they are when nothing is wrong with them.
var (
	readerWire  = WireOpts{Name: "reader", Baud: 115200, Latency: 100 * time.Microsecond, Jitter: time.Millisecond, Chunk: 4 * chunkUSB}
	printerWire = WireOpts{Name: "printer", Baud: 115200, Latency: 100 * time.Microsecond, Jitter: time.Millisecond, Chunk: 4 * chunkUSB}
	pinpadWire  = WireOpts{Name: "pinpad", Baud: 9600, Latency: 100 * time.Microsecond, Jitter: time.Millisecond, Chunk: chunkUSB}
	scannerWire = WireOpts{Name: "scanner", Baud: 9600, Latency: 100 * time.Microsecond, Jitter: time.Millisecond, Chunk: chunkUSB}
	modemWire   = WireOpts{Name: "modem", Baud: 9600, Latency: 100 * time.Microsecond, Jitter: time.Millisecond, Chunk: 16}
	phoneWire   = WireOpts{Name: "phone", Latency: 40 * time.Millisecond, Jitter: 30 * time.Millisecond, Chunk: 512}
)

// New makes a world with power on and the terminal started.
func New(o Options) (*World, error) {
	w := &World{o: o, sensor: newSensor(), log: &logbook{level: o.Level}, throws: map[string]*rand.Rand{}, laid: map[string]int{}, happened: map[string]int{}, cuts: map[string]int{}, shown: map[string]bool{}}
	if o.Trace {
		w.trace = &trace{}
	}
	var err error
	if w.options, err = agentOptions(); err != nil {
		return nil, err
	}
	if o.Profile != nil {
		w.options.Profile = o.Profile
	}
	w.options.Lights, w.options.Beeps = o.Lines, o.Lines
	w.secrets.known = o.Cards.Secrets
	w.ctx, w.end = context.WithCancel(context.Background())
	base, err := w.baseKeys()
	if err != nil {
		return nil, err
	}
	data, err := w.dataKey()
	if err != nil {
		return nil, err
	}
	w.acquirer = linktest.NewAcquirer(linktest.AcquirerOpts{Accounts: o.Cards.Accounts, TMK: masterKey, DUKPT: base,
		Terminals: map[string]string{terminalID: merchantID}, Profile: w.options.Profile, Rand: keyDice{stream(o.Seed, "keys"), w.learn}, Now: today})
	w.card = devicetest.NewReader(devicetest.ReaderOpts{Cards: o.Cards.Reader, DataKey: data, Secret: w.learn, Now: today, CardRead: func() {
		w.saw("reader", "a card was read")
		w.sensor.happens(scenario.Event{Kind: scenario.CardRead})
	}})
	if o.PlantClearReader {
		if _, err := w.card.Command("cipher off"); err != nil {
			return nil, err
		}
	}
	w.paper = printertest.New(printertest.Opts{Columns: w.options.Print.Columns, Line: func() {
		w.sensor.happens(scenario.Event{Kind: scenario.Printing})
	}})
	w.phone = linktest.NewModem(linktest.ModemOpts{PhoneBook: map[string]string{phoneNumber: "the acquirer"}, Dial: w.ring})
	w.reader = newPort(w, readerWire, func(ctx context.Context, c net.Conn) { _ = w.card.Serve(ctx, c) })
	w.printer = newPort(w, printerWire, func(ctx context.Context, c net.Conn) { _ = w.paper.Serve(ctx, c) })
	w.scan = devicetest.NewScanner(devicetest.ScannerOpts{Host: w.options.ScannerKind == scanner.GM72})
	w.scanner = newPort(w, scannerWire, func(ctx context.Context, c net.Conn) { _ = w.scan.Serve(ctx, c) })
	w.modem = newPort(w, modemWire, func(ctx context.Context, c net.Conn) { _ = w.phone.Serve(ctx, c) })
	if o.PINPad {
		w.pad = devicetest.NewPinPad(devicetest.PinPadOpts{MasterKey: masterKey, Cards: o.Cards.Reader, Secret: w.learn})
		if _, err := w.pad.Command("pin given"); err != nil {
			return nil, err
		}
		w.pinpad = newPort(w, pinpadWire, func(ctx context.Context, c net.Conn) { _ = w.pad.Serve(ctx, c) })
	}
	if o.Lines {
		w.switches = newSwitches()
	}
	w.network = newNetwork(w)
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if w.life, err = w.boot(w.nextDir()); err != nil {
		w.end()
		return nil, err
	}
	return w, w.answering()
}

// opening is the wall clock of the acquirer when a world begins: a Monday morning.
var opening = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// today is the acquirer's clock, which is right.
func today() time.Time { return opening.Add(time.Since(epoch)) }

// Now is the terminal's wall clock, which may be wrong.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return today().Add(w.clock)
}

// ring is the telephone network.
func (w *World) ring(context.Context, string) (net.Conn, error) {
	wire := w.lay(phoneWire)
	w.machines.Go(func() { _ = w.acquirer.ServeConn(w.ctx, wire.Far, link.SelfDelimited) })
	return wire.Near, nil
}

// lay makes the next wire of its name.
func (w *World) lay(o WireOpts) *Wire {
	w.mu.Lock()
	w.laid[o.Name]++
	nth := w.laid[o.Name]
	w.mu.Unlock()
	return newWire(w.listen(o), w.o.Seed, nth)
}

// throw gives a number below n, from the dice of that name.
func (w *World) throw(name string, n int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.diceLocked(name).Int64N(n)
}

func (w *World) diceLocked(name string) *rand.Rand {
	d, there := w.throws[name]
	if !there {
		d = stream(w.o.Seed, name)
		w.throws[name] = d
	}
	return d
}

// dice are those of a name, for one goroutine at a time.
func (w *World) dice(name string) *rand.Rand {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.diceLocked(name)
}

// broken notes that the world itself failed.
func (w *World) broken(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Errorf("the simulated world is broken: "+format, args...))
}

// Till implements scenario.Rig.
func (w *World) Till() (net.Conn, error) {
	l := w.living()
	if l == nil {
		return nil, errPower
	}
	return l.socket.dial()
}

func (w *World) living() *life {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life == nil || w.life.dead() {
		return nil
	}
	return w.life
}

// On implements scenario.Rig.
func (w *World) On(e scenario.Event, do func()) {
	w.sensor.arm(e, func() {
		w.happening(sort(e.Kind))
		do()
		w.happening("")
	})
}

func (w *World) happening(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.upon = what
}

// Steps implements scenario.Rig.
func (w *World) Steps() map[scenario.Event]int { return w.sensor.steps() }

// Wait implements scenario.Rig.
func (w *World) Wait(d time.Duration) error { time.Sleep(d); return nil }

// Patience implements scenario.Rig. Three reversals that are each answered by nobody over both bearers take ten minutes.
func (w *World) Patience() time.Duration { return time.Hour }

// Lag implements scenario.Rig: what takes time here takes the story's.
func (w *World) Lag() time.Duration { return 0 }

// Close implements scenario.Rig.
func (w *World) Close() error {
	w.mu.Lock()
	l := w.life
	w.mu.Unlock()
	l.die()
	err := l.bury()
	w.end()
	w.machines.Wait()
	return errors.Join(append(w.faults, err, os.RemoveAll(filepath.Clean(w.o.Dir)))...)
}
