package main

import (
	"context"
	"encoding/json"
	"fmt"

	"posagent/firmware/agent"
	"posagent/txnstore/txn/words"
)

// balance asks for what a card's account holds and exits 0 with it, 3 where the issuer refused, 1 where nothing came back.
// It moves no money, so no outcome of it is ever in doubt.
func (c *command) balance(ctx context.Context, paper bool) int {
	client, err := c.client()
	if err != nil {
		return c.fail(err)
	}
	defer client.Close()
	end, err := c.follow(ctx, client, agent.Request{Op: "balance", Print: paper})
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(end)
	} else {
		c.printBalance(end)
	}
	switch end.Outcome {
	case words.OutcomeApproved:
		return exitDone
	case words.OutcomeDeclined:
		return exitDeclined
	}
	return exitFailed
}

func (c *command) printBalance(end agent.Event) {
	if end.Text != nil {
		c.sentence(c.out, "", *end.Text)
	}
	if end.Error != "" {
		c.paragraph(c.out, "  ", "why: "+end.Error)
	}
	q := end.Enquiry
	if q == nil {
		return
	}
	if end.Advice != nil && end.Outcome == words.OutcomeDeclined {
		c.paragraph(c.out, "  ", fmt.Sprintf("%s  %s  %s", q.Code, end.Advice.ZH, end.Advice.EN))
	}
	fmt.Fprintf(c.out, "  %s  凭证号 voucher %s\n", q.Card, q.STAN)
	for _, b := range q.Balances {
		fmt.Fprintf(c.out, "  %s %s  %s %s\n", b.Kind.ZH, b.Kind.EN, plain(b.Currency), plain(b.Amount))
	}
}
