package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A full disk. On a small file system, a tmpfs and an ext4, the real store trades until its archive is about to grow, which
// is when it has least set aside; five sales are open, as many as may be, and twenty transactions stand in the archive and
// wait for people. Then somebody else's file takes every byte that is left. What is open must finish; new sales go on
// until the store refuses them with that reason, before anything is recorded; from then on every commit for what waits
// must still succeed; and with space again trade goes on in the same process (full_trade.go). In the end every record is
// held against what was promised, as after a crash (crash_check.go).
//
// Beside it, on the same disk, a plain bbolt file shows what happens to a store that has set nothing aside.

const (
	fullAtLeast = 300 // sales that finish on a full disk, and sales' worth of commits for what waits; 2 commits are a sale
	openSales   = 5   // as many as the store has slots
	atPeople    = 20
	triesEach   = 30 // commits for each of those, and the one that closes it
)

func fullCommand(ctx context.Context, f *flag.FlagSet, args []string, out, log io.Writer) error {
	inside := f.String("inside", "", "of a child: its directory, in its own mount namespace")
	_ = f.Parse(args)
	switch {
	case f.NArg() > 0:
		return errors.New(usage)
	case *inside == "":
		return inOwnMounts(ctx, "full", args, out, log)
	}
	if err := ownPlace(*inside); err != nil {
		return err
	}
	var all []fullFigures
	for _, trade := range []func(context.Context, string) (fullFigures, error){onFullTmpfs, onFullExt4} {
		one, err := trade(ctx, *inside)
		if err != nil {
			return fmt.Errorf("%s: %w", one.where, err)
		}
		all = append(all, one)
	}
	return reportFull(out, all)
}

func onFullTmpfs(ctx context.Context, dir string) (figures fullFigures, err error) {
	const size = 4 << 20
	figures.where = "tmpfs, 4 MiB"
	point := filepath.Join(dir, "tmpfs")
	if err := unix.Mkdir(point, 0o700); err != nil {
		return figures, err
	}
	if err := unix.Mount("small", point, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		return figures, fmt.Errorf("%w: mount tmpfs: %w", errUnable, err)
	}
	defer func() { err = errors.Join(err, unix.Unmount(point, 0)) }()
	return figures, figures.trade(ctx, point)
}

func onFullExt4(ctx context.Context, dir string) (figures fullFigures, err error) {
	k := volumeKind{name: "ext4, 16 MiB", system: "ext4", mkfs: []string{"-b", "4096"}, size: 16 << 20}
	figures.where = k.name
	if err := k.whyNot(ctx, filepath.Join(dir, "try")); err != nil {
		return figures, fmt.Errorf("%w: %w", errUnable, err)
	}
	v, err := newVolume(ctx, k, filepath.Join(dir, "ext4"))
	if err != nil {
		return figures, err
	}
	defer func() { err = errors.Join(err, v.remove()) }()
	if err := v.mount(); err != nil {
		return figures, err
	}
	return figures, figures.trade(ctx, v.point)
}

// fullFigures is what happened on one full disk.
type fullFigures struct {
	where    string
	before   int // sales in the books when it filled
	open     int // then
	finished int // of these
	further  int // whole sales more
	people   int // transactions that waited for people when it filled
	commits  int // for these, after the last sale
	told     string
	resumed  bool  // with space, in the same process
	records  int   // examined at the end
	wrong    error // of them; or with the full disk itself
	plain    int   // sales of the plain file before it failed
}

// faults says what is not as it must be.
func (f fullFigures) faults() (list []string) {
	must := func(ok bool, format string, args ...any) {
		if !ok {
			list = append(list, f.where+": "+fmt.Sprintf(format, args...))
		}
	}
	must(f.wrong == nil, "%v", f.wrong)
	must(f.open == openSales && f.finished == f.open, "%d of %d open sales finished", f.finished, f.open)
	must(f.finished+f.further >= fullAtLeast, "only %d sales finished", f.finished+f.further)
	must(f.people == atPeople && f.commits/2 >= fullAtLeast, "only %d commits for %d that waited", f.commits, f.people)
	must(f.told != "", "no sale was refused")
	must(f.resumed, "trade did not go on with space")
	must(f.records >= f.before+f.open+f.further+f.people, "only %d records at the end", f.records)
	must(f.plain < fullAtLeast, "the plain file sold %d times: the disk was not full", f.plain)
	return list
}

func reportFull(out io.Writer, all []fullFigures) error {
	const whatFull, columnFull = 50, 14
	row := func(what string, value func(fullFigures) any, must string) {
		line := fmt.Sprintf("%-*s", whatFull, what)
		for _, f := range all {
			line += fmt.Sprintf("%*v", columnFull, value(f))
		}
		fmt.Fprintln(out, strings.TrimRight(line+"   "+must, " "))
	}
	count := func(value func(fullFigures) int) func(fullFigures) any {
		return func(f fullFigures) any { return value(f) }
	}
	least := fmt.Sprintf(">= %d", fullAtLeast)
	row("a full disk", func(f fullFigures) any { return f.where }, "")
	row("sales in the books when it filled", count(func(f fullFigures) int { return f.before }), "")
	row("sales open when it filled", count(func(f fullFigures) int { return f.open }), "")
	row("  of them finished on the full disk", count(func(f fullFigures) int { return f.finished }), "all")
	row("  begun and finished after them", count(func(f fullFigures) int { return f.further }), "")
	row("  together, before new ones were refused", count(func(f fullFigures) int { return f.finished + f.further }), least)
	row("waiting for people when it filled", count(func(f fullFigures) int { return f.people }), "")
	row("  commits for them after the last sale", count(func(f fullFigures) int { return f.commits }), "")
	row("  in sales' worth, of two commits", count(func(f fullFigures) int { return f.commits / 2 }), least)
	row("sold again with space, in the same process", func(f fullFigures) any { return yes(f.resumed) }, "yes")
	row("records at the end, all as promised", func(f fullFigures) any { return fmt.Sprintf("%d %s", f.records, yes(f.wrong == nil)) }, "yes")
	row("a plain bbolt file there, sales before it failed", count(func(f fullFigures) int { return f.plain }), fmt.Sprintf("< %d", fullAtLeast))
	var faults []string
	for _, f := range all {
		fmt.Fprintf(out, "\nA new sale on the %s, was told:\n", strings.Replace(f.where, ",", " of", 1))
		for _, line := range wrapped(f.told, tableWidth-2) {
			fmt.Fprintf(out, "  %s\n", line)
		}
		faults = append(faults, f.faults()...)
	}
	if len(faults) > 0 {
		return errors.New("not as it must be: " + strings.Join(faults, "; "))
	}
	return nil
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "NO"
}
