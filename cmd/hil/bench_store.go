package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// storeCost sells into stores with a long history: traced for what is written and flushed, then untraced for how long it
// takes, with the bare write and a plain bbolt file in between.
func (m *measuring) storeCost(ctx context.Context) (chapter, error) {
	c := chapter{title: fmt.Sprintf("The store, per approved sale: %d sales onto %d records", m.sales, m.records)}
	dir := filepath.Join(m.dir, "loop")
	if err := m.prepareLoops(ctx, dir); err != nil {
		return c, err
	}
	plain, err := m.tracedCost(ctx, "plain", dir)
	if err != nil {
		return c, err
	}
	busy, err := m.tracedCost(ctx, "busy", dir)
	if err != nil {
		return c, err
	}
	lone, err := m.tracedCost(ctx, "lone", dir)
	if err != nil {
		return c, err
	}
	ours, moves, theirs, err := m.latencies(ctx, dir)
	if err != nil {
		return c, err
	}
	unit := m.bare.unit()
	inMemory, err := m.inMemory(ctx)
	if err != nil {
		return c, err
	}
	perSale := func(n int64) float64 { return float64(n) / float64(m.sales) }
	flushes := func(x cost) string { return fmt.Sprintf("%.2f", perSale(int64(x.flushes()))) }
	c.rows = []row{
		{"given to pwrite, shadow included", kibibytes(perSale(busy.bytes)), "", "36 KiB"},
		{"  if tidied after each sale", kibibytes(perSale(lone.bytes)), "", ""},
		{"  plain bbolt, no second copy", kibibytes(perSale(plain.bytes)), "", ""},
		{"flushes: fdatasync and O_DSYNC", flushes(busy), "", "6.8"},
		{"  if tidied after each sale", flushes(lone), "", ""},
		{"  plain bbolt, no second copy", flushes(plain), "", ""},
		{"latency: begin and outcome", span(median(ours)), times(ratio(median(ours), unit)), "5.1 x"},
		{"  archive moves included", span(median(moves)), times(ratio(median(moves), unit)), "5.1 x"},
		{"  plain bbolt, no second copy", span(median(theirs)), times(ratio(median(theirs), unit)), ""},
		{"  archive moves included : plain bbolt", "", times(ratio(median(moves), median(theirs))), ""},
		{"one bare write and fdatasync", span(unit), "1 x", ""},
	}
	if inMemory > 0 {
		c.rows = append(c.rows, row{"the processor's part: all of it on " + memoryDir, span(inMemory), times(ratio(inMemory, unit)), ""})
	}
	device, why, err := m.onDevice(ctx, dir)
	if err != nil {
		return c, err
	}
	c.rows = append(c.rows, device...)
	c.notes = append(c.notes, why)
	return c, nil
}

func (m *measuring) prepareLoops(ctx context.Context, dir string) error {
	made, err := m.stock(ctx)
	if err != nil {
		return err
	}
	if err := copyStore(made.large, filepath.Join(dir, loopStore)); err != nil {
		return err
	}
	p, err := openPlain(filepath.Join(dir, loopPlain))
	if err != nil {
		return err
	}
	if err := p.fill(m.records); err != nil {
		return err
	}
	return p.close()
}

// tracedCost runs a loop as a process of its own under the tracer.
func (m *measuring) tracedCost(ctx context.Context, loop, dir string) (cost, error) {
	m.say("  %s, traced", loop)
	ctx, cancel := context.WithTimeout(ctx, saleWithin)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return cost{}, err
	}
	var said strings.Builder
	t, err := trace(&said, self, "bench", "-loop", loop, "-dir", dir, "-sales", strconv.Itoa(m.sales), "-records", strconv.Itoa(m.records))
	if err != nil {
		return cost{}, err
	}
	if err := t.ended(ctx); err != nil {
		return cost{}, err
	}
	calls, err := t.listed()
	if err == nil {
		calls, err = betweenMarks(calls)
	}
	if err != nil {
		return cost{}, fmt.Errorf("loop %s: %w: %s", loop, err, strings.TrimSpace(said.String()))
	}
	return costOf(calls), nil
}

// latencies interleaves one sale here, one sale in plain bbolt and two bare writes. Moves are means over as many sales as
// one move to the archive serves, that move included.
func (m *measuring) latencies(ctx context.Context, dir string) (ours, moves, theirs []time.Duration, err error) {
	m.say("  against plain bbolt and the bare write, by turns")
	t, err := openLoop("busy", dir)
	if err != nil {
		return nil, nil, nil, err
	}
	defer t.close()
	p, err := openLoop("plain", dir)
	if err != nil {
		return nil, nil, nil, err
	}
	defer p.close()
	var group time.Duration
	for n := 1; n <= m.sales && ctx.Err() == nil; n++ {
		if err := m.bare.write(); err != nil {
			return nil, nil, nil, err
		}
		took, whole, err := sellOnce(t)
		if err != nil {
			return nil, nil, nil, err
		}
		ours, group = append(ours, took), group+whole
		if n%archiveEvery == 0 {
			moves, group = append(moves, group/archiveEvery), 0
		}
		if err := m.bare.write(); err != nil {
			return nil, nil, nil, err
		}
		took, err = p.sale()
		if err != nil {
			return nil, nil, nil, err
		}
		theirs = append(theirs, took)
	}
	return ours, moves, theirs, ctx.Err()
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
