// Hil is the bench: it puts the real terminal program between simulators and judges it by the acquirer's ledger.
//
//	hil desk    four sales on this machine: approved over TCP, approved over the modem, unanswered and reversed,
//	            and killed while waiting; then the slips, and both sides' books side by side. At a terminal the
//	            counter then stays open for more sales.
//
//	hil bench   the figures of the design's budgets, measured on this machine; run from the repository's root (bench.go)
//
//	hil crash   what a power cut may leave of the store's files, state by state, opened and held against what the
//	            store had promised (crash.go)
//
//	hil shutdown
//	            the store at work while its file system is shut down abruptly, a thousand times (shutdown.go); root
//
//	hil full    what still finishes on a full disk, counted (full.go); root
//	hil damage  damaged files, and flushes that did not happen: the store started on each image (damage.go)
//
//	hil scenario FILE...
//	            stories of testdata/scenarios on real processes (scenario.go); those that need virtual time, or a wire that
//	            processes do not have, are named
//
//	hil knife -at N PROGRAM ARGS
//	            run a program and kill it before its N-th system call that the world could notice, or with -fail N let
//	            that call fail (knife.go)
//
// Desk exits 0 only if the books agree, crash, damage and shutdown only if every state is right and every control is
// caught, full only if enough finishes. Where a machine does not allow what a verb needs, its exit status is 77.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

const usage = `usage: hil desk [-bin DIR] [-dir DIR] [-cards FILE]
       hil bench [-bin DIR] [-dir DIR] [-cards FILE] [-records N] [-sales N]
       hil crash [-states N] [-sales N] [-workers N] [-seed N] [-keep DIR]
       hil shutdown [-cuts N] [-workers N] [-seed N] [-only NAME] [-keep DIR]
       hil full
       hil damage [-images N] [-workers N] [-seed N] [-keep DIR] [-image DIR]
       hil scenario [-bin DIR] [-cards FILE] FILE...
       hil knife [-at N] [-fail N] [-errno NAME] [-forever] [-at-once] [-under DIR] PROGRAM ARGS`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hil:", err)
		if errors.Is(err, errUnable) {
			os.Exit(statusUnable)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	switch f := flag.NewFlagSet("hil "+args[0], flag.ExitOnError); args[0] {
	case "desk":
		var p places
		f.StringVar(&p.bin, "bin", filepath.Dir(os.Args[0]), "where posagent, acquirersim and devicesim are")
		f.StringVar(&p.dir, "dir", "run", "where stores, paper, ledger and logs go; emptied first")
		f.StringVar(&p.cards, "cards", filepath.Join("testdata", "cards", "cards.toml"), "test cards and their accounts")
		_ = f.Parse(args[1:])
		return desk(ctx, p, os.Stdin, os.Stdout)
	case "bench":
		return benchCommand(ctx, f, args[1:], os.Stdout, os.Stderr)
	case "crash":
		return crashCommand(ctx, f, args[1:], os.Stdout, os.Stderr)
	case "scenario":
		return scenarioCommand(ctx, f, args[1:], os.Stdout)
	case "shutdown":
		return shutdownCommand(ctx, f, args[1:], os.Stdout, os.Stderr)
	case "full":
		return fullCommand(ctx, f, args[1:], os.Stdout, os.Stderr)
	case "damage":
		return damageCommand(ctx, f, args[1:], os.Stdout, os.Stderr)
	case "knife":
		var c strike
		f.IntVar(&c.kill, "at", 0, "kill before this call; 0 never kills")
		f.IntVar(&c.fail, "fail", 0, "let this call fail; 0 never")
		number := f.String("errno", "EIO", "error of a failing call: EIO, ENOSPC, EROFS or EDQUOT")
		f.BoolVar(&c.forever, "forever", false, "and all calls after it, until \"heal\" is read")
		f.BoolVar(&c.atOnce, "at-once", false, "count from the start")
		f.StringVar(&c.under, "under", "", "count calls on files below this `DIR` only")
		_ = f.Parse(args[1:])
		if f.NArg() == 0 {
			return errors.New(usage)
		}
		var known bool
		if c.number, known = errorNumbers[*number]; !known {
			return fmt.Errorf("-errno %s is not known; use EIO, ENOSPC, EROFS or EDQUOT", *number)
		}
		return knife(c, f.Args(), os.Stdin, os.Stdout)
	default:
		return errors.New(usage)
	}
}
