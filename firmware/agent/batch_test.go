package agent

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/linktest"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

func (w *world) closing(batch uint32) linktest.Closing {
	for _, c := range w.acquirer.Ledger().Terminals[testTerminal].Closings {
		if c.Batch == batch {
			return c
		}
	}
	return linktest.Closing{}
}

// day makes a batch of three sales, one of them voided, and a refund.
func (w *world) day() {
	w.t.Helper()
	first := w.sell("unionpay-0005", "12.50")
	approved(w.t, first)
	second := w.sell("visa-4242", "88.00")
	approved(w.t, second)
	approved(w.t, w.sell("mastercard-4444", "1.00"))
	approved(w.t, w.undo("void of the day", first.Txn.STAN, "unionpay-0005"))
	approved(w.t, w.refund("refund of the day", "8.00", second.Txn.STAN, "visa-4242"))
}

func TestABatchThatBalancesIsClosed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.day()
		_, e := w.ask(Request{Op: "batch totals"})
		require.NotNil(t, e.Batch, e.Error)
		assert.Equal(t, Sides{Sum{1, "12.50"}, Sum{1, "12.50"}}, e.Batch.Own.Domestic)
		assert.Equal(t, Sides{Sum{2, "89.00"}, Sum{1, "8.00"}}, e.Batch.Own.Foreign)
		assert.Equal(t, Sides{Sum{3, "101.50"}, Sum{2, "20.50"}}, e.Batch.Own.All)

		stages, e := w.ask(Request{Op: "batch close"})
		require.Equal(t, "batch", e.Event, e.Error)
		require.Equal(t, txn.Closed, e.Batch.Step, e.Error)
		assert.Contains(t, stages, words.Settling)
		assert.Contains(t, stages, words.EndingBatch)
		assert.NotContains(t, stages, words.Uploading)
		assert.Equal(t, txn.Balanced, e.Batch.Domestic)
		assert.Contains(t, e.Text.EN, "the totals agree")
		assert.Equal(t, uint32(2), w.store.Batch())
		assert.Equal(t, uint32(2), w.acquirer.Ledger().Terminals[testTerminal].Batch)
		there := w.closing(1)
		assert.True(t, there.Equal && there.Ended)
		assert.Empty(t, there.Details)
		assert.Equal(t, 1, w.paper("批结算单", "对账平", "101.50", "20.50", "81.00"))

		next := w.sell("visa-4242", "5.00")
		approved(t, next)
		assert.Equal(t, "000002", next.Txn.Batch)
		assert.Greater(t, next.Txn.STAN, "000008", "STANs go on")
		old := w.undo("late", w.show("till-2").Txn.Reference, "")
		assert.Equal(t, words.OutcomeRefused, old.Outcome)
		assert.Contains(t, old.Error, "is settled, batch 000002 is open; refund it instead")
		approved(t, w.refund("next day", "1.00", "till-2", "visa-4242"))
	})
}

func TestAFullBatchTakesNoMoreSalesButCanBeUndoneAndClosed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.cutPower()
		w.options.MaxBatch = 2
		w.boot()
		sale := w.sell("visa-4242", "1.00")
		approved(t, sale)
		approved(t, w.sell("visa-4242", "2.00"))
		full := w.sell("visa-4242", "3.00")
		assert.Equal(t, words.OutcomeRefused, full.Outcome)
		assert.Contains(t, full.Error, "the batch is full")
		approved(t, w.undo("v", sale.Txn.STAN, "visa-4242"))
		_, e := w.ask(Request{Op: "batch close"})
		require.Equal(t, txn.Closed, e.Batch.Step, e.Error)
		approved(t, w.sell("visa-4242", "3.00"))
	})
}

func TestAnEmptyBatchIsNotClosed(t *testing.T) {
	inWorld(t, func(w *world) {
		_, e := w.ask(Request{Op: "batch close"})
		assert.Nil(t, e.Batch)
		assert.Contains(t, e.Error, "nothing to close")
		assert.Zero(t, w.acquirer.Counts()["0500"])
		_, e = w.ask(Request{Op: "batch report"})
		assert.Contains(t, e.Error, "no report")
	})
}

// unproven leaves a sale in suspense here that the acquirer holds.
func (w *world) unproven(card, amount string) Event {
	w.t.Helper()
	w.fault("silent")
	w.fault("lost for reversal times 3")
	e := w.sell(card, amount)
	w.after(5 * time.Minute)
	e = w.show(e.Txn.Reference)
	require.Equal(w.t, txn.Suspense, e.Txn.State)
	require.Equal(w.t, linktest.Held, w.standing(e.Txn))
	return e
}

func TestADifferenceIsUploadedAndExplained(t *testing.T) {
	inWorld(t, func(w *world) {
		w.day()
		doubt := w.unproven("visa-4242", "33.30")
		for n := range 9 {
			approved(t, w.sellAs(fmt.Sprint("n", n), "unionpay-0113", "2.00", true))
		}
		w.fault("silent for refund times 1")
		w.fault("decline 61 for refund times 1")
		other := w.refund("doubtful refund", "1.50", "till-2", "visa-4242")
		w.after(2 * time.Minute)

		stages, e := w.ask(Request{Op: "batch close"})
		require.NotNil(t, e.Batch, e.Error)
		require.Equal(t, txn.Closed, e.Batch.Step, e.Error)
		assert.Contains(t, stages, words.Uploading)
		assert.Equal(t, txn.Balanced, e.Batch.Domestic)
		assert.Equal(t, txn.Unbalanced, e.Batch.Foreign)
		assert.Equal(t, Sum{13, "152.80"}, e.Batch.Host.All.Debit)
		assert.Equal(t, Sum{12, "119.50"}, e.Batch.Own.All.Debit)
		assert.Equal(t, 14, e.Batch.Told)
		require.Len(t, e.Batch.Explains, 2)
		assert.Equal(t, doubt.Txn.STAN, e.Batch.Explains[0].STAN)
		assert.Equal(t, other.Txn.STAN, e.Batch.Explains[1].STAN)
		assert.Equal(t, 1, w.paper("批结算单", "对账不平", "正好构成差额", doubt.Txn.STAN, "33.30"))

		there := w.closing(1)
		assert.True(t, there.Ended)
		assert.Equal(t, 14, there.Told)
		require.Len(t, there.Details, 14)
		assert.Zero(t, there.Copies)
		for _, d := range there.Details {
			assert.Equal(t, "match", d.Verdict, d.STAN)
		}
		assert.Equal(t, 4, w.acquirer.Counts()["0320"], "two blocks, a refund, the end")
	})
}

// Whatever happens to a message of the closing, it goes on by itself, tells each record once and closes the batch once.
func TestFaultsDuringAClosing(t *testing.T) {
	for _, aim := range []string{"settle", "upload", "upload times 3", "end"} {
		for _, fault := range []string{"silent", "lost", "late 45s", "drop", "dropbefore", "garbage", "cut", "twice", "wrongstan", "wrongterminal", "swapped", "decline 96"} {
			t.Run(aim+", "+fault, func(t *testing.T) {
				inWorld(t, func(w *world) {
					w.day()
					w.unproven("visa-4242", "33.30")
					more := 0
					if aim == "upload times 3" { // two blocks and a refund
						more = 5
					}
					for n := range more {
						approved(t, w.sellAs(fmt.Sprint("n", n), "unionpay-0113", "2.00", true))
					}
					w.fault(fault + " for " + aim)
					_, e := w.ask(Request{Op: "batch close"})
					require.NotNil(t, e.Batch, e.Error)
					if e.Batch.Step != txn.Closed {
						assert.NotEmpty(t, e.Error)
						assert.Contains(t, e.Text.EN, "goes on by itself")
						w.after(5 * time.Minute)
					}
					w.closedOnce(5 + more)
				})
			})
		}
	}
}

// closedOnce holds the closing of batch 1 against the acquirer's.
func (w *world) closedOnce(records int) {
	w.t.Helper()
	c, found, err := w.store.Closing(1)
	require.NoError(w.t, err)
	require.True(w.t, found)
	require.Equal(w.t, txn.Closed, c.Step)
	assert.Equal(w.t, uint32(2), w.store.Batch())
	there := w.closing(1)
	assert.True(w.t, there.Ended)
	assert.Len(w.t, there.Details, records)
	assert.Equal(w.t, records, c.Told+c.Unaccepted)
	assert.Equal(w.t, records, there.Told)
	assert.Equal(w.t, uint32(2), w.acquirer.Ledger().Terminals[testTerminal].Batch)
	assert.Equal(w.t, 1, w.paper("批结算单"))
	assert.Equal(w.t, txn.SlipPrinted, c.Report)
	approved(w.t, w.sell("visa-4242", "5.55"))
}

func TestARefusedSettlementLeavesTheBatchOpen(t *testing.T) {
	inWorld(t, func(w *world) {
		w.day()
		w.fault("decline 58 for settle")
		_, e := w.ask(Request{Op: "batch close"})
		require.Equal(t, txn.Refused, e.Batch.Step)
		assert.Contains(t, e.Text.EN, "does not settle this batch")
		assert.Equal(t, "58", e.Batch.Code)
		approved(t, w.sell("visa-4242", "5.00"))
		_, e = w.ask(Request{Op: "batch close"})
		require.Equal(t, txn.Closed, e.Batch.Step, e.Error)
		assert.Equal(t, Sum{4, "106.50"}, e.Batch.Own.All.Debit)
	})
}

func TestNothingIsSoldWhileABatchIsBeingClosed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.day()
		w.after(time.Minute)
		w.line.SetDown(true)
		_, e := w.ask(Request{Op: "batch close"})
		require.Equal(t, txn.Asking, e.Batch.Step, "the line is down")
		sale := w.sell("visa-4242", "5.00")
		assert.Equal(t, words.OutcomeRefused, sale.Outcome)
		assert.Contains(t, sale.Error, "batch 000001 is being closed (asking) and must be closed first")
		_, status := w.ask(Request{Op: "status"})
		assert.Equal(t, txn.Asking, status.Status.Closing)
		_, totals := w.ask(Request{Op: "batch totals"})
		assert.Equal(t, txn.Asking, totals.Batch.Step)
		w.line.SetDown(false)
		w.after(2 * time.Minute)
		w.closedOnce(0)
	})
}

func TestAClosingSettlesWhatIsOwedFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.fault("silent")
		w.fault("lost for reversal") // the next try is the closing's, or that of a round which came first
		owed := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeUnknown, owed.Outcome)
		_, e := w.ask(Request{Op: "batch close"})
		require.NotNil(t, e.Batch, e.Error)
		require.Equal(t, txn.Closed, e.Batch.Step, e.Error)
		assert.Equal(t, words.OutcomeReversed, w.show(owed.Txn.Reference).Outcome)
		assert.Equal(t, Sum{1, "1.00"}, e.Batch.Own.All.Debit)
	})
}

func TestTheReportIsOwedLikeAnySlip(t *testing.T) {
	inWorld(t, func(w *world) {
		w.day()
		w.do(w.printer.Command("paper out"))
		_, e := w.ask(Request{Op: "batch close"})
		require.Equal(t, txn.Closed, e.Batch.Step)
		assert.Equal(t, txn.SlipOwed, e.Batch.Report)
		_, status := w.ask(Request{Op: "status"})
		assert.Equal(t, 1, status.Status.PaperOwed)
		w.do(w.printer.Command("paper ok"))
		w.after(time.Minute)
		assert.Equal(t, 1, w.paper("批结算单"))
		assert.Zero(t, w.paper("批结算单", "重打印"))
		_, e = w.ask(Request{Op: "batch report", Batch: "000001"})
		require.Equal(t, "batch", e.Event, e.Error)
		assert.Equal(t, 1, w.paper("批结算单", "重打印"))
		_, e = w.ask(Request{Op: "batch report", Batch: "7"})
		assert.Contains(t, e.Error, "not closed")
		_, e = w.ask(Request{Op: "batch report", Batch: "x"})
		assert.Contains(t, e.Error, "not a number")
	})
}

// The power goes at every step of a closing, before and after each message: each record is told once, the batch closes
// once, and its report is on paper.
func TestThePowerGoesDuringAClosing(t *testing.T) {
	for cut := 0; ; cut++ {
		reached := false
		t.Run(fmt.Sprint("at step ", cut), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.day()
				w.unproven("visa-4242", "33.30")
				for n := range 9 {
					approved(t, w.sellAs(fmt.Sprint("n", n), "unionpay-0113", "2.00", true))
				}
				reached = w.cutClosing(cut)
				w.after(3 * time.Minute)
				if c, found, err := w.store.Closing(0); err == nil && !found {
					assert.Zero(t, cut, "only a cut before the first commit leaves nothing")
					_, e := w.ask(Request{Op: "batch close"})
					require.Equal(t, txn.Closed, e.Batch.Step, e.Error)
				} else {
					require.NoError(t, err)
					require.Equal(t, txn.Closed, c.Step)
				}
				w.closedOnce(14)
			})
		})
		if t.Failed() || !reached {
			require.Greater(t, cut, 6)
			return
		}
	}
}

// The power goes after the acquirer has taken a message and before its answer is on the disk: the copy is known there.
func TestThePowerGoesBetweenAnAcknowledgementAndItsCommit(t *testing.T) {
	for name, faults := range map[string][]string{
		"totals":       {"silent for settle"},
		"first block":  {"silent for upload"},
		"second block": {"approve for upload", "silent for upload"},
		"refund":       {"approve for upload times 2", "silent for upload"},
		"end":          {"silent for end"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.day()
				w.unproven("visa-4242", "33.30")
				for n := range 9 {
					approved(t, w.sellAs(fmt.Sprint("n", n), "unionpay-0113", "2.00", true))
				}
				for _, f := range faults {
					w.fault(f)
				}
				c := w.till()
				c.send(Request{Op: "batch close"})
				go func() {
					for c.lines.Scan() {
					}
				}()
				w.after(10 * time.Second) // everything before the silence has been said
				dir := w.nextDir()
				w.copyStore(dir)
				w.restartFrom(dir)
				_ = c.conn.Close()
				w.after(3 * time.Minute)
				w.closedOnce(14)
				if name != "totals" && name != "end" {
					assert.Positive(t, w.closing(1).Copies)
				}
			})
		})
	}
}
