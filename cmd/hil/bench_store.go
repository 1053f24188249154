package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// storeCost sells into stores with a long history under the tracer, for what is written and flushed, and where a sync is
// free, for what is left.
func (m *measuring) storeCost(ctx context.Context) (chapter, error) {
	c := chapter{title: fmt.Sprintf("What a sale gives to the kernel: %d sales onto %d records, traced", m.sales, m.records)}
	dir := filepath.Join(m.dir, "loop")
	if err := m.prepareLoops(ctx, dir); err != nil {
		return c, err
	}
	var missing error
	for _, loop := range []struct{ name, what, bytes, flushes string }{
		{"busy", "this store, two copies", "36 KiB", "6.8"},
		{"lone", "  if tidied after each sale", "", ""},
		{"plain", "plain bbolt", "", ""},
		{"sqlite", "SQLite, WAL, FULL", "", ""},
		{"log", "raw log with checksums", "", ""},
	} {
		used, err := m.tracedCost(ctx, loop.name, dir)
		if err != nil {
			missing = errors.Join(missing, fmt.Errorf("%s: %w", loop.what, err))
			continue
		}
		perSale := func(n int64) float64 { return float64(n) / float64(m.sales) }
		c.rows = append(c.rows,
			row{loop.what + ", bytes", kibibytes(perSale(used.bytes)), "", loop.bytes},
			row{loop.what + ", flushes", fmt.Sprintf("%.2f", perSale(int64(used.flushes()))), "", loop.flushes})
	}
	if missing != nil {
		return c, missing
	}
	unit, err := m.unitNow()
	if err != nil {
		return c, err
	}
	inMemory, err := m.inMemory(ctx)
	if err == nil && inMemory > 0 {
		c.rows = append(c.rows, row{"this store's processor time: all of a sale on " + memoryDir, span(inMemory), times(ratio(inMemory, unit)), ""})
	}
	c.notes = []string{"Bytes are given to pwrite; flushes are fdatasync, fsync and writes with O_DSYNC."}
	return c, err
}

func (m *measuring) prepareLoops(ctx context.Context, dir string) error {
	made, err := m.stock(ctx)
	if err != nil {
		return err
	}
	if err := copyStore(made.large, filepath.Join(dir, loopStore)); err != nil {
		return err
	}
	p, err := filledPlain(dir, m.records)
	if err != nil {
		return err
	}
	l, err := filledLog(dir, m.records)
	if err != nil {
		return errors.Join(err, p.close())
	}
	return errors.Join(p.close(), l.close())
}

// tracedCost runs a loop as a process of its own under the tracer.
func (m *measuring) tracedCost(ctx context.Context, loop, dir string) (cost, error) {
	m.say("  %s, traced", loop)
	if loop == "sqlite" {
		return m.traceSQLite(ctx, dir)
	}
	self, err := os.Executable()
	if err != nil {
		return cost{}, err
	}
	return costUnderTracer(ctx, self, "bench", "-loop", loop, "-dir", dir, "-sales", strconv.Itoa(m.sales), "-records", strconv.Itoa(m.records))
}

// sellOnce makes one sale and what follows it. It tells how long the customer waited, and how long all of it took.
func sellOnce(s seller) (waited, whole time.Duration, err error) {
	if waited, err = s.sale(); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	err = s.after()
	return waited, waited + time.Since(began), err
}

// inMemory is the time of a sale and its share of a move in the same store where a sync is free; 0 where there is no such
// place.
func (m *measuring) inMemory(ctx context.Context) (time.Duration, error) {
	made, err := m.stock(ctx)
	if err != nil || !made.inMemory {
		return 0, err
	}
	t, err := openTill(made.large, "memory")
	if err != nil {
		return 0, err
	}
	defer t.close()
	var groups []time.Duration
	for ctx.Err() == nil && len(groups) < m.sales/archiveEvery {
		var group time.Duration
		for range archiveEvery {
			_, whole, err := sellOnce(t)
			if err != nil {
				return 0, err
			}
			group += whole
		}
		groups = append(groups, group/archiveEvery)
	}
	return median(groups), ctx.Err()
}
