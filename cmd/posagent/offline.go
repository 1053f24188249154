package main

import (
	"context"
	"flag"

	"posagent/firmware/agent"
)

// offlineFlags are those of a sale that was authorised by telephone.
type offlineFlags struct {
	saleFlags
	auth, mode, unit string
}

func (q *offlineFlags) define(f *flag.FlagSet) {
	q.saleFlags.define(f)
	f.StringVar(&q.auth, "auth", "", "the authorisation `CODE` that was given, one to six letters and digits")
	f.StringVar(&q.mode, "mode", "", "how it was given, two `DIGITS`; 01, by telephone, if empty")
	f.StringVar(&q.unit, "unit", "", "who gave it, eleven `DIGITS`, where the acquirer wants to know")
}

// offlineSale charges one card on an authorisation that was given otherwise, and exits with the outcome: 0 once it is
// recorded, whether or not the acquirer could be told yet.
func (c *command) offlineSale(ctx context.Context, amount string, q offlineFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if _, err := config.amount(amount); err != nil {
		return c.fail(err)
	}
	if q.auth == "" {
		return c.misused("posagent offline-sale: name the authorisation that was given, by -auth CODE")
	}
	return c.trade(ctx, config, agent.Request{Op: "offline-sale", Reference: q.reference, Amount: amount, Again: q.again,
		AuthCode: q.auth, AuthMode: q.mode, AuthUnit: q.unit})
}
