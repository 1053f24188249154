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

	passwords passwords
}

func (q *undoFlags) define(f *flag.FlagSet) {
	q.defineReference(f)
	q.defineSupervisor(f)
}

func (q *undoFlags) defineReference(f *flag.FlagSet) {
	f.StringVar(&q.reference, "reference", "", "the caller's own `NAME` for this transaction; repeating it returns the first outcome (made up if empty)")
	f.BoolVar(&q.byReference, "by-reference", false, "the original is named by its reference, even if that is a number")
}

func (q *undoFlags) defineSupervisor(f *flag.FlagSet) {
	f.StringVar(&q.supervisor, "supervisor", "", "the `NUMBER` of the supervisor who allows it, not the cashier's")
	q.passwords.define(f)
}

// refundFlags also name the sale, which has no place beside the amount.
type refundFlags struct {
	undoFlags
	of, rrn, date string
}

func (q *refundFlags) define(f *flag.FlagSet) {
	q.undoFlags.define(f)
	f.StringVar(&q.of, "of", "", "the sale, by its `STAN|REFERENCE`; a STAN is that of the open batch")
	f.StringVar(&q.rrn, "rrn", "", "the sale, by the acquirer's reference `NUMBER` on its slip, where these books do not hold it")
	f.StringVar(&q.date, "date", "", "the date of that sale, `MMDD`")
}

// original puts what a person called a sale into a request.
func (q undoFlags) original(r *agent.Request, what string) {
	if q.byReference {
		r.OriginalReference = what
	} else {
		r.Original = what
	}
}

// void undoes a sale or a completion of the open batch through the running agent and exits with the outcome.
func (c *command) void(ctx context.Context, op, original string, q undoFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	password, err := c.approval(config, q.supervisor, &q.passwords)
	if err != nil {
		return c.fail(err)
	}
	r := agent.Request{Op: op, Reference: q.reference, Supervisor: q.supervisor, Password: password}
	q.original(&r, original)
	return c.trade(ctx, config, r)
}

// refund gives a sale back, or a part of it, through the running agent and exits with the outcome.
func (c *command) refund(ctx context.Context, amount string, q refundFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if _, err := config.amount(amount); err != nil {
		return c.fail(err)
	}
	if (q.of == "") == (q.rrn == "") || (q.rrn == "") != (q.date == "") {
		return c.misused("posagent refund: name the sale, by -of STAN|REFERENCE or by -rrn NUMBER -date MMDD")
	}
	password, err := c.approval(config, q.supervisor, &q.passwords)
	if err != nil {
		return c.fail(err)
	}
	r := agent.Request{Op: "refund", Reference: q.reference, Amount: amount, Supervisor: q.supervisor, Password: password, OriginalRRN: q.rrn, OriginalDate: q.date}
	q.original(&r, q.of)
	return c.trade(ctx, config, r)
}
