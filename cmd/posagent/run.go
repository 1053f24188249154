package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"posagent/device/scanner"
	"posagent/device/serial"
	"posagent/firmware/agent"
	"posagent/firmware/supervisor"
	"posagent/firmware/terminal"
	"posagent/link"
	"posagent/link/acquirer/keys"
	"posagent/printer"
	"posagent/printer/receipt"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// runAgent opens the store and the socket, then serves until ctx ends.
func (c *command) runAgent(ctx context.Context) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	log := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: logLevel()}))
	if err := keepMemoryIn(); err != nil {
		log.Error("keys may get into a core file", "cause", err)
	}
	set, err := config.keySet()
	if err != nil {
		return c.fail(config.whyNoKeys(err))
	}
	defer set.Master.Destroy()
	store, err := config.openStore(log)
	if err != nil {
		return c.fail(err)
	}
	defer store.Close()
	socket, err := listen(config.path(config.Socket.Path))
	if err != nil {
		return c.fail(err)
	}
	config.settleKeys(set, log)
	tmk, err := set.Master.Secret()
	if err != nil {
		return c.fail(err)
	}
	options, err := config.options(tmk)
	if err != nil {
		return c.fail(err)
	}
	if options.DUKPT, err = config.openDUKPT(log); err != nil {
		return c.fail(err)
	}
	lines, err := config.lines()
	if err != nil {
		return c.fail(err)
	}
	bearers, err := config.bearers(log, config.modemPower(lines))
	if err != nil {
		return c.fail(err)
	}
	for _, absent := range config.absent(serial.Places{}) {
		log.Warn("not there yet", "what", absent)
	}
	marks, err := config.marks()
	if err != nil {
		return c.fail(err)
	}
	defer marks.Close()
	for _, remark := range config.remarks(serial.Places{}) {
		log.Warn("a name that may not last", "what", remark)
	}
	a, err := agent.New(agent.Wires{
		Lines: lines, Marks: marks, Wipe: config.wipe(log),
		Reader:  config.opener(config.Reader.Port, config.Reader.Baud, false),
		Printer: config.opener(config.Printer.Port, config.Printer.Baud, false),
		PINPad:  config.pinPad(),
		Scanner: config.scanner(),
		Bearers: bearers,
		Store:   store, Files: config.downloads(), Socket: socket, Now: time.Now, Log: log,
	}, options)
	if err != nil {
		return c.fail(err)
	}
	clear(tmk)
	set.Master.Destroy() // the agent has its own
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

// listen takes over a socket file that a killed agent left. It refuses one that a living agent answers on, and anything
// that is not a socket: a wrong path must not cost somebody a file.
func listen(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("socket.path: another agent already listens on %s; stop it first", path)
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		err = fmt.Errorf("%s is there and is not a socket; name another path", path)
	case err == nil:
		err = os.Remove(path)
	}
	if err != nil {
		return nil, fmt.Errorf("socket.path: %w", err)
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
		return serial.Open(c.portPath(port), serial.Options{Baud: baud, HangupOnClose: hangUp})
	}
}

func (c *Config) options(tmk []byte) (agent.Options, error) {
	currency, err := txn.CurrencyOf(c.Terminal.Currency)
	if err != nil {
		return agent.Options{}, err
	}
	var maxRefund, maxCharge, maxDay, maxCardDay txn.Amount
	for _, limit := range []struct {
		key, text string
		into      *txn.Amount
	}{{"max_refund", c.Terminal.MaxRefund, &maxRefund}, {"max_charge", c.Terminal.MaxCharge, &maxCharge}, {"max_day", c.Terminal.MaxDay, &maxDay},
		{"max_card_day", c.Terminal.MaxCardDay, &maxCardDay}} {
		if limit.text == "" {
			continue
		}
		if *limit.into, err = c.amount(limit.text); err != nil {
			return agent.Options{}, fmt.Errorf("terminal.%s: %w", limit.key, err)
		}
	}
	header, err := link.ParseHeader(c.Acquirer.TPDU, c.Acquirer.Header)
	if err != nil {
		return agent.Options{}, err
	}
	var supervisors terminal.Supervisors
	if c.Terminal.Supervisors != "" {
		supervisors = supervisor.Open(c.path(c.Terminal.Supervisors))
	}
	routes, err := c.Scanner.routes()
	if err != nil {
		return agent.Options{}, err
	}
	selfCheck, err := c.Reader.selfCheck()
	if err != nil {
		return agent.Options{}, err
	}
	layout, err := c.layout()
	if err != nil {
		return agent.Options{}, err
	}
	return agent.Options{
		Supervisors: supervisors,
		Terminal:    c.Terminal.ID, Merchant: c.Terminal.Merchant, Operator: c.Terminal.Operator, Currency: currency, TMK: tmk,
		Profile: c.profile, Header: header, Answer: c.Acquirer.Answer.Duration, Idle: c.Acquirer.Idle.Duration,
		Return: c.Acquirer.Return.Duration, Heartbeat: c.Acquirer.Heartbeat.Duration, Preconnect: c.Acquirer.Preconnect,
		MAC: keys.MAC(c.Acquirer.MAC), EncryptTracks: c.Acquirer.EncryptTracks,
		MACOnDeclines: c.Acquirer.MACOnDeclines, ReversalTries: c.Acquirer.ReversalTries, ReversalEnds: c.Acquirer.ReversalEnds, Lookalike: c.Acquirer.Lookalike.Duration, MaxRefund: maxRefund, MaxCharge: maxCharge, MaxDay: maxDay,
		MaxCardDay: maxCardDay, MaxCardCount: c.Terminal.MaxCardCount, Bins: c.bins(func(bool, string, string, ...any) {}), OtherBins: terminal.BinRule(c.Terminal.OtherCards),
		Settable: c.Downloads.Parameters, BlocklistSlot: c.Downloads.BlocklistSlot, OrderQuiet: c.Downloads.Quiet.Duration, OrderRetry: c.Downloads.Retry.Duration,
		Blocklist: c.path(c.Terminal.Blocklist), AlarmFile: c.path(c.Store.Dir) + ".alarms", CompletionCap: c.Terminal.CompletionCap, MaxBatch: c.Acquirer.MaxBatch,
		Retry: c.Acquirer.Retry.Duration, PaperRetry: c.Printer.Retry.Duration, Tidy: c.Store.Tidy.Duration,
		ReaderKind: c.Reader.Kind, CardWait: c.Reader.CardWait.Duration, ReaderReply: c.Reader.Reply.Duration, Fallback: c.Reader.Fallback, Lights: c.Reader.Lights, Beeps: c.Reader.Beeps, SelfCheck: selfCheck,
		ScannerKind: scanner.Kind(c.Scanner.Kind), Routes: routes, ScanWait: c.Scanner.Wait.Duration, ScanReply: c.Scanner.Reply.Duration,
		PINPrompt: c.PINPad.Prompt, PINWait: c.PINPad.Wait.Duration, PINReply: c.PINPad.Reply.Duration,
		Print: printer.Opts{Columns: c.Printer.Columns, Baud: c.Printer.Baud, Answer: c.Printer.Reply.Duration, Print: c.Printer.Print.Duration,
			CutAfter: true, Proof: printer.ProofMode(c.Printer.Proof), Codes: printer.CodeMode(c.Printer.Codes)},
		Layout: layout,
	}, nil
}

func (c *Config) layout() (receipt.Layout, error) {
	logo, err := c.logo()
	if err != nil {
		return receipt.Layout{}, fmt.Errorf("printer.logo: %w", err)
	}
	language, _ := words.LanguageOf(c.Printer.Lang) // judged when the file was read
	return receipt.Layout{Columns: c.Printer.Columns, Language: language, MerchantName: c.Terminal.Name, Thanks: c.Terminal.Thanks, Zone: time.Local, Logo: logo, Code: c.Printer.QR}, nil
}
