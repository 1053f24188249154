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

// make makes a transaction of any kind with a card.
func (w *world) make(q Request, card string) Event {
	w.t.Helper()
	w.do(w.reader.Command("present " + card))
	if q.Supervisor == "" && txn.Kind(q.Op).TakesBack() {
		q.Supervisor = "00"
	}
	_, e := w.ask(q)
	return e
}

func (w *world) hold(reference, amount, card string) Event {
	w.t.Helper()
	e := w.make(Request{Op: "preauth", Reference: reference, Amount: amount}, card)
	approved(w.t, e)
	return e
}

func TestAPreAuthorisationIsChargedDaysLater(t *testing.T) {
	for _, card := range []string{"visa-4242", "unionpay-0005"} {
		inWorld(t, func(w *world) {
			hold := w.hold("room 12", "500.00", card)
			assert.Equal(t, linktest.Held, w.standing(hold.Txn))
			assert.Equal(t, 2, w.paper("预授权", "500.00", hold.Txn.AuthCode))
			approved(t, w.sell(card, "1.00"))
			date := time.Now().Format("0102")
			_, closed := w.ask(Request{Op: "batch close"})
			require.Equal(t, txn.Closed, closed.Batch.Step, closed.Error)
			assert.Equal(t, 1, closed.Batch.Own.All.Debit.Count, "what is held is not settled")
			w.do(w.acquirer.Command("day next"))
			w.do(w.acquirer.Command("day next"))

			over := w.make(Request{Op: "completion", Reference: "over", Amount: "575.01", OriginalAuth: hold.Txn.AuthCode, OriginalDate: date}, card)
			assert.Equal(t, words.OutcomeRefused, over.Outcome)
			assert.Contains(t, over.Error, "575.00")
			e := w.make(Request{Op: "completion", Reference: "out", Amount: "575.00", OriginalAuth: hold.Txn.AuthCode, OriginalDate: date}, card)
			approved(t, e)
			assert.Equal(t, hold.Txn.ID, e.Txn.Original.ID)
			assert.Equal(t, linktest.Completed, w.standing(hold.Txn))
			assert.Equal(t, linktest.Held, w.standing(e.Txn))
			assert.Equal(t, 2, w.paper("预授权完成", "575.00", e.Txn.STAN, hold.Txn.AuthCode))
			require.Len(t, w.show("room 12").Txn.UndoneBy, 1)
			_, closed = w.ask(Request{Op: "batch close"})
			require.Equal(t, txn.Balanced, closed.Batch.Domestic, closed.Error)
			require.Equal(t, txn.Balanced, closed.Batch.Foreign, closed.Error)
			assert.Equal(t, "575.00", closed.Batch.Own.All.Debit.Amount)
		})
	}
}

func TestACompletionCancelHoldsTheMoneyAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		hold := w.hold("room", "500.00", "visa-4242")
		completion := w.make(Request{Op: "completion", Reference: "out", Amount: "480.00", Original: "room"}, "visa-4242")
		approved(t, completion)
		cancel := w.make(Request{Op: "completion-cancel", Reference: "sorry", Original: completion.Txn.STAN}, "visa-4242")
		approved(t, cancel)
		assert.Equal(t, linktest.Voided, w.standing(completion.Txn))
		assert.Equal(t, linktest.Held, w.standing(hold.Txn))
		assert.Equal(t, txn.Amount(50000), w.acquirer.Ledger().Accounts["visa-4242"].Held)
		assert.Empty(t, w.show("room").Txn.UndoneBy, "it is in force again")
		gone := w.make(Request{Op: "preauth-cancel", Reference: "leaves", Original: "room"}, "visa-4242")
		approved(t, gone)
		assert.Equal(t, linktest.Cancelled, w.standing(hold.Txn))
		assert.Zero(t, w.acquirer.Ledger().Accounts["visa-4242"].Held)
		assert.Equal(t, 2, w.paper("预授权撤销", "额度已解除", gone.Txn.STAN))
		_, closed := w.ask(Request{Op: "batch close"})
		require.Equal(t, txn.Balanced, closed.Batch.Foreign, closed.Error)
		assert.Equal(t, "480.00", closed.Batch.Own.All.Credit.Amount)
	})
}

func TestAHoldThatTheseBooksDoNotKnowIsCancelledByItsSlip(t *testing.T) {
	inWorld(t, func(w *world) {
		hold := w.hold("room", "500.00", "visa-4242")
		q := Request{Op: "preauth-cancel", Reference: "a", OriginalAuth: hold.Txn.AuthCode, OriginalDate: time.Now().Format("0102")}
		assert.Contains(t, w.make(q, "visa-4242").Error, "amount")
		q.Reference, q.Amount = "b", "500.00"
		e := w.make(q, "unionpay-0005")
		assert.Equal(t, words.OutcomeDeclined, e.Outcome, "the acquirer knows that it is another card's")
		assert.Equal(t, "25", e.Txn.Code)
		q.Reference = "c"
		approved(t, w.make(q, "visa-4242"))
		assert.Equal(t, linktest.Cancelled, w.standing(hold.Txn))
	})
}

// family is how each kind that is asked for is made in a world with a hold called "room" and a completion called "done".
var family = map[string]struct {
	q    Request
	aim  string
	undo string
}{
	"preauth":           {Request{Op: "preauth", Amount: "30.00"}, "preauth", "NOTHING HELD"},
	"preauth-cancel":    {Request{Op: "preauth-cancel", Original: "room"}, "preauth-cancel", "THE HOLD STANDS"},
	"completion":        {Request{Op: "completion", Amount: "510.00", Original: "room"}, "completion", "NOT CHARGED"},
	"completion-cancel": {Request{Op: "completion-cancel", Original: "done"}, "completion-cancel", "COMPLETION STANDS"},
}

func (w *world) furnish() (held txn.Amount) {
	w.hold("room", "500.00", "visa-4242")
	w.hold("other", "90.00", "visa-4242")
	approved(w.t, w.make(Request{Op: "completion", Reference: "done", Amount: "80.00", Original: "other"}, "visa-4242"))
	return w.acquirer.Ledger().Accounts["visa-4242"].Held
}

// Every way in which an answer can fail ends in a reversal, after which both sides stand as before.
func TestTheFamilyWithoutAnAnswerIsReversed(t *testing.T) {
	for name, member := range family {
		for fault, reason := range map[string]txn.Reason{
			"silent": txn.NoAnswer, "lost": txn.NoAnswer, "late 45s": txn.NoAnswer, "badmac": txn.BadMAC, "drop": txn.NoAnswer,
			"garbage": txn.OtherCause, "wrongamount": txn.OtherCause, "wrongmerchant": txn.OtherCause,
		} {
			t.Run(name+" "+fault, func(t *testing.T) {
				inWorld(t, func(w *world) {
					held := w.furnish()
					w.fault(fault + " for " + member.aim)
					q := member.q
					q.Reference = "x"
					e := w.make(q, "visa-4242")
					if e.Outcome == words.OutcomeUnknown {
						w.after(2 * time.Minute)
						e = w.show("x")
					}
					require.Equal(t, words.OutcomeReversed, e.Outcome, "%s %+v", e.Error, e.Txn)
					assert.Equal(t, reason, e.Txn.Reason)
					assert.Equal(t, held, w.acquirer.Ledger().Accounts["visa-4242"].Held)
					assert.Equal(t, 1, w.paper("冲正", member.undo, e.Txn.STAN))
					q.Reference = "again"
					approved(t, w.make(q, "visa-4242"))
				})
			})
		}
	}
}

func TestTheFamilyDeclinedChangesNothing(t *testing.T) {
	for name, member := range family {
		inWorld(t, func(w *world) {
			held := w.furnish()
			w.fault("decline 91 for " + member.aim)
			q := member.q
			q.Reference = "x"
			e := w.make(q, "visa-4242")
			require.Equal(t, words.OutcomeDeclined, e.Outcome, name)
			assert.Equal(t, held, w.acquirer.Ledger().Accounts["visa-4242"].Held)
			assert.Zero(t, w.acquirer.Counts()["0400"])
		})
	}
}

// The power goes at every step: whatever was begun ends, and both sides agree.
func TestThePowerGoesDuringTheFamily(t *testing.T) {
	for name, member := range family {
		for stage, want := range map[words.Stage]words.Outcome{
			words.CardRead: "", words.Recorded: words.OutcomeReversed, words.Unknown: words.OutcomeReversed,
			words.Held: words.OutcomeApproved, words.Printing: words.OutcomeApproved,
		} {
			t.Run(name+" "+string(stage), func(t *testing.T) {
				inWorld(t, func(w *world) {
					w.furnish()
					if stage == words.Unknown {
						w.fault("silent for " + member.aim)
					}
					w.do(w.reader.Command("present visa-4242"))
					q := member.q
					q.Reference, q.Supervisor = "x", "00"
					order, err := w.agent.order(txn.Kind(q.Op), q)
					require.NoError(t, err)
					w.cutAt(stage, func(ctx context.Context, o terminal.Order) (txn.Txn, error) {
						return w.agent.deed(txn.Kind(q.Op))(ctx, o)
					}, order)
					w.after(3 * time.Minute)
					e := w.show("x")
					if want == "" {
						assert.Nil(t, e.Txn, "nothing was begun")
						return
					}
					require.Equal(t, want, e.Outcome)
					q.Reference = "again"
					if again := w.make(q, "visa-4242"); want == words.OutcomeReversed {
						approved(t, again)
					} else {
						assert.Equal(t, words.OutcomeRefused, again.Outcome, "it was done once")
					}
				})
			})
		}
	}
}

func TestANoticeWaitsForTheLineAndIsBookedOnce(t *testing.T) {
	for _, fault := range []string{"", "silent", "lost", "badmac", "drop", "garbage"} {
		t.Run(fault, func(t *testing.T) {
			inWorld(t, func(w *world) {
				hold := w.hold("room", "500.00", "visa-4242")
				if fault == "" {
					w.after(time.Minute)
					w.line.SetDown(true)
				} else {
					w.fault(fault + " for completion-notice")
				}
				e := w.make(Request{Op: "completion-notice", Reference: "out", Amount: "520.00", Original: "room"}, "visa-4242")
				require.Equal(t, words.OutcomeQueued, e.Outcome, e.Error)
				assert.Equal(t, 2, w.paper("预授权完成通知", "待上送", e.Txn.STAN))
				assert.Equal(t, txn.Advising, e.Txn.State)
				w.line.SetDown(false)
				w.after(2 * time.Minute)
				e = w.show("out")
				approved(t, e)
				assert.Equal(t, linktest.Held, w.standing(e.Txn))
				assert.Equal(t, linktest.Completed, w.standing(hold.Txn))
				assert.Zero(t, w.acquirer.Counts()["0400"])
				assert.Equal(t, 2, w.paper("预授权完成通知", e.Txn.STAN), "one slip each")
				_, closed := w.ask(Request{Op: "batch close"})
				require.Equal(t, txn.Balanced, closed.Batch.Foreign, closed.Error)
			})
		})
	}
}

// What was recorded without a line is told after any power cut.
func TestThePowerGoesWhileANoticeWaits(t *testing.T) {
	inWorld(t, func(w *world) {
		w.hold("room", "500.00", "visa-4242")
		w.after(time.Minute)
		w.line.SetDown(true)
		e := w.make(Request{Op: "completion-notice", Reference: "out", Amount: "520.00", Original: "room"}, "visa-4242")
		require.Equal(t, words.OutcomeQueued, e.Outcome, e.Error)
		w.cutPower()
		w.boot()
		w.line.SetDown(false)
		w.after(2 * time.Minute)
		approved(t, w.show("out"))
		assert.Equal(t, 2, w.paper("预授权完成通知"), "and no slip more")
	})
}
