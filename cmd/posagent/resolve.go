package main

import (
	"context"
	"encoding/json"
	"flag"
)

// resolveFlags are what two people say of a transaction that no machine could prove.
type resolveFlags struct {
	amount, evidence, by, with       string
	charged, notCharged, byReference bool

	passwords passwords
}

func (q *resolveFlags) define(f *flag.FlagSet) {
	f.StringVar(&q.amount, "amount", "", "its `AMOUNT`, typed once more")
	f.BoolVar(&q.charged, "charged", false, "the acquirer holds it, or gave it back, as if it had been approved")
	f.BoolVar(&q.notCharged, "not-charged", false, "the acquirer knows nothing of it, or has undone it")
	f.StringVar(&q.evidence, "evidence", "", "what that rests on: whose statement, which call, as `TEXT` of 8 to 60 bytes")
	f.StringVar(&q.by, "supervisor", "", "the `NUMBER` of the supervisor who closes it")
	f.StringVar(&q.with, "with", "", "the `NUMBER` of a second supervisor, who agrees")
	f.BoolVar(&q.byReference, "reference", false, "it is named by its reference, even if that is a number")
	q.passwords.define(f)
}

// txnResolve closes what waits for people. The record and its journal stay; this is written behind them.
func (c *command) txnResolve(ctx context.Context, what string, q resolveFlags) int {
	if q.charged == q.notCharged || q.amount == "" || q.evidence == "" || q.by == "" || q.with == "" {
		return c.misused("posagent txn resolve: say -charged or -not-charged, -amount, -evidence, -supervisor and -with")
	}
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	r := named(what, q.byReference)
	r.Op, r.Amount, r.Charged, r.Evidence, r.Supervisor, r.With = "resolve", q.amount, &q.charged, q.evidence, q.by, q.with
	if r.Password, err = c.approval(config, q.by, &q.passwords); err != nil {
		return c.fail(err)
	}
	if r.WithPassword, err = c.approval(config, q.with, &q.passwords); err != nil {
		return c.fail(err)
	}
	e, err := c.books(ctx, r, nil)
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(e)
	} else {
		c.printOutcome(e)
	}
	return exitDone
}
