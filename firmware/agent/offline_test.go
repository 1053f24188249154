package agent

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/terminal"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

func offline(reference string) Request {
	return Request{Op: "offline-sale", Reference: reference, Amount: "12.50", AuthCode: "654321"}
}

func TestAnOfflineSaleWaitsForTheLineAndIsBookedOnce(t *testing.T) {
	for _, fault := range []string{"", "silent", "lost", "late 45s", "badmac", "drop", "dropbefore", "garbage", "wrongamount", "wrongstan"} {
		t.Run(fault, func(t *testing.T) {
			inWorld(t, func(w *world) {
				approved(t, w.sell("visa-4242", "1.00"))
				if fault == "" {
					w.after(time.Minute)
					w.line.SetDown(true)
				} else {
					w.fault(fault + " for offline-sale")
				}
				e := w.make(offline("x"), "unionpay-0005")
				require.Equal(t, words.OutcomeQueued, e.Outcome, e.Error)
				assert.Equal(t, 2, w.paper("离线消费", "654321", "待上送", e.Txn.STAN))
				w.line.SetDown(false)
				w.after(2 * time.Minute)
				e = w.show("x")
				approved(t, e)
				assert.Equal(t, linktest.Held, w.standing(e.Txn))
				assert.Zero(t, w.acquirer.Counts()["0400"])
				assert.Equal(t, 2, w.paper("离线消费", e.Txn.STAN))
				_, closed := w.ask(Request{Op: "batch close"})
				require.Equal(t, txn.Balanced, closed.Batch.Domestic, closed.Error)
				assert.Equal(t, 2, closed.Batch.Own.All.Debit.Count)
			})
		})
	}
}

func TestAnOfflineSaleToldAtOnceIsApprovedOrDeclinedAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		e := w.make(offline("x"), "visa-4242")
		approved(t, e)
		assert.Zero(t, w.paper("待上送"))
		refund := w.refund("back", "12.50", "x", "visa-4242")
		approved(t, refund)
		w.fault("decline 61 for offline-sale")
		q := offline("y")
		q.Again = true
		e = w.make(q, "visa-4242")
		assert.Equal(t, words.OutcomeDeclined, e.Outcome)
		assert.Zero(t, w.paper("离线消费", e.Txn.STAN), "the customer still stands there")
	})
}

// Refused after the slip was given out and the goods with it, it is for people to settle, and stays in sight.
func TestAnOfflineSaleRefusedLaterWaitsForPeople(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.after(time.Minute)
		w.line.SetDown(true)
		e := w.make(offline("x"), "visa-4242")
		require.Equal(t, words.OutcomeQueued, e.Outcome, e.Error)
		w.fault("decline 61 for offline-sale")
		w.line.SetDown(false)
		w.after(2 * time.Minute)
		assert.Equal(t, txn.Suspense, w.show("x").Txn.State)
		assert.Equal(t, 1, w.paper("结果未知", e.Txn.STAN))
		assert.Equal(t, 1, w.agent.Status().Suspense)
	})
}

func TestThePowerGoesDuringAnOfflineSale(t *testing.T) {
	for stage, begun := range map[words.Stage]bool{words.CardRead: false, words.Recorded: true, words.Queued: true, words.Printing: true} {
		t.Run(string(stage), func(t *testing.T) {
			inWorld(t, func(w *world) {
				approved(t, w.sell("visa-4242", "1.00"))
				w.after(time.Minute)
				w.line.SetDown(true)
				w.do(w.reader.Command("present visa-4242"))
				order, err := w.agent.order(txn.OfflineSale, offline("x"))
				require.NoError(t, err)
				w.cutAt(stage, func(ctx context.Context, o terminal.Order) (txn.Txn, error) {
					return w.agent.terminal.OfflineSale(ctx, o)
				}, order)
				w.line.SetDown(false)
				w.after(3 * time.Minute)
				e := w.show("x")
				if !begun {
					assert.Nil(t, e.Txn)
					return
				}
				approved(t, e)
				assert.Equal(t, linktest.Held, w.standing(e.Txn))
				assert.Equal(t, 2, w.paper("离线消费", e.Txn.STAN))
			})
		})
	}
}
