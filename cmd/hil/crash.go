package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"posagent/txnstore"
)

// The crash prover. It records everything that the real store asks of its disk in a long trade (crash_trace.go,
// crash_life.go), works out what a power cut at any moment may have left of it (crash_log.go, crash_states.go), has
// workers open each of these states with the real store and compare it with what was promised (crash_check.go,
// crash_worker.go), and does the same with the writes that opening makes, twice over (crash_recover.go). What is wrong on
// purpose must be found to be wrong (crash_control.go).
//
// What it assumes of a disk: a sync that returned is on the disk; before it, any part of what is in flight may be, in any
// order; a sector of 512 bytes is written whole or not at all, or else its whole 4 KiB block is lost; names appear in
// the order in which they were made.
//
// The draw of the states follows from the seed. The bytes do not quite: seals have random nonces.

type crashSettings struct {
	states, sales, workers int
	seed                   uint64
	keep                   string // where the first wrong states are laid out; empty is nowhere
}

func crashCommand(ctx context.Context, f *flag.FlagSet, args []string, out, log io.Writer) error {
	var s crashSettings
	f.IntVar(&s.states, "states", 1_000_000, "distinct crash states of the real store to examine, at least")
	f.IntVar(&s.sales, "sales", 520, "sales in the long life; the short ones have 16")
	f.IntVar(&s.workers, "workers", runtime.NumCPU(), "processes that examine states")
	f.Uint64Var(&s.seed, "seed", 1, "of the trade and of the draw")
	f.StringVar(&s.keep, "keep", "", "lay the first wrong states out in this directory")
	at := f.String("at", "", "of a child: its directory")
	alive := f.Bool("live", false, "be the child that trades")
	opening := f.Bool("recover", false, "be the child that only opens")
	wrong := f.String("pocket", "", "be the child that trades wrongly")
	plan := f.String("worker", "", "be a child that examines states of this plan")
	_ = f.Parse(args)
	switch {
	case *alive:
		return live(*at, s.sales, s.seed)
	case *opening:
		_, _, err := txnstore.Open(*at, crashOptions()) // and is gone: closing is no part of recovery
		return err
	case *wrong != "":
		return pocket(*at, *wrong, 12)
	case *plan != "":
		return work(*plan, *at, os.Stdin, out)
	case s.states < 1 || s.sales < 1 || s.workers < 1 || f.NArg() > 0:
		return errors.New(usage)
	}
	return prove(ctx, s, out, log)
}

// prover is one run.
type prover struct {
	crashSettings
	self  string
	dir   string
	log   io.Writer
	began time.Time
	plan  plan

	// of the outcomes
	areas    map[string]*tally
	distinct map[digest]bool
	faults   []blame
	failures map[string]int // by kind
	caught   map[string]int // failing states, by control
	tried    map[string]int
	lies     map[string]lieTally // by file
	sampled  string              // what of all states was left out
	cost     expense
	next     time.Time // when to say how far it is
}

func prove(ctx context.Context, s crashSettings, out, log io.Writer) (err error) {
	debug.SetGCPercent(50) // it works out states by the hundred thousand and keeps few
	p := &prover{crashSettings: s, log: log, began: time.Now(), plan: plan{Seed: s.seed}, areas: map[string]*tally{},
		distinct: map[digest]bool{}, failures: map[string]int{}, caught: map[string]int{}, lies: map[string]lieTally{}, tried: map[string]int{}}
	if p.self, err = os.Executable(); err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp(quickPlace(), "crash"); err != nil {
		return err
	}
	defer os.RemoveAll(p.dir)
	always, fill, err := p.prepare(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(p.dir, "plan")
	if err := p.plan.write(file); err != nil {
		return err
	}
	c := crew{self: p.self, command: "crash", patience: stateWithin, plan: file, dir: p.dir, done: p.count, next: func() (j job, more bool) {
		switch {
		case len(always) > 0:
			j, always = always[0], always[1:]
		case len(fill) > 0 && len(p.distinct) < p.states:
			j, fill = fill[0], fill[1:]
		default:
			return job{}, false
		}
		return j, true
	}}
	p.cost.begin()
	examining := time.Now()
	if err := c.run(ctx, s.workers); err != nil {
		return err
	}
	p.cost.end(c.most)
	return errors.Join(p.report(out, time.Since(examining)), p.keepFaults())
}

// quickPlace is memory where there is some: states are examined for what is in them, not for how fast a disk is.
func quickPlace() string {
	if info, err := os.Stat(memoryDir); err == nil && info.IsDir() {
		return memoryDir
	}
	return os.TempDir()
}

func (p *prover) say(format string, args ...any) {
	fmt.Fprintf(p.log, "%6.1f s  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

func (p *prover) directory(name string) (string, error) {
	dir := filepath.Join(p.dir, name)
	return dir, os.Mkdir(dir, 0o700)
}
