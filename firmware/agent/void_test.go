package agent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/terminal"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// undo voids what is named so, with a card.
func (w *world) undo(reference, original, card string) Event {
	w.t.Helper()
	if card != "" {
		w.do(w.reader.Command("present " + card))
	}
	_, e := w.ask(Request{Op: "void", Reference: reference, Original: original, Supervisor: "00"})
	return e
}

func (w *world) show(reference string) Event {
	_, e := w.ask(Request{Op: "show", Reference: reference})
	return e
}

// standing is what the acquirer says of a sale here.
func (w *world) standing(r *Record) linktest.Standing {
	for _, row := range w.acquirer.Ledger().Terminals[testTerminal].Rows {
		if sixDigits(row.Batch) == r.Batch && sixDigits(row.STAN) == r.STAN {
			return row.State
		}
	}
	return ""
}

func TestAVoidGivesTheSaleBackAndIsOnPaper(t *testing.T) {
	for _, card := range []string{"visa-4242", "unionpay-0005"} {
		inWorld(t, func(w *world) {
			sale := w.sell(card, "12.50")
			approved(t, sale)
			w.do(w.reader.Command("present " + card))
			stages, e := w.ask(Request{Op: "void", Reference: "v", Original: sale.Txn.STAN, Supervisor: "00"})
			require.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
			assert.Equal(t, []words.Stage{words.Present, words.CardRead, words.Recorded, words.Sending, words.Waiting, words.Held, words.Printing}, stages)
			assert.Equal(t, txn.Void, e.Txn.Kind)
			assert.Equal(t, "12.50", e.Txn.Amount)
			assert.Equal(t, sale.Txn.STAN, e.Txn.Original.STAN)
			assert.Equal(t, sale.Txn.RRN, e.Txn.Original.RRN)
			assert.Equal(t, "00", e.Txn.Approver)
			assert.Equal(t, linktest.Voided, w.standing(sale.Txn))
			assert.Equal(t, linktest.Given, w.standing(e.Txn))
			assert.Equal(t, 2, w.paper("消费撤销", "12.50", e.Txn.STAN, sale.Txn.STAN))
			after := w.show(sale.Txn.Reference)
			require.Len(t, after.Txn.UndoneBy, 1)
			assert.Equal(t, "0.00", after.Txn.Left)
			assert.NotContains(t, after.Text.EN, "hand over")
			assert.NotContains(t, w.sellAs(sale.Txn.Reference, "", "12.50", false).Text.EN, "hand over", "repeated after the void")
			assert.Equal(t, e.Txn.STAN, after.Txn.UndoneBy[0].STAN)
		})
	}
}

func TestAVoidThatIsNotAllowedSendsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		declined := w.sell("poor-0002", "12.50")
		require.Equal(t, words.OutcomeDeclined, declined.Outcome)
		for why, q := range map[string]Request{
			"supervisor":               {Original: sale.Txn.STAN},
			"other than the cashier":   {Original: sale.Txn.STAN, Supervisor: "01"},
			"no voucher 000999":        {Original: "999", Supervisor: "00"},
			"no transaction has the":   {Original: "till-x", Supervisor: "00"},
			"name it":                  {Supervisor: "00"},
			"holds no money":           {Original: declined.Txn.STAN, Supervisor: "00"},
			"reference must have 1 to": {Original: sale.Txn.STAN, Supervisor: "00", Reference: " "},
		} {
			q.Op = "void"
			if q.Reference == "" {
				q.Reference = "v " + why
			} else {
				q.Reference = ""
			}
			_, e := w.ask(q)
			assert.Equal(t, words.OutcomeRefused, e.Outcome, why)
			assert.Contains(t, e.Error, why)
			assert.NotContains(t, e.Text.EN, "sale was")
		}
		e := w.undo("other card", sale.Txn.STAN, "unionpay-0005")
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "the card that paid")
		assert.Equal(t, 2, w.acquirer.Counts()["0200"])
	})
}

func TestASaleIsVoidedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		first := w.undo("v1", sale.Txn.Reference, "visa-4242")
		approved(t, first)
		again := w.undo("v2", sale.Txn.Reference, "visa-4242")
		assert.Equal(t, words.OutcomeRefused, again.Outcome)
		assert.Contains(t, again.Error, "has a void already")
		repeated := w.undo("v1", sale.Txn.Reference, "")
		approved(t, repeated)
		assert.Equal(t, first.Txn.ID, repeated.Txn.ID)
		other := w.undo("v1", "1", "")
		assert.Equal(t, words.OutcomeRefused, other.Outcome, "that reference is another void's")
		ofSale := w.undo(sale.Txn.Reference, sale.Txn.STAN, "")
		assert.Equal(t, words.OutcomeRefused, ofSale.Outcome, "that reference is a sale's")
		void := w.undo("v3", first.Txn.STAN, "")
		assert.Contains(t, void.Error, "no sale")
		approved(t, w.sell("visa-4242", "12.50"))
	})
}

// Every way in which the answer to a void can fail ends in its reversal, and then the sale stands again on both sides.
func TestAVoidWithoutAnAnswerIsReversed(t *testing.T) {
	for fault, reason := range map[string]txn.Reason{
		"silent": txn.NoAnswer, "lost": txn.NoAnswer, "late 45s": txn.NoAnswer, "badmac": txn.BadMAC, "nomac": txn.BadMAC,
		"drop": txn.NoAnswer, "dropbefore": txn.NoAnswer, "garbage": txn.OtherCause, "wrongamount": txn.OtherCause,
		"swapped": txn.NoAnswer, "wrongstan": txn.NoAnswer,
	} {
		t.Run(fault, func(t *testing.T) {
			inWorld(t, func(w *world) {
				sale := w.sell("visa-4242", "12.50")
				approved(t, sale)
				w.fault(fault + " for void")
				e := w.undo("v", sale.Txn.STAN, "visa-4242")
				if e.Outcome == words.OutcomeUnknown {
					assert.Contains(t, e.Text.EN, "Do not void again")
					w.after(2 * time.Minute)
					e = w.show("v")
				}
				require.Equal(t, words.OutcomeReversed, e.Outcome, "%s %+v", e.Error, e.Txn)
				assert.Equal(t, reason, e.Txn.Reason)
				assert.Contains(t, e.Text.EN, "The sale stands")
				assert.Equal(t, linktest.Held, w.standing(sale.Txn))
				assert.Equal(t, 1, w.paper("冲正", "原消费仍有效", e.Txn.STAN))
				assert.Zero(t, w.paper("未扣"), "the customer was charged, and still is")
				assert.Empty(t, w.show(sale.Txn.Reference).Txn.UndoneBy)
				approved(t, w.undo("again", sale.Txn.STAN, "visa-4242"))
				assert.Equal(t, linktest.Voided, w.standing(sale.Txn))
			})
		})
	}
}

func TestADeclinedVoidLeavesTheSale(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		w.fault("decline 91 for void")
		e := w.undo("v", sale.Txn.STAN, "visa-4242")
		require.Equal(t, words.OutcomeDeclined, e.Outcome)
		assert.Contains(t, e.Text.EN, "The sale stands")
		assert.Equal(t, linktest.Held, w.standing(sale.Txn))
	})
}

func TestAVoidInDoubtIsNotMadeAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		w.fault("silent for void")
		w.fault("silent for reversal times 3")
		require.Equal(t, words.OutcomeUnknown, w.undo("v", sale.Txn.STAN, "visa-4242").Outcome)
		w.after(10 * time.Minute)
		require.Equal(t, txn.Suspense, w.show("v").Txn.State)
		again := w.undo("again", sale.Txn.STAN, "visa-4242")
		assert.Equal(t, words.OutcomeRefused, again.Outcome)
		assert.Contains(t, again.Error, "suspense")
	})
}

// The power goes at every step of a void: whatever was begun ends, and both sides agree.
func TestThePowerGoesDuringAVoid(t *testing.T) {
	for stage, want := range map[words.Stage]words.Outcome{
		words.Present: "", words.CardRead: "", words.Recorded: words.OutcomeReversed, words.Unknown: words.OutcomeReversed,
		words.Held: words.OutcomeApproved, words.Printing: words.OutcomeApproved,
	} {
		t.Run(string(stage), func(t *testing.T) {
			inWorld(t, func(w *world) {
				sale := w.sell("visa-4242", "12.50")
				approved(t, sale)
				if stage == words.Unknown {
					w.fault("silent for void")
				}
				w.do(w.reader.Command("present visa-4242"))
				w.cutAt(stage, w.agent.terminal.Void, terminal.Order{Reference: "v", Approver: "00",
					Original: terminal.Named{Reference: sale.Txn.Reference}})
				w.after(3 * time.Minute)
				e := w.show("v")
				if want == "" {
					assert.Nil(t, e.Txn, "nothing was begun")
					assert.Equal(t, linktest.Held, w.standing(sale.Txn))
					return
				}
				require.Equal(t, want, e.Outcome)
				if want == words.OutcomeApproved {
					assert.Equal(t, linktest.Voided, w.standing(sale.Txn))
					assert.Equal(t, 2, w.paper("消费撤销", e.Txn.STAN))
					return
				}
				assert.Equal(t, linktest.Held, w.standing(sale.Txn))
				assert.Equal(t, 1, w.paper("冲正", e.Txn.STAN))
			})
		})
	}
}

func TestThePowerGoesWhileTheBankThinksAboutAVoid(t *testing.T) {
	for _, fault := range []string{"silent", "lost"} {
		inWorld(t, func(w *world) {
			sale := w.sell("visa-4242", "12.50")
			approved(t, sale)
			w.fault(fault + " for void")
			w.do(w.reader.Command("present visa-4242"))
			w.cutWaiting(Request{Op: "void", Reference: "v", Original: sale.Txn.STAN, Supervisor: "00"})
			w.after(2 * time.Minute)
			require.Equal(t, words.OutcomeReversed, w.show("v").Outcome)
			assert.Equal(t, linktest.Held, w.standing(sale.Txn))
		})
	}
}

func TestYesterdaysVoidCannotBeProven(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		w.fault("silent for void")
		w.fault("lost for reversal times 2")
		require.Equal(t, words.OutcomeUnknown, w.undo("v", sale.Txn.STAN, "visa-4242").Outcome)
		w.do(w.acquirer.Command("day next"))
		w.after(3 * time.Minute)
		e := w.show("v")
		assert.Equal(t, txn.Suspense, e.Txn.State, "25 after a day change proves nothing")
		assert.Equal(t, 1, w.paper("结果未知", e.Txn.STAN))
	})
}
