package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// afterTheSale is time for what the agent does once nobody waits. It is longer than the rig's time until the store is
// tidied.
const afterTheSale = 500 * time.Millisecond

// tracedSale lists the system calls of one approved sale after sign-in.
func (m *measuring) tracedSale(ctx context.Context) (chapter, error) {
	c := chapter{title: "One approved sale after sign-in, traced from card to paper"}
	ctx, cancel := context.WithTimeout(ctx, saleWithin)
	defer cancel()
	r, err := m.counterIn(filepath.Join(m.dir, "traced"))
	defer r.tearDown()
	if err != nil {
		return c, err
	}
	log, err := os.Create(r.at("posagent.log"))
	if err != nil {
		return c, err
	}
	defer log.Close()
	t, err := trace(log, filepath.Join(r.bin, "posagent"), "run", "-config", r.at("posagent.toml"))
	if err != nil {
		return c, err
	}
	r.terminal = t.process
	if err := r.awaitSocket(ctx); err != nil {
		return c, err
	}
	before := 0
	for n := range 2 {
		calls, err := t.listed()
		if err != nil {
			return c, err
		}
		before = len(calls)
		if err := r.oneSale(ctx, fmt.Sprint("traced-", n), fmt.Sprintf("12.5%d", n)); err != nil {
			return c, err
		}
		if err := rest(ctx, afterTheSale); err != nil {
			return c, err
		}
	}
	r.cutPower()
	calls, err := t.listed()
	if err != nil {
		return c, err
	}
	return c.of(calls[before:], r)
}

// of fills the chapter with what was traced.
func (c chapter) of(calls []call, r *rig) (chapter, error) {
	reader, err := os.Readlink(r.at("reader"))
	if err != nil {
		return c, err
	}
	printer, err := os.Readlink(r.at("printer"))
	if err != nil {
		return c, err
	}
	path, later, err := customersPath(calls, reader, printer)
	if err != nil {
		return c, err
	}
	waited, afterwards := costOf(path), costOf(later)
	commits, err := waited.commits()
	if err != nil {
		return c, err
	}
	c.rows = []row{
		{"synced commits", fmt.Sprint(commits), "", "2"},
		{fmt.Sprintf("fdatasync: %s, %s", hotFile, archiveFile), fmt.Sprintf("%d, %d", waited.syncs[hotFile], waited.syncs[archiveFile]), "", ""},
		{"writes of the shadow, in parallel", fmt.Sprint(waited.shadows), "", ""},
		{"given to pwrite", kibibytes(float64(waited.bytes)), "", ""},
		{fmt.Sprintf("flushes in the %s after it", span(afterTheSale)), fmt.Sprint(afterwards.flushes()), "", ""},
	}
	return c, nil
}
