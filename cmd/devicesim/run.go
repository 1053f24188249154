package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync"

	"posagent/device/devicetest"
	"posagent/link/linktest"
	"posagent/printer/printertest"
)

// machine is the far end of a line: a reader, a printer, a modem or a scanner.
type machine interface {
	// Serve speaks on a stream until it ends or ctx does.
	Serve(ctx context.Context, stream io.ReadWriter) error
	// Command does what a person or a fault does to the machine, and says in one line what happened.
	Command(line string) (string, error)
}

// run attaches the machines, prints "ready" to out, and serves until ctx ends, "quit" is commanded, or a line fails.
func run(ctx context.Context, o options, out, logTo io.Writer) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	logger := log.New(logTo, "devicesim: ", log.Ltime|log.Lmicroseconds|log.Lmsgprefix)

	machines, err := o.machines()
	if err != nil {
		return err
	}
	// The control socket comes first: where another devicesim answers on it, no link of that one is replaced.
	var controls *socketLine
	if o.control != (address{}) {
		if controls, err = listen(o.control.path); err != nil {
			return fmt.Errorf("control: %w", err)
		}
		defer controls.Close()
	}
	wires, lines := o.wires(), map[string]line{}
	defer func() {
		for _, l := range lines {
			l.Close()
		}
	}()
	for _, name := range machineNames {
		if machines[name] == nil {
			continue
		}
		if lines[name], err = open(wires[name]); err != nil {
			delete(lines, name)
			return fmt.Errorf("%s: %w", name, err)
		}
	}

	var serving sync.WaitGroup
	failed := make(chan error, len(lines)+1)
	serve := func(what string, f func() error) {
		serving.Go(func() {
			defer end()
			if err := f(); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("%s: %w", what, err)
			}
		})
	}
	for name, l := range lines {
		serve(name, func() error { return attach(ctx, machines[name], l, wires[name], logger, name) })
	}
	if controls != nil {
		serve("control", func() error { return (&control{machines, end}).serve(ctx, controls.listener) })
	}
	logger.Print(names(lines))
	if _, err = fmt.Fprintln(out, "ready"); err != nil {
		end()
	}
	serving.Wait()
	if p, attached := machines["printer"].(*printertest.Printer); attached {
		for _, fault := range p.Faults() {
			logger.Printf("printer: %s", fault)
		}
	}
	close(failed)
	for one := range failed {
		err = errors.Join(err, one)
	}
	return err
}

// machines makes the machines that have a line.
func (o options) machines() (map[string]machine, error) {
	machines := map[string]machine{}
	if o.reader.address != (address{}) {
		cards, err := devicetest.LoadCards(o.cards)
		if err != nil {
			return nil, err
		}
		reader, err := o.readerOf(cards)
		if err != nil {
			return nil, err
		}
		machines["reader"] = reader
	}
	if o.scanner.address != (address{}) {
		machines["scanner"] = devicetest.NewScanner(devicetest.ScannerOpts{Host: o.scannerKind == "gm72"})
	}
	if o.printer.address != (address{}) {
		if o.paper != "" {
			if err := os.MkdirAll(o.paper, 0o755); err != nil {
				return nil, fmt.Errorf("paper: %w", err)
			}
		}
		machines["printer"] = printertest.New(printertest.Opts{Columns: o.columns, Star: o.star, PaperDir: o.paper})
	}
	if o.pinpad.address != (address{}) {
		pad, err := o.pinPadOf()
		if err != nil {
			return nil, err
		}
		machines["pinpad"] = pad
	}
	if o.modem.address != (address{}) {
		machines["modem"] = o.modemOf()
	}
	return machines, nil
}

// pinPadOf is a pad of master and session keys, or of DUKPT. Its cardholder knows the PIN of each card and types it, until told otherwise.
func (o options) pinPadOf() (machine, error) {
	cards, err := devicetest.LoadCards(o.cards)
	if err != nil {
		return nil, err
	}
	key, err := readKey(o.padKey)
	if err != nil {
		return nil, fmt.Errorf("PIN pad: %w", err)
	}
	opts := devicetest.PinPadOpts{MasterKey: key, Cards: cards}
	if o.padSerial != "" {
		opts.MasterKey, opts.InitialKey = nil, key
		opts.KSN, _ = hex.DecodeString(o.padSerial) // it has been judged
	}
	pad := devicetest.NewPinPad(opts)
	_, err = pad.Command("pin given")
	return pad, err
}

// readKey reads a file of 16 bytes in hex.
func readKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 16 {
		return nil, fmt.Errorf("%s does not hold 16 bytes in hex", file)
	}
	return key, nil
}

func (o options) readerOf(cards map[string]devicetest.TestCard) (machine, error) {
	switch o.readerKind {
	case "msr", "msr-lrc":
		return devicetest.NewStripe(devicetest.StripeOpts{Cards: cards, SendsLRC: o.readerKind == "msr-lrc"}), nil
	case "pn532":
		return devicetest.NewBoard(cards), nil
	}
	reader := devicetest.ReaderOpts{Cards: cards}
	if o.readerKey.file != "" {
		key, err := readKey(o.readerKey.file)
		if err != nil {
			return nil, fmt.Errorf("card reader: %w", err)
		}
		reader.DataKey = &devicetest.DataKey{Initial: key, Serial: o.readerKey.serial}
	}
	return devicetest.NewReader(reader), nil
}

func (o options) modemOf() machine {
	if o.family == "hayes" {
		return linktest.NewModem(linktest.ModemOpts{PhoneBook: o.phones, Guard: o.guard})
	}
	return linktest.NewCell(linktest.CellOpts{Family: linktest.CellFamily(o.family), Guard: o.guard})
}

// attach serves the streams of a line, one after another, until ctx ends. That a stream ends is how sockets and
// adapters live; it is logged and the next one awaited.
func attach(ctx context.Context, m machine, l line, w wire, logger *log.Logger, name string) error {
	for {
		stream, err := l.Next(ctx)
		if ctx.Err() != nil {
			if err == nil {
				stream.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		err = serveOne(ctx, m, stream, w)
		if ctx.Err() == nil {
			logger.Printf("%s: line ended: %v", name, err)
		}
	}
}

func serveOne(ctx context.Context, m machine, stream io.ReadWriteCloser, w wire) error {
	defer stream.Close()
	if w.address.kind == "serial" {
		return m.Serve(ctx, stream) // the wire itself is as slow as a wire is
	}
	return m.Serve(ctx, devicetest.Pace(stream, w.baud))
}
