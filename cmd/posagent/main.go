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
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
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

// run dispatches a verb and returns the exit status.
func (c *command) run(ctx context.Context) int {
	if len(c.args) == 0 {
		fmt.Fprint(c.err, usage)
		return exitUsage
	}
	verb, rest := c.args[0], c.args[1:]
	if (verb == "txn" || verb == "receipt" || verb == "tamper" || verb == "supervisor" || verb == "blocklist" || verb == "params" || verb == "batch" || verb == "store" || verb == "keys" || verb == "config" || verb == "host" || verb == "profile") && len(rest) > 0 {
		verb, rest = verb+" "+rest[0], rest[1:]
	}
	switch verb {
	case "run":
		return c.verb(verb, "", rest, nil, func(string) int { return c.runAgent(ctx) })
	case "sale":
		var q saleFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.sale(ctx, amount, q) })
	case "void":
		var q undoFlags
		return c.verb(verb, "STAN|REFERENCE", rest, q.define, func(original string) int { return c.void(ctx, verb, original, q) })
	case "refund":
		var q refundFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.refund(ctx, amount, q) })
	case "preauth":
		var q saleFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.preauth(ctx, amount, q) })
	case "preauth-cancel":
		q := useFlags{approved: true}
		return c.verb(verb, "", rest, q.define, func(string) int { return c.use(ctx, verb, q.amount, q) })
	case "completion", "completion-notice":
		var q useFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.use(ctx, verb, amount, q) })
	case "completion-cancel":
		var q undoFlags
		return c.verb(verb, "STAN|REFERENCE", rest, q.define, func(original string) int { return c.void(ctx, verb, original, q) })
	case "offline-sale":
		var q offlineFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.offlineSale(ctx, amount, q) })
	case "balance":
		paper := false
		return c.verb(verb, "", rest, func(f *flag.FlagSet) {
			f.BoolVar(&paper, "print", false, "a slip for the cardholder, who asked for one")
		},
			func(string) int { return c.balance(ctx, paper) })
	case "batch totals":
		return c.verb(verb, "", rest, nil, func(string) int { return c.batchTotals(ctx) })
	case "batch close":
		return c.verb(verb, "", rest, nil, func(string) int { return c.batchClose(ctx) })
	case "batch report":
		return c.verb(verb, "[BATCH]", rest, nil, func(batch string) int { return c.batchReport(ctx, batch) })
	case "txn list":
		most := 20
		return c.verb(verb, "", rest, func(f *flag.FlagSet) { f.IntVar(&most, "n", most, "how many, newest first, 1 to 100") },
			func(string) int { return c.txnList(ctx, most) })
	case "txn show":
		var byReference bool
		return c.verb(verb, "ID|REFERENCE", rest, byReferenceFlag(&byReference), func(what string) int { return c.txnShow(ctx, named(what, byReference)) })
	case "txn reprint":
		var byReference bool
		return c.verb(verb, "ID|REFERENCE", rest, byReferenceFlag(&byReference), func(what string) int { return c.txnReprint(ctx, named(what, byReference)) })
	case "txn resolve":
		var q resolveFlags
		return c.verb(verb, "ID|REFERENCE", rest, q.define, func(what string) int { return c.txnResolve(ctx, what, q) })
	case "receipt show":
		var q receiptFlags
		return c.verb(verb, "ID|REFERENCE", rest, q.define, func(what string) int { return c.receiptShow(ctx, what, q) })
	case "status":
		return c.verb(verb, "", rest, nil, func(string) int { return c.status(ctx) })
	case "store recount":
		return c.verb(verb, "", rest, nil, func(string) int { return c.storeRecount(ctx) })
	case "store check":
		return c.verb(verb, "", rest, nil, func(string) int { return c.storeCheck() })
	case "store report":
		acknowledge := false
		return c.verb(verb, "", rest, func(f *flag.FlagSet) {
			f.BoolVar(&acknowledge, "acknowledge", false, "it was read: do not show it again")
		},
			func(string) int { return c.storeReport(acknowledge) })
	case "keys load":
		var q loadFlags
		return c.verb(verb, "[BUNDLE]", rest, q.define, func(bundle string) int { return c.keysLoad(ctx, bundle, q) })
	case "keys show":
		return c.verb(verb, "", rest, nil, func(string) int { return c.keysShow(ctx) })
	case "keys log":
		return c.verb(verb, "", rest, nil, func(string) int { return c.keysLog() })
	case "keys request":
		return c.verb(verb, "", rest, nil, func(string) int { return c.keysRequest() })
	case "keys seal":
		return c.verb(verb, "", rest, nil, func(string) int { return c.keysSeal() })
	case "keys destroy":
		var sure bool
		return c.verb(verb, "", rest, func(f *flag.FlagSet) { f.BoolVar(&sure, "yes", false, "it is meant") },
			func(string) int { return c.keysDestroy(sure) })
	case "keys signer":
		return c.verb(verb, "FILE", rest, nil, c.keysSigner)
	case "keys bundle":
		var q bundleFlags
		return c.verb(verb, "REQUEST", rest, q.define, func(request string) int { return c.keysBundle(ctx, request, q) })
	case "supervisor list":
		return c.verb(verb, "", rest, nil, func(string) int { return c.supervisorList() })
	case "supervisor set":
		var p passwords
		return c.verb(verb, "NUMBER", rest, p.define, func(number string) int { return c.supervisorSet(number, p) })
	case "supervisor unlock":
		return c.verb(verb, "NUMBER", rest, nil, c.supervisorUnlock)
	case "supervisor remove":
		return c.verb(verb, "NUMBER", rest, nil, c.supervisorRemove)
	case "blocklist load":
		return c.verb(verb, "FILE", rest, nil, c.blocklistLoad)
	case "params show":
		return c.verb(verb, "", rest, nil, func(string) int { return c.paramsShow() })
	case "host echo", "host signin", "host test":
		return c.verb(verb, "", rest, nil, func(string) int { return c.host(ctx, verb) })
	case "tamper show":
		return c.verb(verb, "", rest, nil, func(string) int { return c.tamper(false, false) })
	case "tamper clear":
		var sure bool
		return c.verb(verb, "", rest, func(f *flag.FlagSet) { f.BoolVar(&sure, "yes", false, "it is meant") },
			func(string) int { return c.tamper(true, sure) })
	case "profile show":
		return c.verb(verb, "NAME|FILE", rest, nil, c.profileShow)
	case "profile check":
		return c.verb(verb, "FILE", rest, nil, c.profileCheck)
	case "config check":
		return c.verb(verb, "[FILE]", rest, nil, func(file string) int {
			if file != "" {
				c.config = file
			}
			return c.configCheck()
		})
	case "version":
		return c.verb(verb, "", rest, nil, func(string) int {
			fmt.Fprintf(c.out, "posagent %s %s %s/%s%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, revision())
			return exitDone
		})
	case "help", "-h", "-help", "--help":
		fmt.Fprint(c.out, usage)
		return exitDone
	case "txn":
		return c.misused("posagent txn: say what, list, show, reprint or resolve")
	case "supervisor":
		return c.misused("posagent supervisor: say what, list, set, unlock or remove")
	case "blocklist":
		return c.misused("posagent blocklist: say what, load")
	case "receipt":
		return c.misused("posagent receipt: say what, show")
	case "batch":
		return c.misused("posagent batch: say what, totals, close or report")
	case "store":
		return c.misused("posagent store: say what, check, report or recount")
	case "keys":
		return c.misused("posagent keys: say what, load, show, log, request, seal, destroy, signer or bundle")
	case "host":
		return c.misused("posagent host: say what, echo, signin or test")
	case "tamper":
		return c.misused("posagent tamper: say what, show or clear")
	case "profile":
		return c.misused("posagent profile: say what, show or check")
	case "config":
		return c.misused("posagent config: say what, check")
	default:
		return c.misused(fmt.Sprintf("posagent: %q is not a verb", verb))
	}
}

func (c *command) misused(what string) int {
	fmt.Fprintf(c.err, "%s\n\n%s", what, usage)
	return exitUsage
}

// verb parses flags, which may stand before or after the argument, and runs do. wants names the argument, in brackets if
// it may be left out; a verb has one or none.
func (c *command) verb(name, wants string, rest []string, define func(*flag.FlagSet), do func(string) int) int {
	f := flag.NewFlagSet("posagent "+name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	help := func(to io.Writer) {
		fmt.Fprintf(to, "usage: %s [flags]\n", strings.TrimSpace("posagent "+name+" "+wants))
		f.SetOutput(to)
		f.PrintDefaults()
	}
	f.StringVar(&c.config, "config", c.config, "configuration `FILE`")
	f.BoolVar(&c.json, "json", false, "answer in JSON, one object a line")
	if define != nil {
		define(f)
	}
	var args []string
	for len(rest) > 0 {
		if minusNumber(rest[0]) {
			args, rest = append(args, rest[0]), rest[1:]
			continue
		}
		if err := f.Parse(rest); errors.Is(err, flag.ErrHelp) {
			help(c.out)
			return exitDone
		} else if err != nil {
			fmt.Fprintf(c.err, "posagent %s: %v\n\n", name, err)
			help(c.err)
			return exitUsage
		}
		if rest = f.Args(); len(rest) > 0 {
			args, rest = append(args, rest[0]), rest[1:]
		}
	}
	switch {
	case len(args) == 0 && wants != "" && wants[0] != '[':
		return c.misused(fmt.Sprintf("posagent %s: %s is missing", name, wants))
	case wants == "" && len(args) > 0:
		return c.misused(fmt.Sprintf("posagent %s: %q is one thing too many", name, args[0]))
	case len(args) > 1:
		return c.misused(fmt.Sprintf("posagent %s: %q is one thing too many; it takes one %s", name, args[1], strings.Trim(wants, "[]")))
	}
	if c.config == "" {
		c.config = defaultConfig
	}
	return do(strings.Join(args, ""))
}

// minusNumber tells "-5", a wrong amount, from a flag.
func minusNumber(word string) bool {
	return len(word) > 1 && word[0] == '-' && strings.IndexByte(".0123456789", word[1]) >= 0
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
