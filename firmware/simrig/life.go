package simrig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"posagent/firmware/agent"
	"posagent/link"
	"posagent/link/modem"
	"posagent/link/profile"
	"posagent/txnstore"
)

// life is the terminal from power-on to power-off: the production agent with a store on real files, and what it has
// opened. Each life has a directory of its own, so that whatever a dead one still does reaches nobody.
type life struct {
	world  *World
	dir    string
	off    atomic.Bool
	store  *txnstore.Store
	marks  *agent.Marks // nil where the terminal has no lines
	socket *socket
	cancel context.CancelFunc
	ended  chan error
	died   time.Duration // when; readable once ended

	mu     sync.Mutex // guards everything below
	wires  []*Wire
	left   remains // what a cut leaves, where that is not the files as they stand
	buried bool
}

func (l *life) dead() bool { return l.off.Load() }

func (w *World) open(dir string) (*txnstore.Store, txnstore.Report, error) {
	store, report, err := txnstore.Open(dir, &txnstore.Options{Terminal: terminalID, Merchant: merchantID, Profile: w.options.Profile.Mark, Key: storeKey, Now: w.Now})
	if err != nil {
		return nil, report, fmt.Errorf("the store does not open on what a power cut left: %w", err)
	}
	return store, report, nil
}

// boot opens the files and starts the agent. An error of the store is the world's to judge: it must never refuse what a
// power cut left.
func (w *World) boot(dir string) (*life, error) {
	l := &life{world: w, dir: dir, socket: newSocket(w), ended: make(chan error, 1)}
	store, report, err := w.open(dir)
	if err != nil {
		return nil, err
	}
	l.store = store
	for _, found := range report.Findings {
		w.saw("store", "found: %s", found)
	}
	w.saw("store", "opened, boot %d, %d owed", report.Boot, report.Owed)
	options := w.options
	options.Print.FirstID = 1 + uint32(w.throw("boot", 1<<31))
	wires := agent.Wires{
		Reader:  w.reader.opener(l),
		Printer: w.printer.opener(l),
		Scanner: w.scanner.opener(l),
		Bearers: []link.Bearer{
			{Name: "ethernet", Framing: link.LengthPrefixed, Dialer: l.telling(w.network.dialer(l), link.LengthPrefixed, nil)},
			{Name: "dial", Framing: link.SelfDelimited, Connect: dialWithin, Dialer: l.telling(agent.Dialup{Open: w.modem.opener(l),
				Opts: modem.Opts{Number: phoneNumber, Carrier: dialWithin}}, link.SelfDelimited, w.modem)},
		},
		Store: l.books(), Files: l.files(), Socket: l.socket, Now: w.Now, Log: w.log.logger(l),
	}
	if w.pinpad != nil {
		wires.PINPad = w.pinpad.opener(l)
	}
	if err := l.take(&wires); err != nil {
		return nil, errors.Join(err, store.Close(), l.marks.Close())
	}
	if options.DUKPT, err = l.family(); err != nil {
		return nil, errors.Join(err, store.Close(), l.marks.Close())
	}
	a, err := agent.New(wires, options)
	if err != nil {
		return nil, errors.Join(err, store.Close(), l.marks.Close())
	}
	ctx, cancel := context.WithCancel(w.ctx)
	l.cancel = cancel
	go func() { l.ended <- a.Run(ctx) }()
	return l, nil
}

// books is the store as the agent sees it.
func (l *life) books() agent.Store {
	var s agent.Store = &poweredStore{l.store, l}
	if plant := l.world.o.PlantStore; plant != nil {
		s = plant(s)
	}
	return s
}

// die is the power cut. It returns at once.
func (l *life) die() {
	if l.off.Swap(true) {
		return
	}
	l.died = since()
	l.mu.Lock()
	wires := slices.Clone(l.wires)
	l.mu.Unlock()
	if l.left == nil {
		var err error
		if l.left, err = l.world.files.read(l.dir); err != nil {
			l.world.broken("reading the store's files: %v", err)
		}
	}
	for _, w := range wires {
		w.Break(errPower)
	}
	_ = l.socket.Close()
	l.socket.cut()
	l.cancel()
}

// darkness is the least time without power, and the grain of longer times: how long a dead terminal's goroutines take to
// find out must not decide when the next life begins.
const darkness = 5 * time.Second

// leaves is what a cut would leave from now on; nil is the files as they stand.
func (l *life) leaves(r remains) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = r
}

// bury waits until nothing of a dead life runs any more, and removes its files.
func (l *life) bury() error {
	l.mu.Lock()
	again := l.buried
	l.buried = true
	l.mu.Unlock()
	if again {
		return nil
	}
	<-l.ended // with the errors of a dead store
	dark := since() - l.died
	time.Sleep(max(0, (l.died+darkness*(dark/darkness+1))-since()))
	return errors.Join(l.store.Close(), l.marks.Close(), os.RemoveAll(l.dir))
}

// insideCommit composes what a cut in the middle of the commit that has just been made would leave, and lets happen what
// is armed for it. Without a cut the commit stands.
func (l *life) insideCommit(before remains, what string, happens func()) {
	after, err := l.world.files.read(l.dir)
	if err != nil {
		l.world.broken("reading the store's files: %v", err)
	}
	left, how := half(before, after, l.world.dice("half "+what))
	l.leaves(left)
	happens()
	if l.dead() {
		l.world.saw("power", "failed inside commit %s: %s", what, how)
		return
	}
	l.leaves(nil)
}

// lay opens a wire of this life. It ends with it.
func (l *life) lay(o WireOpts) (*Wire, error) {
	w := l.world.lay(o)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead() { // asked for under the lock: die breaks every wire that is in the list
		return nil, errPower
	}
	l.wires = slices.DeleteFunc(l.wires, func(o *Wire) bool { return o.toNear.over() != nil })
	l.wires = append(l.wires, w)
	return w, nil
}

// nextDir names the directory of the next life.
func (w *World) nextDir() string {
	w.lives++
	return filepath.Join(w.o.Dir, fmt.Sprintf("life-%d", w.lives))
}

var dialect = profile.UnionPay().Dialect
