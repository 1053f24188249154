package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"posagent/firmware/agent"
	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

type saleFlags struct {
	reference string
	again     bool
	code      bool
}

func (q *saleFlags) define(f *flag.FlagSet) {
	f.StringVar(&q.reference, "reference", "", "the caller's own `NAME` for this sale; repeating it returns the first outcome (made up if empty)")
	f.BoolVar(&q.again, "again", false, "the customer agreed to the same amount on the same card again")
}

func (q *saleFlags) defineSale(f *flag.FlagSet) {
	q.define(f)
	f.BoolVar(&q.code, "code", false, "the customer pays with a payment code, which the scanner reads")
}

// sale charges one card, or one payment code, through the running agent and exits with the outcome.
func (c *command) sale(ctx context.Context, amount string, q saleFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if _, err := config.amount(amount); err != nil {
		return c.fail(err)
	}
	return c.trade(ctx, config, agent.Request{Op: "sale", Reference: q.reference, Amount: amount, Again: q.again, Scan: q.code})
}

func (c *Config) amount(text string) (txn.Amount, error) {
	currency, err := txn.CurrencyOf(c.Terminal.Currency)
	if err != nil {
		return 0, err
	}
	return currency.ParseAmount(text)
}

// trade has the running agent make one transaction and exits with its outcome. A reference that the caller left out is
// made up.
func (c *command) trade(ctx context.Context, config *Config, q agent.Request) int {
	madeUp := q.Reference == ""
	if madeUp {
		q.Reference = "cli-" + rand.Text()[:16]
	}
	client, err := agent.Dial(config.path(config.Socket.Path))
	if err != nil && madeUp {
		return c.fail(err) // a new name, so nothing can have happened under it
	}
	if err != nil {
		return c.withoutAgent(config, q, err)
	}
	defer client.Close()
	end, err := c.follow(ctx, client, q)
	if err == nil && end.Outcome == words.OutcomeRefused && !madeUp {
		end = underWay(ctx, client, end, config, q)
	}
	if err == nil && end.Outcome == "" {
		err = fmt.Errorf("the agent did not say how it ended: %s", end.Error)
	}
	if err != nil {
		return c.unknown(q, err)
	}
	return c.outcome(end)
}

// underWay answers a refusal with the transaction that went by the same reference, if there is one: while another sale is in
// progress the agent refuses without looking, and "nothing charged" might not be true.
func underWay(ctx context.Context, client *agent.Client, refusal agent.Event, config *Config, q agent.Request) agent.Event {
	first, err := client.Ask(ctx, agent.Request{Op: "show", Reference: q.Reference}, nil)
	if err != nil || first.Txn == nil || first.Txn.Reference != q.Reference || !config.asked(q, *first.Txn) {
		return refusal
	}
	first.Error = refusal.Error
	return first
}

// asked reports whether a record is what a request asked for: its kind, and of a sale its amount.
func (c *Config) asked(q agent.Request, t agent.Record) bool {
	if q.Op != string(t.Kind) {
		return false
	}
	currency, err := txn.CurrencyOf(c.Terminal.Currency)
	if err != nil || q.Amount == "" {
		return err == nil
	}
	amount, err := currency.ParseAmount(q.Amount)
	return err == nil && currency.Format(amount) == t.Amount
}

// withoutAgent answers a request that no agent took. Its reference may have been sold before the agent ended: then the
// files know what became of it, and "nothing charged" would be a guess.
func (c *command) withoutAgent(config *Config, q agent.Request, cause error) int {
	earlier, err := config.fromFiles(agent.Request{Reference: q.Reference})
	switch {
	case errors.Is(err, errNoStore), errors.Is(err, agent.ErrNoReference):
		return c.fail(cause)
	case err != nil:
		return c.unknown(q, errors.Join(cause, err))
	}
	end := recorded(earlier)
	end.Error = cause.Error()
	if !config.asked(q, *end.Txn) {
		text := words.ReferenceTaken
		end.Outcome, end.Text, end.Error = words.OutcomeRefused, &text, (&terminal.ReferenceError{Earlier: earlier}).Error()
	}
	return c.outcome(end)
}

// unknown says what is left to say when the agent does not.
func (c *command) unknown(q agent.Request, cause error) int {
	text := words.OfEnding(txn.Kind(q.Op), words.OutcomeUnknown)
	if c.json {
		_ = json.NewEncoder(c.out).Encode(agent.Event{Event: "outcome", Outcome: words.OutcomeUnknown, Text: &text, Error: cause.Error()})
	}
	fmt.Fprintf(c.err, "posagent: %v\n", cause)
	c.sentence(c.err, "  ", text)
	fmt.Fprintf(c.err, "  看结果 to see the outcome: %s\n", showAgain(q.Reference))
	return exitUnknown
}

func showAgain(reference string) string {
	return "posagent txn show -reference '" + strings.ReplaceAll(plain(reference), "'", `'\''`) + "'"
}

// outcome prints how a sale ended and returns its exit status.
func (c *command) outcome(end agent.Event) int {
	if c.json {
		_ = json.NewEncoder(c.out).Encode(end)
	} else {
		c.printOutcome(end)
	}
	switch end.Outcome {
	case words.OutcomeApproved, words.OutcomeQueued:
		return exitDone
	case words.OutcomeRefused, words.OutcomeNotDone:
		return exitFailed
	case words.OutcomeDeclined:
		return exitDeclined
	case words.OutcomeReversed:
		return exitReversed
	default:
		return exitUnknown // what this version does not know is not proven, and never "nothing charged"
	}
}

func (c *command) printOutcome(e agent.Event) {
	if e.Text != nil {
		c.sentence(c.out, "", *e.Text)
	}
	if e.Error != "" {
		label := "why: "
		if e.Outcome != words.OutcomeRefused {
			label = "note: " // it stands beside the record's own state
		}
		c.paragraph(c.out, "  ", label+e.Error)
	}
	t := e.Txn
	if t == nil {
		return
	}
	if e.Advice != nil && e.Outcome == words.OutcomeDeclined {
		c.paragraph(c.out, "  ", fmt.Sprintf("%s  %s  %s", t.Code, e.Advice.ZH, e.Advice.EN))
	}
	if e.Outcome == words.OutcomeRefused {
		fmt.Fprintln(c.out, "  原交易 the earlier transaction:")
	}
	state := words.OfState(t.State)
	fmt.Fprintf(c.out, "  %s %s  %s  %s %s\n", t.Currency, t.Amount, strings.TrimSpace(t.Platform+" "+t.Card), state.ZH, state.EN)
	fmt.Fprintf(c.out, "  批次 batch %s  凭证号 voucher %s  编号 ID %d\n", t.Batch, t.STAN, t.ID)
	if t.RRN != "" {
		fmt.Fprintf(c.out, "  参考号 reference no. %s  授权码 authorisation %s\n", t.RRN, t.AuthCode)
	}
	fmt.Fprintf(c.out, "  订单号 order no. %s\n", plain(t.Reference))
	if o := t.Original; o != nil {
		fmt.Fprintf(c.out, "  原交易 of: %s\n", strings.Join(nonEmpty("voucher", o.STAN, "of batch", o.Batch, "reference no.", o.RRN, "authorisation", o.Auth, "date", o.Date), "  "))
	}
	if e.Outcome == words.OutcomeRefused && (t.Kind == txn.Sale || t.Kind == txn.PreAuth) && e.Text != nil && *e.Text == words.OfEnding(t.Kind, words.OutcomeRefused) {
		fmt.Fprintf(c.out, "  如确为另一笔 if another one is meant: posagent %s %s -again\n", t.Kind, t.Amount)
	}
	if e.Outcome != words.OutcomeRefused && (t.Merchant == txn.SlipOwed || t.Customer == txn.SlipOwed) {
		c.sentence(c.out, "  ", words.PaperStillDue)
		c.printerTrouble("  ", e.Printer)
	}
	if e.Outcome == words.OutcomeUnknown {
		fmt.Fprintf(c.out, "  看结果 to see the outcome: %s\n", showAgain(t.Reference))
	}
}

// sentence prints a text in both languages, each on lines of its own.
func (c *command) sentence(to io.Writer, indent string, text words.Pair) {
	c.paragraph(to, indent, text.ZH)
	c.paragraph(to, indent, text.EN)
}

func (c *command) paragraph(to io.Writer, indent, text string) {
	columns := columnsOf(to)
	if columns > 0 {
		columns -= len(indent)
	}
	for _, part := range strings.Split(text, "\n") {
		for _, line := range wrap(plain(part), columns) {
			fmt.Fprintln(to, indent+line)
		}
	}
}
