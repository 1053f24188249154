package main

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// options are the command line, read and checked.
type options struct {
	listen, dial, control, ledger string
	tls                           string // address
	tlsDir, tlsName               string
	tlsMutual                     bool
	acquirer                      linktest.AcquirerOpts
}

// maxKeyFile bounds the file of the master key, in bytes.
const maxKeyFile = 1024

func parse(args []string, usage io.Writer) (options, error) {
	o := options{acquirer: linktest.AcquirerOpts{Terminals: map[string]string{}, ByAmount: map[txn.Amount]linktest.Fault{}}}
	var cards, keyFile string
	var batch uint
	flags := flag.NewFlagSet("acquirersim", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&o.listen, "listen", "", "`HOST:PORT` for network lines, frames with a length")
	flags.StringVar(&o.dial, "listen-dial", "", "`HOST:PORT` for dialled lines, frames without a length")
	flags.StringVar(&o.tls, "listen-tls", "", "`HOST:PORT` for network lines under TLS 1.3")
	flags.StringVar(&o.tlsDir, "tls-dir", "", "`DIRECTORY` of ca.pem, server.pem, server.key, terminal.pem and terminal.key; they are made if ca.pem is not there")
	flags.StringVar(&o.tlsName, "tls-name", "localhost", "`NAME` in the server's certificate when it is made")
	flags.BoolVar(&o.tlsMutual, "tls-mutual", false, "hear only terminals with a certificate of that CA")
	flags.StringVar(&o.control, "control", "", "`unix:PATH` of the control socket")
	flags.StringVar(&o.ledger, "ledger", "", "`FILE` that keeps the books")
	flags.Func("profile", "how terminals speak: unionpay, iso87 or a `FILE`", func(name string) (err error) {
		o.acquirer.Profile, err = profile.Open(name)
		return err
	})
	flags.StringVar(&cards, "cards", "", "`FILE` of cards with accounts, TOML")
	flags.StringVar(&keyFile, "tmk-file", "", "`FILE` with the terminals' master key, 32 hexadecimal digits")
	flags.Func("dukpt", "base derivation key of a DUKPT key set as `KEYSET=FILE`, ten hexadecimal digits and a file of 32; repeatable", o.addBaseKey)
	flags.UintVar(&batch, "batch", 1, "open `batch` of a terminal that the books do not know")
	flags.BoolVar(&o.acquirer.BareDeclines, "bare-declines", false, "send refusals without a MAC")
	flags.IntVar(&o.acquirer.BlockSlot, "block-slot", 14, "`characters` that a number takes up in the downloaded blocklist")
	flags.Func("terminal", "registered terminal as `TID=MID`; repeatable", o.addTerminal)
	flags.Func("on", "fault for every message of an amount as `AMOUNT=FAULT`, \"13.37=silent\"; repeatable", o.addRule)
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("%q is not understood: everything is given by flags, see -help", flags.Arg(0))
	}
	if o.listen == "" && o.dial == "" && o.tls == "" {
		return options{}, errors.New("nothing to listen on: give -listen, -listen-tls or -listen-dial")
	}
	if (o.tls == "") != (o.tlsDir == "") {
		return options{}, errors.New("-listen-tls and -tls-dir go together")
	}
	if batch > 999_999 {
		return options{}, fmt.Errorf("-batch %d has more than six digits", batch)
	}
	o.acquirer.Batch = uint32(batch)
	if path, socket := strings.CutPrefix(o.control, "unix:"); o.control != "" && (!socket || path == "") {
		return options{}, errors.New("-control: write it as unix:PATH")
	}
	return o, o.load(cards, keyFile)
}

// load reads the files that the flags name.
func (o *options) load(cards, keyFile string) (err error) {
	if cards == "" || keyFile == "" {
		return errors.New("-cards and -tmk-file are needed")
	}
	if o.acquirer.Accounts, err = linktest.LoadCards(cards); err != nil {
		return err
	}
	if o.acquirer.TMK, err = readKey(keyFile); err != nil {
		return fmt.Errorf("-tmk-file: %w", err)
	}
	if o.ledger != "" {
		if o.acquirer.Ledger, err = linktest.LoadLedger(o.ledger); err != nil {
			return err
		}
		o.acquirer.Keep = func(l linktest.Ledger) error { return linktest.SaveLedger(o.ledger, l) }
	}
	return o.acquirer.Check()
}

// addBaseKey reads KEYSET=FILE.
func (o *options) addBaseKey(text string) (err error) {
	set, file, both := strings.Cut(text, "=")
	if !both {
		return errors.New("write it as KEYSET=FILE")
	}
	if o.acquirer.DUKPT == nil {
		o.acquirer.DUKPT = map[string][]byte{}
	}
	o.acquirer.DUKPT[strings.ToUpper(set)], err = readKey(file)
	return err
}

// readKey reads hexadecimal digits, with any white space. Its errors never quote the file.
func readKey(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil || len(key) != 16 {
		return nil, fmt.Errorf("%s: want 32 hexadecimal digits and nothing else", path)
	}
	return key, nil
}

func (o *options) addTerminal(pair string) error {
	terminal, merchant, both := strings.Cut(pair, "=")
	if !both || len(terminal) != 8 || len(merchant) != 15 {
		return errors.New("want TID=MID, 8 and 15 characters")
	}
	if _, twice := o.acquirer.Terminals[terminal]; twice {
		return errors.New("this terminal is registered twice")
	}
	o.acquirer.Terminals[terminal] = merchant
	return nil
}

func (o *options) addRule(rule string) error {
	text, fault, both := strings.Cut(rule, "=")
	if !both {
		return errors.New("want AMOUNT=FAULT")
	}
	yuan, err := txn.CurrencyOf("CNY")
	if err != nil {
		return err
	}
	amount, err := yuan.ParseAmount(text)
	if err != nil {
		return err
	}
	if _, twice := o.acquirer.ByAmount[amount]; twice {
		return fmt.Errorf("amount %s has a rule already", text)
	}
	o.acquirer.ByAmount[amount], err = linktest.ParseFault(fault)
	return err
}
