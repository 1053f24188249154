package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The bench prints the budgets of the design beside what this machine measures. It judges nothing: a figure over its
// budget is for people to read, and a noisy machine fails nobody. Only a figure that could not be measured at all makes
// it end with an error.
//
// A clock's figure is also given as a ratio to a unit that is timed in between (bench_unit.go), so that two runs, or two
// machines, can be compared by their ratios.

// measuring is one run of the bench.
type measuring struct {
	places
	records, sales int
	only           string // chapters whose name has this in it
	bare           *bare
	stores         stores // bench_stock.go
	began          time.Time
	progress       io.Writer
}

// benchCommand is the verb: flags, the table on out, what is being done on progress.
func benchCommand(ctx context.Context, f *flag.FlagSet, args []string, out, progress io.Writer) error {
	m := measuring{began: time.Now(), progress: progress}
	f.StringVar(&m.bin, "bin", filepath.Dir(os.Args[0]), "where posagent, acquirersim and devicesim are")
	f.StringVar(&m.dir, "dir", filepath.Join("run", "bench"), "on the disk that is measured; emptied first, and removed when all went well")
	f.StringVar(&m.cards, "cards", filepath.Join("testdata", "cards", "cards.toml"), "test cards and their accounts")
	f.IntVar(&m.records, "records", 50_000, "finished records in the large store; the budgets are for 50000")
	f.IntVar(&m.sales, "sales", 400, "sales in each loop of the store")
	f.StringVar(&m.only, "only", "", "measure only the chapters with these words in what is being done, like \"slips\" or \"the store\"")
	loop := f.String("loop", "", "make the sales of one loop in -dir and nothing else, for the tracer: "+strings.Join(loopNames(), ", "))
	_ = f.Parse(args)
	switch {
	case f.NArg() > 0 || m.records < smallStore || m.sales < archiveEvery:
		return errors.New(usage)
	case *loop != "":
		return tracedLoop(*loop, m.dir, m.sales)
	}
	return m.run(ctx, out)
}

// run prints a chapter as soon as it is measured, and goes on after one that could not be.
func (m *measuring) run(ctx context.Context, out io.Writer) error {
	if err := m.open(); err != nil {
		return err
	}
	defer m.close()
	fmt.Fprintf(out, "%s/%s, %d processors, load %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load())
	fmt.Fprintln(out, row{"", "measured", "ratio", "budget"})
	var failed []error
	for _, c := range []struct {
		doing   string
		measure func(context.Context) (chapter, error)
	}{
		{"building for two ARMs", m.binaries},
		{"the codec", m.codec},
		{"slips at two speeds", m.printing},
		{"the way to the acquirer", m.bearers},
		{"memory and start of the agent", m.resident},
		{"one sale under the tracer", m.tracedSale},
		{"the store under the tracer", m.storeCost},
		{"the store beside others", m.beside},
		{"from card to wire", m.cardToWire},
	} {
		if !strings.Contains(c.doing, m.only) {
			continue
		}
		m.say("%s", c.doing)
		got, err := c.measure(ctx)
		if err != nil {
			got.notes = append(got.notes, "NOT MEASURED: "+err.Error())
			failed = append(failed, fmt.Errorf("%s: %w", c.doing, err))
		}
		if got.title == "" {
			got.title = strings.ToUpper(c.doing[:1]) + c.doing[1:]
		}
		got.print(out)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Fprintf(out, "x is one bare pwrite of 4 KiB and fdatasync, timed in between on the same disk,\nunless said otherwise. %.0f s.\n",
		time.Since(m.began).Seconds())
	if len(failed) == 0 {
		return os.RemoveAll(m.dir) // about a hundred megabytes of stores; after a failure the logs among them are wanted
	}
	return errors.Join(failed...)
}

// load tells how busy the machine is with other things: its one-minute average (proc_loadavg(5)).
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	average, _, _ := strings.Cut(string(text), " ")
	return cmp.Or(average, "unknown")
}

// open empties the directory.
func (m *measuring) open() (err error) {
	if m.dir, err = filepath.Abs(m.dir); err != nil {
		return err
	}
	if m.bin, err = filepath.Abs(m.bin); err != nil {
		return err
	}
	removeLoopDisk(m.dir)
	if err := os.RemoveAll(m.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return err
	}
	m.bare, err = newBare(m.dir)
	return err
}

func (m *measuring) close() {
	m.bare.close()
	m.stores.remove()
}

// say tells whoever waits what takes so long.
func (m *measuring) say(format string, args ...any) {
	fmt.Fprintf(m.progress, "%4.0f s  %s\n", time.Since(m.began).Seconds(), fmt.Sprintf(format, args...))
}
