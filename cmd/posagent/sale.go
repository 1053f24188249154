package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"posagent/firmware/agent"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

type saleFlags struct {
	reference string
	again     bool
}

func (q *saleFlags) define(f *flag.FlagSet) {
	f.StringVar(&q.reference, "reference", "", "the caller's own `NAME` for this sale; repeating it returns the first outcome (made up if empty)")
	f.BoolVar(&q.again, "again", false, "the customer agreed to the same amount on the same card again")
}

// sale charges one card through the running agent and exits with the outcome.
func (c *command) sale(ctx context.Context, amount string, q saleFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	currency, err := txn.CurrencyOf(config.Terminal.Currency)
	if err != nil {
		return c.fail(err)
	}
	if _, err := currency.ParseAmount(amount); err != nil {
		return c.fail(err)
	}
	if q.reference == "" {
		q.reference = "cli-" + rand.Text()[:16]
	}
	client, err := agent.Dial(config.path(config.Socket.Path))
	if err != nil {
		return c.fail(err)
	}
	defer client.Close()
	show := progress{out: c.out, json: c.json, live: isTerminal(c.out)}
	end, err := client.Ask(ctx, agent.Request{Op: "sale", Reference: q.reference, Amount: amount, Again: q.again}, show.stage)
	show.clear()
	if err != nil {
		text := words.OfOutcome(words.OutcomeUnknown)
		fmt.Fprintf(c.err, "posagent: %v\n  %s\n  %s\n  ask again with: posagent txn show %s\n", err, text.ZH, text.EN, q.reference)
		return exitUnknown
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(end)
	} else {
		printOutcome(c.out, end)
	}
	return exitOf(end)
}

func exitOf(e agent.Event) int {
	switch e.Outcome {
	case words.OutcomeApproved:
		return exitDone
	case words.OutcomeDeclined:
		return exitDeclined
	case words.OutcomeUnknown:
		return exitUnknown
	case words.OutcomeReversed:
		return exitReversed
	default:
		return exitFailed
	}
}

func printOutcome(out io.Writer, e agent.Event) {
	if e.Text != nil {
		fmt.Fprintf(out, "%s\n%s\n", e.Text.ZH, e.Text.EN)
	}
	if e.Error != "" {
		fmt.Fprintf(out, "  why: %s\n", e.Error)
	}
	if e.Advice != nil && e.Outcome != words.OutcomeApproved {
		fmt.Fprintf(out, "  %s  %s  %s\n", e.Txn.Code, e.Advice.ZH, e.Advice.EN)
	}
	if t := e.Txn; t != nil {
		fmt.Fprintf(out, "  %s %s  %s  %s  batch %s voucher %s\n", t.Currency, t.Amount, t.Card, t.State, t.Batch, t.STAN)
		if t.RRN != "" {
			fmt.Fprintf(out, "  reference no. %s  authorisation %s\n", t.RRN, t.AuthCode)
		}
		fmt.Fprintf(out, "  %d  %s\n", t.ID, t.Reference)
	}
}

// progress shows the stage and its seconds: one line redrawn at a terminal, one line a stage elsewhere.
type progress struct {
	out   io.Writer
	json  bool
	live  bool
	last  words.Stage
	began time.Time
}

func (p *progress) stage(e agent.Event) {
	if p.json {
		_ = json.NewEncoder(p.out).Encode(e)
		return
	}
	if p.began.IsZero() {
		p.began = time.Now()
	}
	total := int(time.Since(p.began) / time.Second)
	switch {
	case p.live:
		fmt.Fprintf(p.out, "\r\x1b[K%3ds  %s  %s", total, e.Text.ZH, e.Text.EN)
		if e.Seconds > 0 {
			fmt.Fprintf(p.out, "  %ds", e.Seconds)
		}
	case e.Stage != p.last:
		fmt.Fprintf(p.out, "%3ds  %s  %s", total, e.Text.ZH, e.Text.EN)
		if e.Detail != "" {
			fmt.Fprintf(p.out, "  (%s)", e.Detail)
		}
		fmt.Fprintln(p.out)
	}
	p.last = e.Stage
}

func (p *progress) clear() {
	if p.live && !p.json {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func isTerminal(w io.Writer) bool {
	f, isFile := w.(*os.File)
	return isFile && term.IsTerminal(int(f.Fd()))
}
