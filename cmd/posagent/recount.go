package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"posagent/firmware/agent"
	"posagent/txnstore"
)

// storeRecount counts every record and holds the totals that are kept against it. It exits 1 if they differ.
func (c *command) storeRecount(ctx context.Context) int {
	e, err := c.books(ctx, agent.Request{Op: "recount"}, func(v *txnstore.Viewer) (agent.Event, error) {
		count, err := v.Recount()
		return agent.Event{Event: "recount", Recount: agent.RecountOf(count)}, err
	})
	if err != nil && !errors.Is(err, errNoStore) {
		return c.fail(err)
	}
	r := e.Recount
	if r == nil {
		r = agent.RecountOf(txnstore.Recount{})
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(r)
	} else {
		c.printRecount(r)
	}
	if !r.Agrees {
		return exitFailed
	}
	return exitDone
}

func (c *command) printRecount(r *agent.Recount) {
	fmt.Fprintf(c.out, "%-8s %-6s %-3s  %23s  %23s  %23s\n", "", "BATCH", "", "APPROVED", "OPEN", "VOID")
	row := func(what string, t agent.Total) {
		if t.Credit {
			what += "-" // credits
		}
		fmt.Fprintf(c.out, "%-8s %s %-3s  %8d %14s  %8d %14s  %8d %14s\n", what, t.Batch, t.Currency,
			t.Approved.Count, t.Approved.Amount, t.Open.Count, t.Open.Amount, t.Void.Count, t.Void.Amount)
	}
	for _, t := range r.Kept {
		row("kept", t)
	}
	for _, t := range r.Counted {
		row("counted", t)
	}
	if r.Bad > 0 {
		fmt.Fprintf(c.out, "%d records or totals cannot be read\n", r.Bad)
	}
	if r.Agrees {
		fmt.Fprintf(c.out, "账目相符 they agree, %d transactions\n", r.Records)
		return
	}
	fmt.Fprintf(c.out, "账目不符 THEY DIFFER, %d transactions; keep a copy of the store and have it looked at\n", r.Records)
}
