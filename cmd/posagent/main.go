// Posagent runs a payment terminal, and gives scripts the verbs that a technician has.
//
//	posagent run                      drive the terminal until stopped
//	posagent sale AMOUNT              charge one card
//	posagent void STAN|REFERENCE      undo a sale of the open batch
//	posagent refund AMOUNT            give money back, of any day
//	posagent preauth AMOUNT           hold money on a card
//	posagent preauth-cancel|completion|completion-cancel|completion-notice   let it go, charge it, undo that
//	posagent offline-sale AMOUNT      a sale that was authorised by telephone
//	posagent balance                  what a card's account holds
//	posagent batch totals|close|report   the open batch; settle it; its report
//	posagent txn list|show|reprint|resolve   the books
//	posagent receipt show ID          a slip as text, or drawn into a PNG file
//	posagent status                   the terminal at a glance
//	posagent store recount            totals against records
//	posagent store check|report       whether the files are sound; what a repair found
//	posagent keys load [BUNDLE]       the acquirer's keys: typed by two persons, or a signed bundle
//	posagent keys show|log            check values and ages; who loaded keys
//	posagent keys request|seal|destroy   ask for a bundle; seal a key in the clear; end all keys
//	posagent keys signer|bundle       at the key centre: a key that signs, and a bundle
//	posagent supervisor list|set|unlock|remove   who may allow what takes money back
//	posagent blocklist load FILE      cards that are not charged
//	posagent scanner setup            a new scanner looks only when it is told to
//	posagent params show              what the acquirer has set here
//	posagent host echo|signin|test    the way to the acquirer, with the time of each part
//	posagent tamper show|clear        whether the case was opened
//	posagent profile show|check       how an acquirer is spoken to, as data
//	posagent config check [FILE]      judge a configuration
//	posagent version
//
// Exit status of "sale", "void" and "refund", for scripts: 0 approved · 1 not accepted or not sent, nothing charged · 2 wrong use ·
// 3 declined · 4 outcome unknown, being confirmed · 5 reversed, nothing charged. Of "batch close": 0 closed · 1 not begun, or
// refused by the acquirer · 4 begun, and going on by itself · 6 closed, and the totals differ.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Exit statuses.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitDeclined = 3
	exitUnknown  = 4
	exitReversed = 5
	exitDiffers  = 6
)

// Version is stamped by the Makefile.
var version = "development"

const defaultConfig = "/etc/posagent.toml"

func main() {
	signal.Ignore(syscall.SIGXFSZ) // a limit on file sizes is an error of the write (EFBIG), not the end of the agent
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	c := &command{args: os.Args[1:], in: os.Stdin, out: os.Stdout, err: os.Stderr, config: os.Getenv("POSAGENT_CONFIG")}
	status := c.run(ctx)
	stop()
	os.Exit(status)
}

// command is one invocation: flags parsed, output named, nothing global.
type command struct {
	args     []string
	in       *os.File // where persons type; nil where nobody does
	out, err io.Writer
	config   string
	json     bool
}

func (c *command) fail(err error) int {
	fmt.Fprintf(c.err, "posagent: %v\n", err)
	return exitFailed
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " " + s.Value[:12]
		}
	}
	return ""
}
