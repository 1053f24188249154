// Posagent runs a payment terminal, and gives scripts the verbs that a technician has.
//
//	posagent run                      drive the terminal until stopped
//	posagent sale AMOUNT              charge one card
//	posagent txn list|show|reprint    the books
//	posagent status                   the terminal at a glance
//	posagent config check [FILE]      judge a configuration
//	posagent version
//
// Exit status of "sale", for scripts: 0 approved · 1 not accepted or not sent, nothing charged · 2 wrong use ·
// 3 declined · 4 outcome unknown, being confirmed · 5 reversed, nothing charged.
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
)

// Version is stamped by the Makefile.
var version = "development"

const defaultConfig = "/etc/posagent.toml"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	c := &command{args: os.Args[1:], out: os.Stdout, err: os.Stderr, config: os.Getenv("POSAGENT_CONFIG")}
	status := c.run(ctx)
	stop()
	os.Exit(status)
}

// command is one invocation: flags parsed, output named, nothing global.
type command struct {
	args     []string
	out, err io.Writer
	config   string
	json     bool
}

const usage = `usage: posagent VERB [flags]

  run                      drive the terminal until stopped
  sale AMOUNT              charge one card: posagent sale 12.50
  txn list                 the newest transactions
  txn show ID|REFERENCE    one transaction with its journal
  txn reprint ID           its slip again, marked as a duplicate
  status                   the terminal at a glance
  config check [FILE]      judge a configuration
  version                  what this is

Every verb takes -config FILE (or POSAGENT_CONFIG; ` + defaultConfig + ` otherwise) and -h.
`

// run dispatches a verb and returns the exit status.
func (c *command) run(ctx context.Context) int {
	if len(c.args) == 0 {
		fmt.Fprint(c.err, usage)
		return exitUsage
	}
	verb, rest := c.args[0], c.args[1:]
	if (verb == "txn" || verb == "config") && len(rest) > 0 {
		verb, rest = verb+" "+rest[0], rest[1:]
	}
	switch verb {
	case "run":
		return c.verb(verb, rest, 0, 0, nil, func([]string) int { return c.runAgent(ctx) })
	case "sale":
		var q saleFlags
		return c.verb(verb, rest, 1, 1, q.define, func(args []string) int { return c.sale(ctx, args[0], q) })
	case "txn list":
		max := 20
		return c.verb(verb, rest, 0, 0, func(f *flag.FlagSet) { f.IntVar(&max, "n", max, "how many, newest first (at most 100)") },
			func([]string) int { return c.txnList(ctx, max) })
	case "txn show":
		return c.verb(verb, rest, 1, 1, nil, func(args []string) int { return c.txnShow(ctx, args[0]) })
	case "txn reprint":
		return c.verb(verb, rest, 1, 1, nil, func(args []string) int { return c.txnReprint(ctx, args[0]) })
	case "status":
		return c.verb(verb, rest, 0, 0, nil, func([]string) int { return c.status(ctx) })
	case "config check":
		return c.verb(verb, rest, 0, 1, nil, func(args []string) int {
			if len(args) == 1 {
				c.config = args[0]
			}
			return c.configCheck()
		})
	case "version":
		fmt.Fprintf(c.out, "posagent %s %s %s/%s%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, revision())
		return exitDone
	case "help", "-h", "-help", "--help":
		fmt.Fprint(c.out, usage)
		return exitDone
	default:
		fmt.Fprintf(c.err, "posagent: %q is not a verb\n\n%s", verb, usage)
		return exitUsage
	}
}

// verb parses flags, which may stand before or after the arguments, and runs do with least to most arguments.
func (c *command) verb(name string, rest []string, least, most int, define func(*flag.FlagSet), do func([]string) int) int {
	f := flag.NewFlagSet("posagent "+name, flag.ContinueOnError)
	f.SetOutput(c.err)
	f.StringVar(&c.config, "config", c.config, "configuration `FILE`")
	f.BoolVar(&c.json, "json", false, "answer in JSON, one object a line")
	if define != nil {
		define(f)
	}
	var args []string
	for {
		if len(rest) > 0 && strings.HasPrefix(rest[0], "-") && strings.Trim(rest[0], "-.0123456789") == "" {
			args, rest = append(args, rest[0]), rest[1:] // "-5" is a wrong amount, not a flag
			continue
		}
		if err := f.Parse(rest); errors.Is(err, flag.ErrHelp) {
			return exitDone
		} else if err != nil {
			return exitUsage
		}
		if f.NArg() == 0 {
			break
		}
		args, rest = append(args, f.Arg(0)), f.Args()[1:]
	}
	if len(args) < least || len(args) > most {
		fmt.Fprintf(c.err, "posagent %s: %d argument(s) do not fit\n\n%s", name, len(args), usage)
		return exitUsage
	}
	if c.config == "" {
		c.config = defaultConfig
	}
	return do(args)
}

func (c *command) fail(err error) int {
	fmt.Fprintf(c.err, "posagent: %v\n", err)
	return exitFailed
}

func (c *command) configCheck() int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if absent := config.absent(); len(absent) > 0 {
		fmt.Fprintf(c.err, "posagent: %s reads well, but %d thing(s) it names are not right\n", c.config, len(absent))
		for _, a := range absent {
			fmt.Fprintf(c.err, "  %s\n", a)
		}
		return exitFailed
	}
	fmt.Fprintf(c.out, "%s: good\n", c.config)
	return exitDone
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
