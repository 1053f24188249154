package main

import (
	"context"
	"flag"

	"posagent/firmware/agent"
)

// undoFlags are those of what gives money back.
type undoFlags struct {
	reference, supervisor string
	byReference           bool
}

func (q *undoFlags) define(f *flag.FlagSet) {
	f.StringVar(&q.reference, "reference", "", "the caller's own `NAME` for this transaction; repeating it returns the first outcome (made up if empty)")
	f.StringVar(&q.supervisor, "supervisor", "", "the `NUMBER` of the supervisor who allows it, not the cashier's")
	f.BoolVar(&q.byReference, "by-reference", false, "the sale is named by its reference, even if that is a number")
}

// original puts what a person called a sale into a request.
func (q undoFlags) original(r *agent.Request, what string) {
	if q.byReference {
		r.OriginalReference = what
	} else {
		r.Original = what
	}
}

// void undoes a sale of the open batch through the running agent and exits with the outcome.
func (c *command) void(ctx context.Context, original string, q undoFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	r := agent.Request{Op: "void", Reference: q.reference, Supervisor: q.supervisor}
	q.original(&r, original)
	return c.trade(ctx, config, r)
}
