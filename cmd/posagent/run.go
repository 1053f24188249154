package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"posagent/device/serial"
	"posagent/firmware/agent"
	"posagent/link"
	"posagent/link/iso8583"
	"posagent/link/modem"
	"posagent/printer"
	"posagent/printer/receipt"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// runAgent opens the store and the socket, then serves until ctx ends.
func (c *command) runAgent(ctx context.Context) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	log := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: logLevel()}))
	tmk, err := readKey(config.path(config.Acquirer.KeyFile), 16)
	if err != nil {
		return c.fail(fmt.Errorf("acquirer.key_file: %w", err))
	}
	store, err := config.openStore(log)
	if err != nil {
		return c.fail(err)
	}
	defer store.Close()
	socket, err := listen(config.path(config.Socket.Path))
	if err != nil {
		return c.fail(err)
	}
	options, err := config.options(tmk)
	if err != nil {
		return c.fail(err)
	}
	for _, absent := range config.absent() {
		log.Warn("not there yet", "what", absent)
	}
	a, err := agent.New(agent.Wires{
		Reader:  config.opener(config.Reader.Port, config.Reader.Baud, false),
		Printer: config.opener(config.Printer.Port, config.Printer.Baud, false),
		Bearers: config.bearers(),
		Store:   store, Socket: socket, Now: time.Now, Log: log,
	}, options)
	if err != nil {
		return c.fail(err)
	}
	if err := a.Run(ctx); err != nil {
		return c.fail(err)
	}
	return exitDone
}

func logLevel() slog.Level {
	if os.Getenv("POSAGENT_DEBUG") != "" {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// openStore makes the device key at the first start and never afterwards: a missing key beside an old store is an alarm.
func (c *Config) openStore(log *slog.Logger) (*txnstore.Store, error) {
	o, err := c.storeOptions(true)
	if err != nil {
		return nil, err
	}
	store, report, err := txnstore.Open(c.path(c.Store.Dir), o)
	if err != nil {
		return nil, err
	}
	for _, finding := range report.Findings {
		log.Warn("store", "found", finding)
	}
	log.Info("store open", "new", report.New, "boot", report.Boot, "owed", report.Owed)
	return store, nil
}

func (c *Config) storeOptions(mayMakeKey bool) (*txnstore.Options, error) {
	keyFile, dir := c.path(c.Store.KeyFile), c.path(c.Store.Dir)
	if _, err := os.Stat(keyFile); errors.Is(err, fs.ErrNotExist) && mayMakeKey {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if len(entries) > 0 {
			return nil, fmt.Errorf("store.key_file: %s is missing and %s is not empty; restore the key of this store from its safe copy", keyFile, dir)
		}
		if err := makeKey(keyFile); err != nil {
			return nil, fmt.Errorf("store.key_file: %w", err)
		}
	}
	key, err := readKey(keyFile, 32)
	if err != nil {
		return nil, fmt.Errorf("store.key_file: %w", err)
	}
	return &txnstore.Options{Terminal: c.Terminal.ID, Merchant: c.Terminal.Merchant, Key: key, Now: time.Now}, nil
}

// makeKey is durable before it returns: a store sealed with a key that a power cut took away would be lost.
func makeKey(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, by its contract
	temp := path + ".new"
	if err := os.WriteFile(temp, []byte(hex.EncodeToString(key)+"\n"), 0o600); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return syncPath(temp) },
		func() error { return os.Rename(temp, path) },
		func() error { return syncPath(filepath.Dir(path)) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// listen takes over a socket file that a killed agent left, and refuses one that a living agent answers on.
func listen(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("another agent already listens on %s; stop it first", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket.path: %w", err)
	}
	return l, os.Chmod(path, 0o660)
}

// opener opens a line by the configuration's words: a tty, or unix:PATH where a bench has put a socket in its place.
func (c *Config) opener(port string, baud int, hangUp bool) agent.Opener {
	if path, isSocket := strings.CutPrefix(port, "unix:"); isSocket {
		return func() (agent.Port, error) { return net.Dial("unix", c.path(path)) }
	}
	return func() (agent.Port, error) {
		return serial.Open(c.path(port), serial.Options{Baud: baud, HangupOnClose: hangUp})
	}
}

func (c *Config) bearers() []link.Bearer {
	var all []link.Bearer
	for _, b := range c.Bearers {
		bearer := link.Bearer{Name: b.Name, Framing: link.LengthPrefixed, Connect: b.Connect.Duration}
		if b.Kind == "tcp" {
			bearer.Dialer = link.TCP{Address: b.Address}
		} else {
			if !b.Prefix {
				bearer.Framing = link.SelfDelimited
			}
			if bearer.Connect == 0 {
				bearer.Connect = 90 * time.Second // modem.Opts.Carrier and the commands around it
			}
			bearer.Dialer = agent.Dialup{Open: c.opener(b.Port, b.Baud, true), Lines: modemLines,
				Opts: modem.Opts{Number: b.Number, Carrier: b.Connect.Duration, Guard: b.Guard.Duration}}
		}
		all = append(all, bearer)
	}
	return all
}

// modemLines gives the modem driver DTR and DCD where the line has them: a pty and a socket do not.
func modemLines(p agent.Port, o *modem.Opts) {
	port, isSerial := p.(*serial.Port)
	if !isSerial {
		return
	}
	if _, err := port.Lines(); err != nil {
		return
	}
	o.DTR = port.SetDTR
	o.DCD = func() (bool, error) {
		lines, err := port.Lines()
		return lines.DCD, err
	}
}

func (c *Config) options(tmk []byte) (agent.Options, error) {
	currency, err := txn.CurrencyOf(c.Terminal.Currency)
	if err != nil {
		return agent.Options{}, err
	}
	header, err := link.ParseHeader(c.Acquirer.TPDU, c.Acquirer.Header)
	if err != nil {
		return agent.Options{}, err
	}
	return agent.Options{
		Terminal: c.Terminal.ID, Merchant: c.Terminal.Merchant, Operator: c.Terminal.Operator, Currency: currency, TMK: tmk,
		Dialect: iso8583.UnionPay(), Header: header, Answer: c.Acquirer.Answer.Duration, Idle: c.Acquirer.Idle.Duration,
		MACOnDeclines: c.Acquirer.MACOnDeclines, ReversalTries: c.Acquirer.ReversalTries, Lookalike: c.Acquirer.Lookalike.Duration,
		Retry: c.Acquirer.Retry.Duration, PaperRetry: c.Printer.Retry.Duration, Tidy: c.Store.Tidy.Duration,
		CardWait: c.Reader.CardWait.Duration, ReaderReply: c.Reader.Reply.Duration,
		Print: printer.Opts{Columns: c.Printer.Columns, Answer: c.Printer.Reply.Duration, Print: c.Printer.Print.Duration,
			CutAfter: true, Proof: printer.ProofMode(c.Printer.Proof)},
		Layout: receipt.Layout{Columns: c.Printer.Columns, MerchantName: c.Terminal.Name, Thanks: c.Terminal.Thanks},
	}, nil
}

// books reads transactions: from the running agent, or from the files when none runs.
func (c *command) books(ctx context.Context, q agent.Request, fromFiles func(*txnstore.Viewer) (agent.Event, error)) (agent.Event, error) {
	config, err := readConfig(c.config)
	if err != nil {
		return agent.Event{}, err
	}
	client, err := agent.Dial(config.path(config.Socket.Path))
	if err == nil {
		defer client.Close()
		return client.Ask(ctx, q, nil)
	}
	if fromFiles == nil {
		return agent.Event{}, err
	}
	o, err := config.storeOptions(false)
	if err != nil {
		return agent.Event{}, err
	}
	view, err := txnstore.View(config.path(config.Store.Dir), o)
	if err != nil {
		return agent.Event{}, err
	}
	defer view.Close()
	return fromFiles(view)
}

// find reads one record by its ID or by the caller's reference.
func find(view *txnstore.Viewer, q agent.Request) (txn.Txn, error) {
	if q.Reference == "" {
		return view.Get(txn.ID(q.ID))
	}
	x, found, err := view.ByReference(q.Reference)
	if err == nil && !found {
		err = fmt.Errorf("no transaction has the reference %q", q.Reference)
	}
	return x, err
}

// named reads what a person called a transaction: a number is its ID, anything else its reference.
func named(what string) agent.Request {
	if id, err := strconv.ParseUint(what, 10, 64); err == nil {
		return agent.Request{ID: id}
	}
	return agent.Request{Reference: what}
}
