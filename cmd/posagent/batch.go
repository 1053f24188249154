package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"posagent/firmware/agent"
	"posagent/txnstore"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// batchTotals shows the open batch, from the files too while no agent runs.
func (c *command) batchTotals(ctx context.Context) int {
	e, err := c.books(ctx, agent.Request{Op: "batch totals"}, nil)
	if err != nil {
		return c.fail(err)
	}
	c.showBatch(e)
	return exitDone
}

// batchReport prints a report again on the terminal's printer, or shows it from the files while no agent runs.
func (c *command) batchReport(ctx context.Context, batch string) int {
	e, err := c.books(ctx, agent.Request{Op: "batch report", Batch: batch}, func(v *txnstore.Viewer) (agent.Event, error) {
		var number uint64
		if batch != "" {
			var err error
			if number, err = strconv.ParseUint(batch, 10, 32); err != nil {
				return agent.Event{}, fmt.Errorf("batch %q is not a number of up to six digits", batch)
			}
		}
		closing, found, err := v.Closing(uint32(number))
		if err == nil && !found {
			err = errors.New("no batch was closed here")
		}
		text := words.OfClosing(closing)
		return agent.Event{Event: "batch", Text: &text, Batch: agent.BatchOf(closing, v.Get)}, err
	})
	if err != nil {
		return c.fail(err)
	}
	c.showBatch(e)
	return exitDone
}

// batchClose settles the open batch through the running agent, showing its steps.
func (c *command) batchClose(ctx context.Context) int {
	client, err := c.client()
	if err != nil {
		return c.fail(err)
	}
	defer client.Close()
	e, err := c.follow(ctx, client, agent.Request{Op: "batch close"})
	switch {
	case err != nil:
		c.sentence(c.err, "posagent: ", words.OfClosing(txn.Closing{Batch: 1, Step: txn.Asking})) // it may have been begun
		return max(c.fail(err), exitUnknown)
	case e.Event == "error":
		return c.fail(errors.New(e.Error))
	}
	c.showBatch(e)
	switch {
	case e.Batch == nil || e.Batch.Step == txn.Refused:
		return exitFailed
	case e.Batch.Step != txn.Closed:
		return exitUnknown
	case e.Batch.Domestic != txn.Balanced || e.Batch.Foreign != txn.Balanced:
		return exitDiffers
	}
	return exitDone
}

// showBatch prints a batch so that it fits 80 columns.
func (c *command) showBatch(e agent.Event) {
	if c.json {
		_ = json.NewEncoder(c.out).Encode(e)
		return
	}
	if e.Text != nil {
		c.sentence(c.out, "", *e.Text)
	}
	if e.Error != "" {
		c.paragraph(c.out, "  ", "why: "+e.Error)
	}
	b := e.Batch
	if b == nil {
		return
	}
	fmt.Fprintf(c.out, "批次 batch %s  %s\n", b.Batch, words.OfStep(b.Step).Both())
	c.showTotals(words.OwnTotals, b.Currency, b.Own)
	if b.Host != nil {
		fmt.Fprintf(c.out, "内卡 domestic %s   外卡 foreign %s\n", words.OfVerdict(b.Domestic).Both(), words.OfVerdict(b.Foreign).Both())
		if b.Own != *b.Host {
			c.showTotals(words.HostTotals, b.Currency, *b.Host)
		}
	}
	if b.Unread > 0 {
		fmt.Fprintf(c.out, "%s %d\n", words.RecordsUnread.Both(), b.Unread)
	}
	if b.Certified+b.Uncertified > 0 {
		fmt.Fprintf(c.out, "%s %d   %s %d\n", words.CertificatesTold.Both(), b.Certified, words.RecordsRefused.Both(), b.Uncertified)
	}
	if b.Told+b.Unaccepted > 0 {
		fmt.Fprintf(c.out, "%s %d   %s %d\n", words.RecordsTold.Both(), b.Told, words.RecordsRefused.Both(), b.Unaccepted)
	}
	c.showDoubts(words.ExplainsIt, b.Currency, b.Explains)
	c.showDoubts(words.AlsoDoubtful, b.Currency, b.Doubts)
	if b.Report == txn.SlipOwed {
		c.sentence(c.out, "  ", words.PaperStillDue)
	}
}

func (c *command) showTotals(title words.Pair, currency string, s agent.Settlement) {
	fmt.Fprintln(c.out, title.Both())
	row := func(name words.Pair, sides agent.Sides) {
		fmt.Fprintf(c.out, "  %-24s 借记 debit %5d %14s   贷记 credit %5d %14s  %s\n", name.Both(), sides.Debit.Count, sides.Debit.Amount,
			sides.Credit.Count, sides.Credit.Amount, currency)
	}
	row(words.DomesticCards, s.Domestic)
	row(words.ForeignCards, s.Foreign)
	row(words.AllCards, s.All)
}

func (c *command) showDoubts(title words.Pair, currency string, doubts []agent.Undo) {
	if len(doubts) == 0 {
		return
	}
	c.sentence(c.out, "", title)
	for _, d := range doubts {
		kind, _ := words.OfKind(d.Kind)
		fmt.Fprintf(c.out, "  %s  凭证号 voucher %s  %s %s  %s\n", kind.Both(), d.STAN, currency, d.Amount, words.OfState(d.State).Both())
	}
}
