package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/gpio"
	"posagent/link"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/printer"
	"posagent/printer/printertest"
	"posagent/printer/receipt"
	"posagent/txnstore"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

const (
	testTerminal = "30010001"
	testMerchant = "898110054110001"
)

var testTMK = []byte("0123456789abcdeF")

// world is the real agent between simulated machines, in virtual time: real drivers, real codec, real bbolt.
type world struct {
	t           *testing.T
	ctx         context.Context // the story's
	dir         string
	acquirer    *linktest.Acquirer
	line        *linktest.Line
	bearers     []link.Bearer // nil is the line alone
	reader      *devicetest.Reader
	otherReader func(context.Context, net.Conn) // nil is reader
	printer     *printertest.Printer
	pad         *devicetest.PinPad  // nil until a story plugs one in
	codes       *devicetest.Scanner // likewise
	chip        *devicetest.Chip    // with no line in use unless a story opens some
	lines       *gpio.Lines
	marks       *Marks
	wiped       int
	log         *logbook
	logger      *slog.Logger // one for all boots: what a cut left running may still write
	options     Options
	files       Files             // where downloads are kept
	books       func(Store) Store // what stands between the agent and its store; nil is nothing
	sales       int

	printerGone atomic.Bool // its cable is pulled

	agent   *Agent
	store   *txnstore.Store
	powered context.CancelFunc
	ended   chan error
}

// logbook may be read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// inWorld runs a story in virtual time and holds both books against each other at its end.
func inWorld(t *testing.T, story func(w *world)) { inWorldOf(t, profile.UnionPay(), story) }

// inWorldOf is a world in which terminal and acquirer speak in a profile.
func inWorldOf(t *testing.T, p *profile.Profile, story func(w *world)) {
	inWorldWith(t, p, func(*linktest.AcquirerOpts, *Options) {}, story)
}

func inWorldWith(t *testing.T, p *profile.Profile, change func(*linktest.AcquirerOpts, *Options), story func(w *world)) {
	dir := filepath.Join(t.TempDir(), "store") // not the bubble's own: its machines end after its cleanups
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end() // a story that failed must not leave timers running for ever
		cards, err := devicetest.LoadCards(filepath.Join("..", "..", "testdata", "cards", "cards.toml"))
		require.NoError(t, err)
		accounts, err := linktest.LoadCards(filepath.Join("..", "..", "testdata", "cards", "cards.toml"))
		require.NoError(t, err)
		log := &logbook{}
		bank, options := linktest.AcquirerOpts{Accounts: accounts, TMK: testTMK, Terminals: map[string]string{testTerminal: testMerchant}, Profile: p}, Options{}
		change(&bank, &options)
		w := &world{t: t, dir: dir, log: log, logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			acquirer: linktest.NewAcquirer(bank),
			reader:   devicetest.NewReader(devicetest.ReaderOpts{Cards: cards, DataKey: dataKeyOf(t, p)}),
			printer:  printertest.New(printertest.Opts{Columns: 32}),
		}
		w.line = w.acquirer.Line(ctx, link.LengthPrefixed)
		cny, err := txn.CurrencyOf("CNY")
		require.NoError(t, err)
		var head link.Header
		copy(head.TPDU[:], []byte{0x60, 0, 6, 0, 0})
		copy(head.Application[:], []byte{0x60, 0x31, 0, 0x31, 0, 0})
		w.options = Options{Terminal: testTerminal, Merchant: testMerchant, Operator: "01", Currency: cny, TMK: testTMK,
			Profile: p, Header: head, Answer: 30 * time.Second, Idle: 10 * time.Second, ReversalTries: 3,
			Lookalike: 5 * time.Minute, Retry: time.Minute, PaperRetry: 5 * time.Second, Tidy: 30 * time.Second, CardWait: 30 * time.Second, ReaderReply: 2 * time.Second,
			Print:  printer.Opts{Columns: 32, CutAfter: true, Proof: printer.ProcessID},
			Layout: receipt.Layout{Columns: 32, MerchantName: "北风便利店"}, DUKPT: options.DUKPT}
		w.ctx, w.files = ctx, Folder(dir+".")
		w.boot()
		story(w)
		w.agree()
		w.cutPower()
	})
}

// wire gives an opener whose far end is served by a machine until the line is closed. A machine has one socket: a line
// that is opened again is served once the last one has ended.
func (w *world) wire(ctx context.Context, serve func(context.Context, net.Conn)) Opener {
	plug := make(chan struct{}, 1)
	return func() (Port, error) {
		near, far := net.Pipe()
		go func() {
			plug <- struct{}{}
			serve(ctx, far)
			_ = far.Close()
			<-plug
		}()
		return near, nil
	}
}

// pluggable is the printer's line while its cable is plugged in.
func (w *world) pluggable(open Opener) Opener {
	return func() (Port, error) {
		if w.printerGone.Load() {
			return nil, fmt.Errorf("/dev/ttyUSB1: %w", fs.ErrNotExist)
		}
		return open()
	}
}

func (w *world) boot() {
	w.t.Helper()
	var ctx context.Context
	ctx, w.powered = context.WithCancel(w.ctx)
	store, _, err := txnstore.Open(w.dir, &txnstore.Options{Terminal: testTerminal, Merchant: testMerchant, Profile: w.options.Profile.Mark, Key: bytes.Repeat([]byte{7}, 32), Now: time.Now})
	require.NoError(w.t, err)
	w.store = store
	books := Store(store)
	if w.books != nil {
		books = w.books(store)
	}
	bearers := w.bearers
	if bearers == nil {
		bearers = []link.Bearer{{Name: "ethernet", Dialer: w.line, Framing: link.LengthPrefixed}}
	}
	var pad Opener
	if w.pad != nil {
		pad = w.wire(ctx, func(ctx context.Context, c net.Conn) { _ = w.pad.Serve(ctx, c) })
	}
	var codes Opener
	if w.codes != nil {
		codes = w.wire(ctx, func(ctx context.Context, c net.Conn) { _ = w.codes.Serve(ctx, c) })
	}
	cards := w.otherReader
	if cards == nil {
		cards = func(ctx context.Context, c net.Conn) { _ = w.reader.Serve(ctx, c) }
	}
	w.agent, err = New(Wires{
		PINPad:  pad,
		Scanner: codes,
		Reader:  w.wire(ctx, cards),
		Printer: w.pluggable(w.wire(ctx, func(ctx context.Context, c net.Conn) { _ = w.printer.Serve(ctx, c) })),
		Bearers: bearers,
		Store:   books, Files: w.files, Now: time.Now, Log: w.logger,
		Lines: w.lines, Marks: w.marks, Wipe: func() error { w.wiped++; return nil },
	}, w.options)
	require.NoError(w.t, err)
	w.ended = make(chan error, 1)
	go func(a *Agent, ended chan<- error) { ended <- a.Run(ctx) }(w.agent, w.ended)
	synctest.Wait()
}

// cutPower ends this agent. Between two steps of a story nothing is in flight, so a clean end leaves the same files.
func (w *world) cutPower() {
	w.powered()
	require.NoError(w.t, <-w.ended)
	require.NoError(w.t, w.store.Close())
}

// till is one connection to the local socket.
type till struct {
	w     *world
	conn  net.Conn
	lines *bufio.Scanner
}

func (w *world) till() *till {
	near, far := net.Pipe()
	go w.agent.client(context.Background(), far)
	lines := bufio.NewScanner(near)
	lines.Buffer(nil, MaxLine)
	return &till{w, near, lines}
}

func (c *till) send(q Request) {
	line, err := json.Marshal(q)
	require.NoError(c.w.t, err)
	_, err = c.conn.Write(append(line, '\n'))
	require.NoError(c.w.t, err)
}

func (c *till) next() Event {
	require.True(c.w.t, c.lines.Scan(), "the agent hung up: %v", c.lines.Err())
	var e Event
	require.NoError(c.w.t, json.Unmarshal(c.lines.Bytes(), &e))
	return e
}

// ask makes one request on a connection of its own and returns the stages seen and the event that ended it.
func (w *world) ask(q Request) ([]words.Stage, Event) {
	c := w.till()
	defer c.conn.Close()
	c.send(q)
	var stages []words.Stage
	for {
		e := c.next()
		if e.Ends() {
			return stages, e
		}
		if len(stages) == 0 || stages[len(stages)-1] != e.Stage {
			stages = append(stages, e.Stage)
		}
	}
}

func (w *world) sell(card, amount string) Event {
	w.t.Helper()
	w.sales++
	return w.sellAs(fmt.Sprintf("till-%d", w.sales), card, amount, false)
}

func (w *world) sellAs(reference, card, amount string, again bool) Event {
	w.t.Helper()
	if card != "" {
		w.do(w.reader.Command("present " + card))
	}
	_, e := w.ask(Request{Op: "sale", Reference: reference, Amount: amount, Again: again})
	return e
}

func (w *world) do(_ string, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
}

func (w *world) fault(text string) { w.do(w.acquirer.Command("fault " + text)) }

// after lets the agent's timers run.
func (w *world) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// paper counts slips that carry all of the words.
func (w *world) paper(all ...string) int {
	n := 0
	for _, s := range w.printer.Slips() {
		found := true
		for _, word := range all {
			found = found && strings.Contains(s, word)
		}
		if found {
			n++
		}
	}
	return n
}

// agree is the judge: approved here ⇔ it stands at the acquirer, and no card number in the log. What people must look at
// may stand there or not, and what they closed stands as they said.
func (w *world) agree() {
	w.t.Helper()
	ledger := w.acquirer.Ledger()
	require.NoError(w.t, ledger.Check())
	type key struct{ batch, stan uint32 }
	here, there := map[key]txn.Txn{}, map[key]linktest.Row{}
	require.NoError(w.t, w.store.Since(0, func(x txn.Txn) error { here[key{x.Batch, x.STAN}] = x; return nil }))
	for _, row := range ledger.Terminals[testTerminal].Rows {
		there[key{row.Batch, row.STAN}] = row
		if !row.Stands() {
			continue
		}
		x, known := here[key{row.Batch, row.STAN}]
		assert.True(w.t, known, "stands there and unknown here: %06d", row.STAN)
		if x.State != txn.Suspense && !(x.State == txn.Resolved && x.Resolved.Charged) {
			assert.Equal(w.t, txn.Approved, x.State, "stands there: %06d", row.STAN)
		}
	}
	for k, x := range here {
		if x.State == txn.Approved {
			row := there[k]
			assert.True(w.t, row.Stands() && row.Kind.String() == string(x.Kind) && (row.Held+row.Back == x.Amount || !x.Kind.Settled()), "approved here, and there %+v", row)
		}
	}
	synctest.Wait()
	for _, digits := range []string{"4242424242424242", "6200000000000005", "6224242900000113", "5555555555554444"} {
		assert.NotContains(w.t, w.log.String(), digits)
	}
}

func approved(t *testing.T, e Event) {
	t.Helper()
	require.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
}
