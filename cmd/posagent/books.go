package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"posagent/firmware/agent"
	"posagent/txnstore"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// mostListed is what one answer of the agent holds.
const mostListed = 100

func (c *command) txnList(ctx context.Context, most int) int {
	if most < 1 || most > mostListed {
		return c.misused(fmt.Sprintf("posagent txn list: -n %d is not a number from 1 to %d", most, mostListed))
	}
	e, err := c.books(ctx, agent.Request{Op: "list", Max: most}, func(v *txnstore.Viewer) (agent.Event, error) {
		newest, err := v.List(most)
		return agent.Event{Event: "list", Txns: agent.RecordsOf(newest)}, err
	})
	if err != nil && !errors.Is(err, errNoStore) {
		return c.fail(err)
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(append([]agent.Record{}, e.Txns...))
		return exitDone
	}
	if len(e.Txns) == 0 {
		fmt.Fprintln(c.out, "没有交易 no transactions")
		return exitDone
	}
	columns := columnsOf(c.out)
	fmt.Fprintf(c.out, "%5s  %-8s %-9s  %-13s  %10s %-3s  %-4s  %-11s  %s\n", "ID", "KIND", "STATE", "BATCH/VOUCHER", "AMOUNT", "", "CARD", "TIME", "REFERENCE")
	for _, t := range e.Txns {
		row := fmt.Sprintf("%5d  %-8s %-9s  %s/%s  %10s %-3s  %-4s  %s  ", t.ID, short(t.Kind), standing(t), t.Batch, t.STAN, t.Amount, t.Currency,
			t.Card[max(len(t.Card)-4, 0):], t.Began.Time().Local().Format("01-02 15:04"))
		fmt.Fprintln(c.out, clip(row+plain(t.Reference), columns))
	}
	return exitDone
}

// short names a kind in eight columns.
func short(k txn.Kind) string {
	switch k {
	case txn.PreAuthCancel:
		return "pre-void"
	case txn.Completion:
		return "complete"
	case txn.CompletionCancel:
		return "com-void"
	case txn.CompletionNotice:
		return "com-note"
	case txn.OfflineSale:
		return "offline"
	}
	return clip(string(k), 8)
}

// standing is a record's state, or for one that does not count any more what undid it or used it up.
func standing(t agent.Record) string {
	for _, u := range t.UndoneBy {
		switch {
		case u.State != txn.Approved || t.State != txn.Approved:
		case strings.Trim(t.Left, "0.") != "":
			return "partly"
		case u.Kind == txn.Void, u.Kind == txn.CompletionCancel:
			return "voided"
		case u.Kind == txn.PreAuthCancel:
			return "cancelled"
		case u.Kind.Uses():
			return "completed"
		default:
			return "refunded"
		}
	}
	return string(t.State)
}

func (c *command) txnShow(ctx context.Context, q agent.Request) int {
	q.Op = "show"
	e, err := c.books(ctx, q, func(v *txnstore.Viewer) (agent.Event, error) {
		x, err := find(v, q)
		if err != nil {
			return agent.Event{}, err
		}
		return agent.Shown(x, v.Since)
	})
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(e)
		return exitDone
	}
	c.show(e)
	return exitDone
}

// label is the width of the left column of a record.
const label = 13

// show prints one record so that it fits 80 columns and reads down as its story.
func (c *command) show(e agent.Event) {
	t, columns := e.Txn, columnsOf(c.out)
	row := func(name, format string, args ...any) {
		value := plain(strings.TrimSpace(fmt.Sprintf(format, args...)))
		if value == "" {
			return
		}
		for _, line := range wrap(value, max(columns-label, 0)) {
			fmt.Fprintf(c.out, "%-*s%s\n", label, name, line)
			name = ""
		}
	}
	state := words.OfState(t.State)
	row("transaction", "%d  %s  %s", t.ID, t.Kind, t.Reference)
	row("state", "%s %s", state.ZH, state.EN)
	row("", "%s", e.Text.ZH)
	row("", "%s", e.Text.EN)
	row("began", "%s", t.Began.Time().Local().Format("2006-01-02 15:04:05"))
	row("amount", "%s %s", t.Currency, t.Amount)
	row("card", "%s  %s", strings.TrimSpace(t.Platform+" "+t.Card), t.Entry)
	row("voucher", "%s  of batch %s", t.STAN, t.Batch)
	if o := t.Original; o != nil {
		row("of the sale", "%s", strings.Join(nonEmpty("voucher", o.STAN, "of batch", o.Batch, "reference no.", o.RRN, "date", o.Date), "  "))
	}
	row("supervisor", "%s", t.Approver)
	for _, u := range t.UndoneBy {
		kind, _ := words.OfKind(u.Kind)
		state := words.OfState(u.State)
		row("undone by", "%s  voucher %s  %s %s  %s", kind.Both(), u.STAN, t.Currency, u.Amount, state.Both())
	}
	if t.Left != "" {
		row("left", "%s %s", t.Currency, t.Left)
	}
	row("answer", "%s", strings.Join(nonEmpty("code", t.Code, "reference no.", t.RRN, "authorisation", t.AuthCode), "  "))
	if e.Advice != nil {
		row("", "%s  %s", e.Advice.ZH, e.Advice.EN)
	}
	if t.Total > 0 {
		to := ""
		if t.Address > 0 {
			to = fmt.Sprintf(", to address %d", t.Address)
		}
		row("sent", "%d of %d bytes over %s%s", t.Written, t.Total, t.Bearer, to)
		if t.Handed > 0 {
			row("acknowledged", "%d of %d bytes that the line was given, by its far end", t.Acked, t.Handed)
		}
	}
	if t.Reason != "" {
		row("reversal", "%s", strings.Join(nonEmpty("reason", string(t.Reason), "answer", t.Reversal, "counted tries", fmt.Sprint(t.Tries)), "  "))
	}
	if r := t.Resolved; r != nil {
		as := "未扣款 not charged"
		if r.Charged {
			as = "已扣款 charged"
		}
		row("closed", "%s  by %s with %s: %s", as, r.By, r.With, r.Evidence)
	}
	row("slips", "%s", strings.Join(nonEmpty("merchant", string(t.Merchant), "customer", string(t.Customer)), "  "))
	for i, l := range t.Journal {
		name := ""
		if i == 0 {
			name = "journal"
		}
		row(name, "%s  boot %d  %s", l.At.Time().Local().Format("01-02 15:04:05"), l.Boot, l.Event)
	}
}

// nonEmpty pairs names with values and leaves out what is empty.
func nonEmpty(pairs ...string) []string {
	var kept []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			kept = append(kept, pairs[i]+" "+pairs[i+1])
		}
	}
	return kept
}

func (c *command) txnReprint(ctx context.Context, q agent.Request) int {
	q.Op = "reprint"
	if _, err := c.books(ctx, q, nil); err != nil {
		return c.fail(err)
	}
	fmt.Fprintln(c.out, "已打印  printed")
	return exitDone
}

func (c *command) status(ctx context.Context) int {
	e, err := c.books(ctx, agent.Request{Op: "status"}, nil)
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(e.Status)
		return exitDone
	}
	s := e.Status
	if s.StoreFault != "" {
		c.paragraph(c.out, "", words.StoreFault.Both()+": "+s.StoreFault)
	}
	if s.Stale {
		fmt.Fprintln(c.out, words.LastKnown.Both())
	}
	signed := "not signed in"
	if s.SignedIn {
		signed = "signed in"
	}
	fmt.Fprintf(c.out, "terminal %s  merchant %s  boot %d  batch %06d  %s\n", s.Terminal, s.Merchant, s.Boot, s.Batch, signed)
	fmt.Fprintf(c.out, "待处理 owed %d   挂账 suspense %d   待打印 paper owed %d\n", s.Owed, s.Suspense, s.PaperOwed)
	c.orders(s)
	for _, a := range s.Alarms {
		what := words.OfAlarm(a.Kind)
		c.paragraph(c.out, "", fmt.Sprintf("告警 alarm  %s %s  x%d  %s", what.ZH, what.EN, a.Count, a.Last.Local().Format("01-02 15:04")))
		c.paragraph(c.out, "  ", a.What)
	}
	c.printerTrouble("", s.Printer)
	if s.Held != "" {
		c.paragraph(c.out, "", "停止交易 held: "+s.Held)
	}
	return exitDone
}

// printerTrouble says what is the matter with the printer and what to do, where anything is.
func (c *command) printerTrouble(indent string, p *agent.PrinterView) {
	if p == nil || p.Do == nil {
		return
	}
	c.sentence(c.out, indent, words.Pair{ZH: p.Text.ZH + "，" + p.Do.ZH, EN: p.Text.EN + ": " + p.Do.EN})
}
