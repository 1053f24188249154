package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"posagent/device/serial"
	"posagent/firmware/agent"
	"posagent/link"
	"posagent/link/acquirer/keys"
	"posagent/printer"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// faults judges what the file says, without touching a port.
func (c *Config) faults() []string {
	var found []string
	fault := func(wrong bool, key, what string, args ...any) {
		if wrong {
			found = append(found, key+": "+fmt.Sprintf(what, args...))
		}
	}
	digits := func(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }
	ascii := func(s string, n int) bool {
		return len(s) == n && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
	}
	positive := func(d duration, key string) { fault(d.Duration <= 0, key, "must be longer than nothing, like 60s") }

	fault(!ascii(c.Terminal.ID, 8), "terminal.id", "want the acquirer's 8 characters, got %d", len(c.Terminal.ID))
	fault(!ascii(c.Terminal.Merchant, 15), "terminal.merchant", "want the acquirer's 15 characters, got %d", len(c.Terminal.Merchant))
	fault(c.Terminal.Name == "", "terminal.name", "the merchant's name for the slip is missing")
	fault(!digits(c.Terminal.Operator, 2), "terminal.operator", "want two digits, like 01")
	_, err := txn.CurrencyOf(c.Terminal.Currency)
	fault(err != nil, "terminal.currency", "%v", err)
	for key, text := range map[string]string{"max_refund": c.Terminal.MaxRefund, "max_charge": c.Terminal.MaxCharge, "max_day": c.Terminal.MaxDay} {
		if text != "" && err == nil {
			_, err := c.amount(text)
			fault(err != nil, "terminal."+key, "%v", err)
		}
	}
	fault(c.Terminal.CompletionCap < 100 || c.Terminal.CompletionCap > 200, "terminal.completion_cap", "want 100 to 200 percent, as agreed with the acquirer")
	fault(c.Store.Dir == "", "store.dir", "missing; name a directory on durable storage")
	fault(c.Store.KeyFile == "", "store.key_file", "missing; name a file, it is made at the first start")
	fault(!validKeySource(c.Store.KeySource), "store.key_source", "%q is not known; use keyring:NAME, or leave it out for a key in key_file", c.Store.KeySource)
	positive(c.Store.Tidy, "store.tidy")
	fault(c.Store.KeepBatches < 0 || c.Store.KeepBatches > 999_999, "store.keep_batches", "want 0, which keeps all, to 999999")
	fault(c.Store.KeepDays < 0 || c.Store.KeepDays > 36_500, "store.keep_days", "want 0 to 36500")
	fault(c.Store.KeepDays > 0 && c.Store.KeepBatches == 0, "store.keep_days", "everything is kept; name keep_batches too, or leave this out")
	fault(c.Socket.Path == "" || len(c.path(c.Socket.Path)) > 100, "socket.path", "want a path of 1 to 100 bytes")

	owner := map[string]string{}
	line := func(key, port string) {
		path := c.portPath(port)
		fault(port != "" && owner[path] != "" && !strings.HasPrefix(owner[path], "bearer"), key, "is the line of %s too; each device needs its own", owner[path])
		owner[path] = key
		if serial.IsUSB(port) {
			_, err := serial.ParseUSB(port)
			fault(err != nil, key, "%v", err)
		}
	}
	line("reader.port", c.Reader.Port)
	line("printer.port", c.Printer.Port)
	if c.PINPad.Port != "" {
		line("pinpad.port", c.PINPad.Port)
	}
	if c.Scanner.Port != "" {
		line("scanner.port", c.Scanner.Port)
	}
	c.PINPad.faults(fault, positive)
	c.scannerFaults(fault)
	fault(c.Reader.Port == "", "reader.port", "missing; name the reader's line, best by /dev/serial/by-path/…")
	fault(c.Reader.Baud <= 0, "reader.baud", "must be positive")
	fault(!slices.Contains(agent.ReaderKinds(), c.Reader.Kind), "reader.kind", "want one of %s, got %q", strings.Join(agent.ReaderKinds(), ", "), c.Reader.Kind)
	fault(c.Reader.Kind == agent.ReaderPN532 && !c.Reader.Development, "reader.kind", "a pn532 proves nothing of a card; on a bench set reader.development = true")
	positive(c.Reader.CardWait, "reader.card_wait")
	fault(c.Reader.CardWait.Duration > 255*time.Second, "reader.card_wait", "the reader counts at most 255s")
	positive(c.Reader.Reply, "reader.reply")
	fault((c.Reader.Lights || c.Reader.Beeps) && c.Reader.Kind != agent.ReaderNEO2, "reader.lights", "and beeps are of a %s, which this %s is not; leave them out", agent.ReaderNEO2, c.Reader.Kind)
	_, badTime := c.Reader.selfCheck()
	fault(badTime != nil, "reader.self_check", "want a time of day in UTC such as 18:30, got %q", c.Reader.SelfCheck)
	fault(c.Printer.Port == "", "printer.port", "missing; name the printer's line, best by /dev/serial/by-path/…")
	fault(c.Printer.Baud <= 0, "printer.baud", "must be positive")
	fault(c.Printer.Columns != 32 && c.Printer.Columns != 48, "printer.columns", "want 32 (58 mm paper) or 48 (80 mm), got %d", c.Printer.Columns)
	_, spoken := words.LanguageOf(c.Printer.Lang)
	fault(!spoken, "printer.language", "%q is not known; use both, zh or en", c.Printer.Lang)
	fault(!slices.Contains(printer.ProofModes(), printer.ProofMode(c.Printer.Proof)), "printer.proof", "%q is not known; use process-id, etb-counter, status-after-feed, none or mute", c.Printer.Proof)
	star := printer.ProofMode(c.Printer.Proof) == printer.ETBCounter
	fault(star && (c.Printer.Logo != "" || c.Printer.Codes == string(printer.RasterCodes)), "printer.codes", "a Star printer (etb-counter) draws codes itself and no logo; use native, and leave logo out")
	codes := printer.CodeMode(c.Printer.Codes)
	fault(!slices.Contains([]printer.CodeMode{printer.NoCodes, printer.NativeCodes, printer.RasterCodes}, codes), "printer.codes", "%q is not known; use native or raster, or leave it out", c.Printer.Codes)
	fault(codes == printer.NoCodes && (c.Printer.Logo != "" || c.Printer.QR), "printer.codes", "a logo or slip_code needs native or raster")
	if _, err := c.logo(); err != nil {
		fault(true, "printer.logo", "%v", err)
	}
	positive(c.Printer.Reply, "printer.reply")
	positive(c.Printer.Print, "printer.print")
	positive(c.Printer.Retry, "printer.retry")

	fault(c.Acquirer.KeyFile == "" && c.Acquirer.KeySource == "", "acquirer.key_file", "missing; name the file with the terminal master key")
	fault(c.Acquirer.KeyFile != "" && c.Acquirer.KeySource != "", "acquirer.key_source", "there is a key_file too; leave one of them out")
	fault(!validKeySource(c.Acquirer.KeySource), "acquirer.key_source", "%q is not known; use keyring:NAME, or a key_file", c.Acquirer.KeySource)
	fault(c.Acquirer.KeySource != "" && c.Acquirer.KeySource == c.Store.KeySource, "acquirer.key_source", "is the store's key; each needs a name of its own")
	c.trackFaults(fault)
	fault(len(c.signers()) != len(c.Acquirer.KeySigners), "acquirer.key_signers", "want public keys of 64 hexadecimal digits, as \"posagent keys signer\" shows them")
	err = keys.MAC(c.Acquirer.MAC).Check()
	fault(err != nil, "acquirer.mac", "%v", err)
	_, err = link.ParseHeader(c.Acquirer.TPDU, c.Acquirer.Header)
	fault(err != nil, "acquirer.tpdu, acquirer.header", "%v; want 10 digits like 6000060000 and 12 like 603100310000", err)
	positive(c.Acquirer.Answer, "acquirer.answer")
	positive(c.Acquirer.Retry, "acquirer.retry")
	fault(c.Acquirer.Idle.Duration < 0, "acquirer.idle", "must not be negative")
	fault(c.Acquirer.ReversalTries < 1 || c.Acquirer.ReversalTries > 99, "acquirer.reversal_tries", "want 1 to 99")
	for _, code := range c.Acquirer.ReversalEnds {
		fault(len(code) != 2, "acquirer.reversal_ends", "%q is not a response code of two characters", code)
	}
	positive(c.Acquirer.Lookalike, "acquirer.lookalike")
	fault(c.Acquirer.MaxBatch < 0 || c.Acquirer.MaxBatch > 999, "acquirer.max_batch", "want 0, which sets no limit, to 999, the most that a settlement counts")

	positive(c.Acquirer.Return, "acquirer.return")
	fault(c.Acquirer.Heartbeat.Duration < 0, "acquirer.heartbeat", "must not be negative")
	fault(c.Acquirer.Heartbeat.Duration > 0 && c.Acquirer.Heartbeat.Duration < 20*time.Second, "acquirer.heartbeat", "want 20s at least, or 0 for none")
	c.GPIO.faults(fault)

	c.Downloads.faults(fault)
	c.cardFaults(fault)
	fault(len(c.Bearers) == 0, "bearer", "there is no way to the acquirer; add a [[bearer]] table")
	names := map[string]bool{}
	for i, b := range c.Bearers {
		at := func(key string) string { return fmt.Sprintf("bearer[%d].%s", i, key) }
		fault(b.Name == "" || names[b.Name], at("name"), "each bearer needs a name of its own")
		names[b.Name] = true
		c.bearerFaults(b, at, fault)
		if b.Port != "" {
			line(at("port"), b.Port)
		}
	}
	return found
}
