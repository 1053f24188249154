package agent

import (
	"context"
	"errors"

	"posagent/firmware/terminal"
)

// resolve closes what waits for people, on the word of two of them.
func (a *Agent) resolve(ctx context.Context, q Request) Event {
	x, err := a.find(q)
	if err != nil {
		return failed(err)
	}
	amount, err := a.o.Currency.ParseAmount(q.Amount)
	if err != nil {
		return failed(err)
	}
	if q.Charged == nil {
		return failed(errors.New("say whether it was charged"))
	}
	x, err = a.terminal.Resolve(ctx, x.ID, terminal.Resolve{Amount: amount, Charged: *q.Charged, Evidence: q.Evidence,
		By: terminal.Signature{Number: q.Supervisor, Password: q.Password}, With: terminal.Signature{Number: q.With, Password: q.WithPassword}})
	a.log.Info("resolve", "id", uint64(x.ID), "stan", x.STAN, "charged", *q.Charged, "by", q.Supervisor, "with", q.With, "cause", err)
	if kind, is := alarmOf(err); is {
		a.alarm(kind, err.Error())
	}
	if err != nil {
		return failed(err)
	}
	return outcome(x, nil)
}
