package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// besideSales is how many sales each rival makes for a figure of latency, by turns with the others.
const besideSales = 100

// besideBudgets are the design's, for the store with its two copies; they were taken with 5,000 records.
var besideBudgets = [4]string{"36 KB", "6.8", "5.1 x", "100 ms"}

// figure is what was measured of one rival at one number of records.
type figure struct {
	bytes, flushes  float64 // a sale, as the device counts them; negative where others used it too much
	latency, served float64 // times a bare write: as long as the customer waits, and everything that a sale costs
	open            time.Duration
}

// beside sells into the store and its rivals on a disk of our own if that can be had, and on the disk that is measured.
func (m *measuring) beside(ctx context.Context) (chapter, error) {
	c := chapter{title: "The store beside others: two durable states of a record of about 600 bytes"}
	if _, err := m.stock(ctx); err != nil {
		return c, err
	}
	own, err := newLoopDisk(m.dir)
	if err != nil {
		c.notes = append(c.notes, "No disk of our own: "+err.Error())
	} else {
		err := m.besideOn(ctx, &c, own.dir, "ext4 on a loop device with direct I/O, as the budgets")
		if err = errors.Join(err, own.close()); err != nil {
			return c, err
		}
	}
	err = m.besideOn(ctx, &c, m.dir, "the disk of "+m.dir)
	c.notes = append(c.notes, "By the number of finished records. Bytes and flushes are the device's own count (/sys/dev/block), the file system's included; "+
		"\"busy\" where others wrote. SQLite, bbolt and the log have one copy of a sale, this store has two. "+
		"Open is from open to the newest record read, after a clean end; this store commits its boot and verifies its files in it, SQLite sets up a virtual machine. "+
		fmt.Sprintf("Latency is the median of %d sales, by turns.", besideSales))
	return c, err
}

func (m *measuring) besideOn(ctx context.Context, c *chapter, dir, disk string) error {
	sizes := m.stores.sizes()
	all := make([][]figure, len(rivals))
	for _, records := range sizes {
		m.say("  %d records on %s", records, disk)
		got, err := m.besideWith(ctx, filepath.Join(dir, "beside"), records)
		if err != nil {
			return fmt.Errorf("%d records on %s: %w", records, disk, err)
		}
		for i, f := range got {
			all[i] = append(all[i], f)
		}
	}
	c.table = append(c.table, besideTable(disk, sizes, all)...)
	return nil
}

// besideWith measures all rivals with so many records each.
func (m *measuring) besideWith(ctx context.Context, dir string, records int) (got []figure, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	unit, err := newBare(dir)
	if err != nil {
		return nil, err
	}
	defer unit.close()
	var open []rival
	defer func() {
		for _, r := range open {
			err = errors.Join(err, r.close())
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	for _, one := range rivals {
		r, err := one.open(m, dir, records)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		open = append(open, r)
	}
	took, served := make([][]time.Duration, len(open)), make([][]time.Duration, len(open))
	for n := 0; n < besideSales+archiveEvery && ctx.Err() == nil; n++ {
		for i, r := range open {
			if err := unit.write(); err != nil {
				return nil, err
			}
			waited, whole, err := sellOnce(r)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rivals[i].name, err)
			}
			if n >= archiveEvery { // the first ones find their files cold
				took[i], served[i] = append(took[i], waited), append(served[i], whole)
			}
		}
	}
	bare := unit.unit()
	for i, r := range open {
		f := figure{latency: ratio(median(took[i]), bare), served: ratio(median(moves(served[i])), bare)}
		if f.bytes, f.flushes, err = counted(ctx, dir, r, m.sales); err != nil {
			return nil, fmt.Errorf("%s: %w", rivals[i].name, err)
		}
		var opens []time.Duration
		for range starts {
			one, err := r.reopen()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rivals[i].name, err)
			}
			opens = append(opens, one)
		}
		f.open = median(opens)
		got = append(got, f)
	}
	return got, ctx.Err()
}

// moves are means over as many sales as one move to the archive serves, that move included.
func moves(served []time.Duration) (groups []time.Duration) {
	for ; len(served) >= archiveEvery; served = served[archiveEvery:] {
		var sum time.Duration
		for _, one := range served[:archiveEvery] {
			sum += one
		}
		groups = append(groups, sum/archiveEvery)
	}
	return groups
}

// counted reads the device's counters around sales. They count everybody's writes, so they are good only when the device
// was almost idle afterwards.
func counted(ctx context.Context, dir string, r rival, sales int) (bytes, flushes float64, err error) {
	before, err := diskOf(dir)
	if err != nil {
		return -1, -1, nil // not every file system has a device
	}
	began := time.Now()
	for range sales {
		if _, _, err := sellOnce(r); err != nil {
			return 0, 0, err
		}
	}
	after, err := diskOf(dir)
	if err == nil {
		err = rest(ctx, time.Since(began)/8)
	}
	if err != nil {
		return 0, 0, err
	}
	idle, err := diskOf(dir)
	if err != nil {
		return 0, 0, err
	}
	used, others := after.minus(before), idle.minus(after)
	if 8*others.bytes > used.bytes/10 || 8*others.flushes > used.flushes/10 {
		return -1, -1, nil
	}
	return float64(used.bytes) / float64(sales), float64(used.flushes) / float64(sales), nil
}

// Widths of the table's columns.
const (
	besideName   = 27
	besideFigure = 10
)

// besideTable is the figures of one disk, a block for each kind.
func besideTable(disk string, sizes []int, all [][]figure) (lines []string) {
	line := func(name string, cells []string, budget string) {
		text := name + strings.Repeat(" ", max(1, besideName-len([]rune(name))))
		for _, cell := range cells {
			text += fmt.Sprintf("%*s", besideFigure, cell)
		}
		lines = append(lines, strings.TrimRight(text+fmt.Sprintf("%*s", tableWidth-besideName-len(sizes)*besideFigure, budget), " "))
	}
	unlessBusy := func(value float64, text string) string {
		if value < 0 {
			return "busy"
		}
		return text
	}
	lines = append(lines, "  On "+disk)
	for k, kind := range []struct {
		name string
		text func(figure) string
	}{
		{"device bytes a sale", func(f figure) string { return unlessBusy(f.bytes, kibibytes(f.bytes)) }},
		{"device flushes a sale", func(f figure) string { return unlessBusy(f.flushes, fmt.Sprintf("%.2f", f.flushes)) }},
		{"latency, x a bare write", func(f figure) string { return times(f.latency) }},
		{"open", func(f figure) string { return span(f.open) }},
	} {
		var heads []string
		for _, n := range sizes {
			heads = append(heads, fmt.Sprint(n))
		}
		line("  "+kind.name, heads, "budget")
		for i, figures := range all {
			var cells, served []string
			for _, f := range figures {
				cells, served = append(cells, kind.text(f)), append(served, times(f.served))
			}
			budget := ""
			if i == 0 {
				budget = besideBudgets[k]
			}
			line("    "+rivals[i].name, cells, budget)
			if i == 0 && kind.name[0] == 'l' {
				line("      moves included", served, "")
			}
		}
	}
	return append(lines, "")
}
