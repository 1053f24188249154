package agent

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Batch is a batch as its settlement sees it: the open one, or one whose closing has begun.
type Batch struct {
	Batch       string      `json:"batch"`
	Step        txn.Step    `json:"step,omitempty"` // of its closing; empty while none was begun
	Currency    string      `json:"currency"`
	Own         Settlement  `json:"own"`
	Host        *Settlement `json:"host,omitempty"` // the acquirer's, once it has answered
	Domestic    txn.Verdict `json:"domestic,omitempty"`
	Foreign     txn.Verdict `json:"foreign,omitempty"`
	Code        string      `json:"code,omitempty"`
	Unread      int         `json:"unread,omitempty"`      // records here that could not be read and are not in the totals
	Told        int         `json:"told,omitempty"`        // records sent after a difference
	Certified   int         `json:"certified,omitempty"`   // certificates of chips sent
	Uncertified int         `json:"uncertified,omitempty"` // and refused by the acquirer
	Unaccepted  int         `json:"unaccepted,omitempty"`  // of them refused by the acquirer
	Explains    []Undo      `json:"explains,omitempty"`    // in doubt, and together the difference exactly
	Doubts      []Undo      `json:"doubts,omitempty"`      // in doubt besides
	Report      txn.Slip    `json:"report,omitempty"`
	Began       *time.Time  `json:"began,omitempty"`
	Ended       *time.Time  `json:"ended,omitempty"`
}

// Settlement is both organisations' sides, and their sum.
type Settlement struct {
	Domestic Sides `json:"domestic"`
	Foreign  Sides `json:"foreign"`
	All      Sides `json:"all"`
}

// Sides are what the merchant receives and what it pays.
type Sides struct {
	Debit  Sum `json:"debit"`
	Credit Sum `json:"credit"`
}

func settlementOf(c txn.Currency, t txn.Totals) Settlement {
	sum := func(s txn.Sum) Sum { return Sum{s.Count, c.Format(s.Amount)} }
	sides := func(s txn.Sums) Sides { return Sides{sum(s.Debit), sum(s.Credit)} }
	return Settlement{sides(t.Domestic), sides(t.Foreign), sides(t.All())}
}

// BatchOf shows a closing; get reads the transactions that it names.
func BatchOf(c txn.Closing, get func(txn.ID) (txn.Txn, error)) *Batch {
	b := &Batch{Batch: sixDigits(c.Batch), Step: c.Step, Currency: c.Currency.Letters, Own: settlementOf(c.Currency, c.Own),
		Domestic: c.Domestic, Foreign: c.Foreign, Code: c.Code, Unread: c.Unread, Told: c.Told, Certified: c.Certified, Uncertified: c.Uncertified, Unaccepted: c.Unaccepted, Report: c.Report, Began: &c.Began}
	if c.Domestic != "" {
		host := settlementOf(c.Currency, c.Host)
		b.Host = &host
	}
	if !c.Ended.IsZero() {
		b.Ended = &c.Ended
	}
	for _, id := range c.Explains {
		if x, err := get(id); err == nil {
			b.Explains = append(b.Explains, undoOf(x))
		}
	}
	for _, id := range c.Doubts {
		if x, err := get(id); err == nil {
			b.Doubts = append(b.Doubts, undoOf(x))
		}
	}
	return b
}

func (a *Agent) batchTotals() Event {
	own, doubtful, err := a.terminal.Totals()
	if err != nil {
		return failed(err)
	}
	b := &Batch{Batch: sixDigits(a.store.Batch()), Currency: a.o.Currency.Letters, Own: settlementOf(a.o.Currency, own)}
	if c, found, err := a.store.Closing(a.store.Batch()); err == nil && found {
		b = BatchOf(c, a.store.Get)
	} else {
		for _, x := range doubtful[:min(len(doubtful), txn.MaxDoubts)] {
			b.Doubts = append(b.Doubts, undoOf(x))
		}
	}
	return Event{Event: "batch", Batch: b}
}

// closeBatch runs the closing and reports its steps to view.
func (a *Agent) closeBatch(ctx context.Context, view *saleView) Event {
	over := a.watch(view)
	c, err := a.terminal.CloseBatch(ctx, func(e terminal.Event) {
		detail := ""
		if e.Fault != nil {
			detail = e.Fault.Error()
			a.log.Warn("report still owed", "cause", e.Fault)
		}
		view.stage(e.Stage, detail, e.Txn)
	})
	over()
	a.soon()
	a.log.Info("batch close", "batch", c.Batch, "step", string(c.Step), "domestic", string(c.Domestic), "foreign", string(c.Foreign), "cause", err)
	return a.closed(c, err)
}

// closed says where a closing stands.
func (a *Agent) closed(c txn.Closing, err error) Event {
	text := words.OfClosing(c)
	e := Event{Event: "batch", Text: &text}
	if c.Batch != 0 {
		e.Batch = BatchOf(c, a.store.Get)
	}
	if err != nil {
		e.Error, e.Fault = err.Error(), faultOf(err)
	}
	return e
}

// batchReport puts a report on paper again.
func (a *Agent) batchReport(ctx context.Context, q Request) Event {
	var batch uint64
	if q.Batch != "" {
		var err error
		if batch, err = strconv.ParseUint(q.Batch, 10, 32); err != nil {
			return failed(fmt.Errorf("batch %q is not a number of up to six digits", q.Batch))
		}
	}
	c, err := a.terminal.ReprintReport(ctx, uint32(batch))
	if err != nil {
		return failed(err)
	}
	return a.closed(c, nil)
}
