package main

import (
	"context"
	"flag"
	"fmt"

	"posagent/firmware/agent"
)

// useFlags name the pre-authorisation that is let go or charged.
type useFlags struct {
	undoFlags
	of, auth, date, amount string

	approved bool // a supervisor must allow it
}

func (q *useFlags) define(f *flag.FlagSet) {
	q.defineReference(f)
	if q.approved {
		q.defineSupervisor(f)
		f.StringVar(&q.amount, "amount", "", "what it held, as `AMOUNT`, where it is named by its authorisation code")
	}
	f.StringVar(&q.of, "of", "", "the pre-authorisation, by its `STAN|REFERENCE`; a STAN is that of the open batch")
	f.StringVar(&q.auth, "auth", "", "the pre-authorisation, by the authorisation `CODE` on its slip, of any batch")
	f.StringVar(&q.date, "date", "", "and its date, `MMDD`")
}

// preauth holds money on a card through the running agent and exits with the outcome.
func (c *command) preauth(ctx context.Context, amount string, q saleFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if _, err := config.amount(amount); err != nil {
		return c.fail(err)
	}
	return c.trade(ctx, config, agent.Request{Op: "preauth", Reference: q.reference, Amount: amount, Again: q.again})
}

// use ends a pre-authorisation, one way or the other, through the running agent and exits with the outcome.
func (c *command) use(ctx context.Context, op, amount string, q useFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if amount != "" {
		if _, err := config.amount(amount); err != nil {
			return c.fail(err)
		}
	}
	if (q.of == "") == (q.auth == "") || (q.auth == "") != (q.date == "") {
		return c.misused(fmt.Sprintf("posagent %s: name the pre-authorisation, by -of STAN|REFERENCE or by -auth CODE -date MMDD", op))
	}
	password, err := c.approval(config, q.supervisor, &q.passwords)
	if err != nil {
		return c.fail(err)
	}
	r := agent.Request{Op: op, Reference: q.reference, Amount: amount, Supervisor: q.supervisor, Password: password, OriginalAuth: q.auth, OriginalDate: q.date}
	q.original(&r, q.of)
	return c.trade(ctx, config, r)
}
