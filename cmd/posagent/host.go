package main

import (
	"context"
	"encoding/json"
	"fmt"

	"posagent/firmware/agent"
)

// host speaks with the acquirer through the running agent and shows what each part took.
func (c *command) host(ctx context.Context, what string) int {
	e, err := c.books(ctx, agent.Request{Op: what}, nil)
	if err != nil {
		return c.fail(err)
	}
	status := exitDone
	for _, t := range e.Host {
		if t.Error != "" {
			status = exitFailed
		}
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(e.Host)
		return status
	}
	for _, t := range e.Host {
		name := t.Bearer
		if name == "" {
			name = "no bearer"
		}
		if t.Address > 0 {
			name = fmt.Sprintf("%s, address %d", name, t.Address)
		}
		fmt.Fprintf(c.out, "%s  %s\n", name, t.To)
		for _, p := range t.Parts {
			fmt.Fprintf(c.out, "    %-14s %9.1f ms\n", p.Name, p.Milliseconds)
		}
		if t.Error != "" {
			fmt.Fprintf(c.out, "    failed: %s\n", t.Error)
		}
	}
	return status
}
