package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"posagent/device/pinpad"
	"posagent/device/reader"
	"posagent/device/scanner"
	"posagent/firmware/terminal"
	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/profile"
	"posagent/txnstore/txn/words"
)

// Agent is the running program.
type Agent struct {
	o        Options
	log      *slog.Logger
	store    Store
	line     *link.Link
	host     *acquirer.Host
	terminal *terminal.Terminal
	card     *cardReader
	wires    Wires
	guard    guard
	signs    signs

	alarms *alarms
	orders *orderBook
	listed downloaded   // the acquirer's blocklist
	chips  schemes      // its keys and applications
	paper  *slipPrinter // its drive and layout are guarded by the engine's turn

	started          time.Time
	dials, connected atomic.Int64
	wake             chan struct{} // asks for a round soon
	owed             lasting       // what keeps a round from settling everything; the rounds' own

	mu     sync.Mutex
	set    ParameterSet       // of the acquirer, in force
	errand context.CancelFunc // ends what an order began
	traded time.Time          // when a transaction ended last
	beat   context.CancelFunc // ends the heartbeat in progress
	sales  []*saleView        // what people wait for, fed by the engine and by the line; a second one is being refused
	known  Status             // the figures read last, for the time of a store fault
	named  uint32             // the batch that the acquirer named last, at a sign-in
}

// New puts drivers on wires and the engine on the drivers. It touches no line. Its errors name options with which no
// sale could succeed.
func New(w Wires, o Options) (*Agent, error) {
	if w.Now == nil {
		w.Now = time.Now
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	if o.Profile == nil {
		o.Profile = profile.UnionPay()
	}
	a := &Agent{o: o, log: w.Log, store: w.Store, wires: w, wake: make(chan struct{}, 1), signs: newSigns(),
		orders: newOrderBook(o.OrderQuiet, o.OrderRetry), started: time.Now()}
	var err error
	if a.alarms, err = openAlarms(o.AlarmFile, w.Now); err != nil {
		w.Log.Error("the alarms of earlier runs cannot be read and are counted anew", "cause", err)
	}
	if err := begunOtherwise(w.Store, o.Profile); err != nil {
		return nil, err
	}
	in := a.openParameters()
	a.openBlocklist()
	a.openSchemes()
	o.Header.Frame = o.Profile.Frame
	a.line = link.New(link.Options{Dialect: o.Profile.Dialect, Header: o.Header, Bearers: w.Bearers, Answer: in.answer, Idle: o.Idle, Return: o.Return,
		Stray: a.stray, Progress: a.lineStage, Held: a.guard.held})
	far := acquirer.Options{Terminal: o.Terminal, Merchant: o.Merchant, Operator: o.Operator, TMK: o.TMK,
		STAN: w.Store.NextSTAN, Batch: w.Store.Batch, AdoptBatch: a.adoptBatch, MAC: o.MAC, EncryptTracks: o.EncryptTracks, DUKPT: o.DUKPT, MACOnDeclines: o.MACOnDeclines, Profile: o.Profile, Now: w.Now, Zone: o.Layout.Zone, Misrouted: a.misrouted,
		Ordered: func(digit byte) { a.orders.given(digit, time.Now()) }, BlocklistSlot: o.BlocklistSlot}
	if err := far.Check(); err != nil {
		return nil, err
	}
	a.host = acquirer.New(a.line, far)
	a.o.TMK = nil // only the host needs it
	a.card = &cardReader{open: w.Reader, kind: o.ReaderKind, wait: o.CardWait, opts: reader.Opts{Answer: o.ReaderReply, Events: a.readerPrompt, Fallback: o.Fallback, Lights: o.Lights,
		Sealed: a.masked()},
		check: selfCheck{wanted: o.SelfCheck, margin: o.CardWait + o.Answer + saleRest, now: w.Now}, certificates: o.Profile.Certificates}
	a.paper = &slipPrinter{open: w.Printer, layout: o.Layout, opts: o.Print, lines: w.Lines}
	a.paper.layout.MerchantName = in.name
	var pins terminal.PINPad
	if w.PINPad != nil && !a.masked() { // a PIN block is made with the whole number
		pins = &pinPad{open: w.PINPad, opts: pinpad.Opts{Answer: o.PINReply}, prompt: o.PINPrompt, wait: o.PINWait, key: a.host.PINKey, dukpt: o.Profile.PINSerial != 0}
	}
	var codes terminal.Scanner
	if w.Scanner != nil && o.Profile.Form(profile.SaleByCode).Type != "" {
		codes = &codeScanner{open: w.Scanner, opts: scanner.Opts{Kind: o.ScannerKind, Routes: o.Routes, Key: w.Store.CodeKey(), Wait: o.ScanWait, Answer: o.ScanReply}}
		if o.Preconnect {
			codes = eagerScanner{codes, a.line, o.ScanWait}
		}
	}
	a.terminal = terminal.New(w.Store, tellingHost{a.host, w.Log}, a.eager(a.card), a.paper, terminal.Options{Supervisors: o.Supervisors, PINPad: pins, Scanner: codes, AsksPIN: o.Profile.AsksPIN, Held: a.guard.held, Currency: o.Currency, Operator: o.Operator,
		ReversalTries: in.tries, ReversalEnds: o.ReversalEnds, Lookalike: o.Lookalike, MaxRefund: o.MaxRefund, MaxCharge: o.MaxCharge, MaxDay: o.MaxDay,
		MaxCardDay: o.MaxCardDay, MaxCardCount: o.MaxCardCount, Bins: o.Bins, OtherBins: o.OtherBins, Blocked: a.blocked(), Masked: a.masked(), MaxBatch: o.MaxBatch, CompletionCap: o.CompletionCap, Now: w.Now})
	return a, nil
}

// masked reports whether the card reader keeps numbers to itself.
func (a *Agent) masked() bool { return a.o.Profile.Tracks == profile.ReaderTracks }

// saleRest is what a sale takes besides the wait for a card and for the acquirer: reading a chip and completing it.
const saleRest = 30 * time.Second

// errOnceMore has a sign-in repeated.
var errOnceMore = errors.New("the acquirer names a batch that is new here, and must name it once more")

// adoptBatch follows the acquirer's batch upwards. A lower one would let STANs repeat within a batch, so the terminal
// keeps its own and says so. For the same reason there is no way back from one that is too high, and a sign-in carries no
// MAC: one bit that falls over on a telephone line must not end all trade, so a new batch is named twice.
func (a *Agent) adoptBatch(n uint32) error {
	own := a.store.Batch()
	a.mu.Lock()
	again := a.named == n
	a.named = n
	a.mu.Unlock()
	switch {
	case n < own:
		a.log.Warn("the acquirer named an older batch; the terminal keeps its own", "acquirer", n, "own", own)
		return nil
	case n > own && !again:
		a.log.Info("the acquirer names a new batch; asking once more", "acquirer", n, "own", own)
		return errOnceMore
	}
	return a.store.AdoptBatch(n)
}

// Run serves until ctx ends. A sale in progress then is finished first: from its commit on, only the acquirer or a timer
// ends it.
func (a *Agent) Run(ctx context.Context) error {
	switch err := a.terminal.DecideOwed(ctx); {
	case faultOf(err) != "":
		a.log.Error("what the last run left open cannot be decided yet", "cause", err) // each round tries again
	case err != nil:
		return fmt.Errorf("what the last run left open cannot be decided: %w", err)
	}
	a.wakeGuard()
	status := a.Status()
	a.log.Info("ready", "owed", status.Owed, "suspense", status.Suspense, "paper_owed", status.PaperOwed, "boot", status.Boot, "batch", status.Batch)

	var served sync.WaitGroup
	if a.wires.Socket != nil {
		served.Go(func() { a.serve(ctx) })
	}
	served.Go(func() { a.rounds(ctx) })
	served.Go(func() { a.obeyOrders(ctx) })
	if a.o.Heartbeat > 0 {
		served.Go(func() { a.heartbeats(ctx) })
	}
	served.Go(func() { a.watchLines(ctx) })
	<-ctx.Done()
	served.Wait()
	return errors.Join(a.store.Tidy(), a.line.Close())
}

// rounds settles what is owed whenever nobody is selling: at once, on a timer, and after every sale. Once it has been
// quiet for a while the store is tidied; until then printed marks wait to ride with the next sale's commit. When several
// of these are due, because one had to wait for a sale, they are done in this order: after the sale, owed, tidy.
func (a *Agent) rounds(ctx context.Context) {
	due, quiet := time.Now(), time.Now().Add(a.o.Tidy)
	for {
		sold := pause(ctx, a.wake, min(time.Until(due), time.Until(quiet)))
		trading := a.watched() != nil // looked at before the wake, which comes before the end of a transaction
		sold = sold || pause(ctx, a.wake, 0)
		if ctx.Err() != nil {
			return
		}
		switch now := time.Now(); {
		case sold:
			a.must("the store could not make room", a.store.MakeRoom())
			wait := a.round(ctx)
			due, quiet = time.Now().Add(wait), time.Now().Add(a.o.Tidy)
		case !now.Before(due):
			wait := a.round(ctx)
			due = time.Now().Add(wait)
		case !now.Before(quiet):
			if !trading {
				a.must("the store could not be tidied", a.store.Tidy())
				a.tendReader(ctx)
			}
			quiet = time.Now().Add(a.o.Tidy)
		}
	}
}

// pause waits until it is woken, d has passed, or ctx has ended, and reports whether it was woken. With no time to wait it
// looks and returns.
func pause(ctx context.Context, wake <-chan struct{}, d time.Duration) (woken bool) {
	select {
	case <-wake:
		return true
	default:
		if d <= 0 {
			return false
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
		return true
	case <-timer.C:
	}
	return false
}

// round returns how long to wait for the next one.
func (a *Agent) round(ctx context.Context) time.Duration {
	if a.guard.held() != nil {
		return a.o.Retry // what is owed stays owed, and no try is spent on it
	}
	if err := a.terminal.Recover(ctx); ctx.Err() == nil {
		a.owed.tell(a.log, "owed", err)
	}
	if a.owesPaper() && a.o.PaperRetry < a.o.Retry {
		return a.o.PaperRetry
	}
	return a.o.Retry
}

// owesPaper reports whether a slip or a settlement report is due.
func (a *Agent) owesPaper() bool {
	due, err := a.store.OwedPaper()
	if err != nil || len(due) > 0 {
		return err == nil
	}
	reports, err := a.store.OwedReports()
	return err == nil && len(reports) > 0
}

// must logs a failure that the next round meets again.
func (a *Agent) must(what string, err error) {
	if err != nil {
		a.log.Error(what, "cause", err)
	}
}

func (a *Agent) soon() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// watch has v told what happens until over, which also has what is owed looked at.
func (a *Agent) watch(v *saleView) (over func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sales = append(a.sales, v)
	for _, ours := range []context.CancelFunc{a.beat, a.errand} {
		if ours != nil {
			ours() // a customer does not wait behind a question of ours
		}
	}
	return func() {
		a.soon()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.sales = slices.DeleteFunc(a.sales, func(one *saleView) bool { return one == v })
		if len(a.sales) == 0 {
			a.traded = time.Now()
			a.orders.stir()
			a.wantInstall()
		}
	}
}

// watched is what people wait for, or nil.
func (a *Agent) watched() *saleView {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sales) == 0 {
		return nil
	}
	return a.sales[0]
}

// readerPrompt shows what the reader wants of the person with the card.
func (a *Agent) readerPrompt(e reader.Event) {
	a.log.Debug("reader", "prompt", string(e.Prompt))
	p, worthShowing := promptOf(e.Prompt)
	if view := a.watched(); view != nil && worthShowing {
		view.prompt(p)
		a.sign(p.sign)
	}
}

// lineStage shows what the line is doing to whoever waits for a sale.
func (a *Agent) lineStage(s link.Stage) {
	a.log.Debug("line", "stage", s.String())
	switch s.Step {
	case link.Dialling:
		a.dials.Add(1)
	case link.Connected:
		a.connected.Add(1)
	}
	view := a.watched()
	if view == nil {
		return
	}
	switch s.Step {
	case link.Dialling, link.NotConnected, link.Connected:
		view.line(words.Connecting, s.String())
	case link.Sending:
		view.line(words.Sending, s.String())
	case link.Sent:
		view.line(words.Waiting, s.String())
	}
}
