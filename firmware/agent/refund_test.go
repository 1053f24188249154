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

func (w *world) refund(reference, amount, original, card string) Event {
	w.t.Helper()
	if card != "" {
		w.do(w.reader.Command("present " + card))
	}
	_, e := w.ask(Request{Op: "refund", Reference: reference, Amount: amount, Original: original, Supervisor: "00"})
	return e
}

func TestARefundGivesBackPartAndThenTheRest(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		part := w.refund("r1", "2.50", sale.Txn.Reference, "visa-4242")
		approved(t, part)
		assert.Equal(t, txn.Refund, part.Txn.Kind)
		assert.Equal(t, sale.Txn.RRN, part.Txn.Original.RRN)
		assert.Equal(t, linktest.Held, w.standing(sale.Txn))
		assert.Equal(t, 2, w.paper("退货", "2.50", part.Txn.STAN, sale.Txn.RRN))
		more := w.refund("r2", "10.01", sale.Txn.Reference, "visa-4242")
		assert.Equal(t, words.OutcomeRefused, more.Outcome)
		assert.Contains(t, more.Error, "10.00 are left")
		rest := w.refund("r3", "10.00", sale.Txn.STAN, "visa-4242")
		approved(t, rest)
		assert.Equal(t, linktest.Refunded, w.standing(sale.Txn))
		assert.Len(t, w.show(sale.Txn.Reference).Txn.UndoneBy, 2)
		void := w.undo("v", sale.Txn.STAN, "visa-4242")
		assert.Equal(t, words.OutcomeRefused, void.Outcome)
		assert.Contains(t, void.Error, "has a refund already")
		same := w.refund("r1", "2.50", sale.Txn.Reference, "")
		assert.Equal(t, part.Txn.ID, same.Txn.ID)
		other := w.refund("r1", "2.51", sale.Txn.Reference, "")
		assert.Equal(t, words.OutcomeRefused, other.Outcome)
	})
}

func TestASaleOfOtherBooksIsRefundedByItsReferenceNumber(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		date := time.Now().Format("0102")
		w.do(w.reader.Command("present visa-4242"))
		_, e := w.ask(Request{Op: "refund", Reference: "r", Amount: "12.50", OriginalRRN: sale.Txn.RRN, OriginalDate: date, Supervisor: "00"})
		approved(t, e)
		assert.Zero(t, e.Txn.Original.ID)
		assert.Equal(t, linktest.Refunded, w.standing(sale.Txn))
		_, e = w.ask(Request{Op: "refund", Reference: "r2", Amount: "1.00", OriginalRRN: sale.Txn.RRN, Supervisor: "00"})
		assert.Contains(t, e.Error, "MMDD")
		w.do(w.reader.Command("present visa-4242"))
		_, e = w.ask(Request{Op: "refund", Reference: "r3", Amount: "1.00", OriginalRRN: "999", OriginalDate: date, Supervisor: "00"})
		assert.Equal(t, words.OutcomeDeclined, e.Outcome)
		assert.Equal(t, "25", e.Txn.Code)
	})
}

func TestARefundThatIsNotAllowedSendsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.cutPower()
		w.options.MaxRefund = 1000
		w.boot()
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		for why, q := range map[string]Request{
			"supervisor":     {Original: sale.Txn.STAN, Amount: "1.00"},
			"at most 10.00":  {Original: sale.Txn.STAN, Amount: "10.01", Supervisor: "00"},
			"is zero":        {Original: sale.Txn.STAN, Amount: "0", Supervisor: "00"},
			"has no voucher": {Original: "999", Amount: "1.00", Supervisor: "00"},
		} {
			q.Op, q.Reference = "refund", "r "+why
			_, e := w.ask(q)
			assert.Equal(t, words.OutcomeRefused, e.Outcome, why)
			assert.Contains(t, e.Error, why)
			assert.Contains(t, e.Text.EN, "No refund was begun")
		}
		e := w.refund("card", "1.00", sale.Txn.STAN, "unionpay-0005")
		assert.Contains(t, e.Error, "the card that paid")
		approved(t, w.undo("v", sale.Txn.STAN, "visa-4242"))
		e = w.refund("voided", "1.00", sale.Txn.STAN, "")
		assert.Contains(t, e.Error, "0.00 are left")
		assert.Zero(t, w.acquirer.Counts()["0220"])
	})
}

// Whatever happens to the answer, the refund is told again with the same STAN until it is acknowledged, and booked once.
func TestARefundWithoutAnAnswerIsRepeated(t *testing.T) {
	for _, fault := range []string{"silent", "lost", "late 45s", "badmac", "nomac", "drop", "dropbefore", "garbage", "wrongamount",
		"wrongstan", "swapped", "forge 09"} {
		t.Run(fault, func(t *testing.T) {
			inWorld(t, func(w *world) {
				sale := w.sell("visa-4242", "12.50")
				approved(t, sale)
				w.fault(fault + " for refund")
				e := w.refund("r", "2.50", sale.Txn.STAN, "visa-4242")
				if e.Outcome == words.OutcomeUnknown {
					assert.Contains(t, e.Text.EN, "Do not refund again")
					w.after(2 * time.Minute)
					e = w.show("r")
				}
				approved(t, e)
				assert.Equal(t, 2, e.Txn.Tries)
				if e.Txn.Code == "94" {
					assert.Nil(t, e.Advice, "in the words of the table that would be a refusal")
				}
				assert.Zero(t, w.acquirer.Counts()["0400"], "a refund is never reversed")
				assert.Equal(t, linktest.Given, w.standing(e.Txn))
				assert.Equal(t, txn.Amount(1000), w.acquirer.Ledger().Accounts["visa-4242"].Held)
				assert.Equal(t, 2, w.paper("退货", "2.50", e.Txn.STAN))
			})
		})
	}
}

func TestARefusedRefundEndsAtOnceAndARefusedCopyDoesNot(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		w.fault("decline 96 for refund")
		e := w.refund("refused", "2.50", sale.Txn.STAN, "visa-4242")
		require.Equal(t, words.OutcomeDeclined, e.Outcome, "nothing was told before, so this is the answer")

		w.fault("silent for refund")
		w.fault("decline 96 for refund times 1")
		e = w.refund("later", "2.50", sale.Txn.STAN, "visa-4242")
		w.after(2 * time.Minute)
		approved(t, w.show("later"))

		w.fault("silent for refund")
		w.fault("decline 61 for refund times 1")
		w.refund("doubt", "1.00", sale.Txn.STAN, "visa-4242")
		w.after(2 * time.Minute)
		e = w.show("doubt")
		assert.Equal(t, txn.Suspense, e.Txn.State, "the copy before it may have been booked, and was")
		assert.Equal(t, 1, w.paper("结果未知", e.Txn.STAN, "退货"))
		assert.Equal(t, linktest.Given, w.standing(e.Txn))
	})
}

func TestNewKeysBetweenTwoCopies(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		w.fault("silent for refund")
		w.fault("decline A0 for refund times 1")
		w.refund("r", "2.50", sale.Txn.STAN, "visa-4242")
		w.after(2 * time.Minute)
		approved(t, w.show("r"))
		assert.Equal(t, 2, w.acquirer.Counts()["0800"])
		assert.Equal(t, 2, w.show("r").Txn.Tries, "asking for keys does not count")
	})
}

func TestARefundThatNobodyAnswersWaitsForPeople(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		w.fault("lost for refund times 3")
		require.Equal(t, words.OutcomeUnknown, w.refund("r", "2.50", sale.Txn.STAN, "visa-4242").Outcome)
		w.after(10 * time.Minute)
		e := w.show("r")
		assert.Equal(t, txn.Suspense, e.Txn.State)
		assert.Equal(t, 3, w.acquirer.Counts()["0220"])
		assert.Contains(t, w.refund("again", "10.01", sale.Txn.STAN, "").Error, "10.00 are left", "what may have been given back is not given again")
	})
}

func TestARefundNotSentIsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		sale := w.sell("visa-4242", "12.50")
		approved(t, sale)
		w.after(time.Minute)
		w.line.SetDown(true)
		e := w.refund("r", "2.50", sale.Txn.STAN, "visa-4242")
		require.Equal(t, words.OutcomeNotDone, e.Outcome, e.Error)
		w.line.SetDown(false)
		w.after(2 * time.Minute)
		assert.Zero(t, w.acquirer.Counts()["0220"])
	})
}

// The power goes at every step of a refund: what was recorded is told until it is acknowledged.
func TestThePowerGoesDuringARefund(t *testing.T) {
	for stage, begun := range map[words.Stage]bool{words.Present: false, words.CardRead: false, words.Recorded: true,
		words.Unknown: true, words.Held: true, words.Printing: true} {
		t.Run(string(stage), func(t *testing.T) {
			inWorld(t, func(w *world) {
				sale := w.sell("visa-4242", "12.50")
				approved(t, sale)
				if stage == words.Unknown {
					w.fault("silent for refund")
				}
				w.do(w.reader.Command("present visa-4242"))
				w.cutAt(stage, w.agent.terminal.Refund, terminal.Order{Reference: "r", Amount: 250, Approver: "00",
					Original: terminal.Named{Reference: sale.Txn.Reference}})
				w.after(3 * time.Minute)
				e := w.show("r")
				if !begun {
					assert.Nil(t, e.Txn)
					assert.Zero(t, w.acquirer.Counts()["0220"])
					return
				}
				approved(t, e)
				assert.Equal(t, txn.Amount(1000), w.acquirer.Ledger().Accounts["visa-4242"].Held)
				assert.Equal(t, 2, w.paper("退货", e.Txn.STAN))
			})
		})
	}
}

func TestThePowerGoesWhileTheBankThinksAboutARefund(t *testing.T) {
	for _, fault := range []string{"silent", "lost"} {
		inWorld(t, func(w *world) {
			sale := w.sell("visa-4242", "12.50")
			approved(t, sale)
			w.fault(fault + " for refund")
			w.do(w.reader.Command("present visa-4242"))
			w.cutWaiting(Request{Op: "refund", Reference: "r", Amount: "2.50", Original: sale.Txn.STAN, Supervisor: "00"})
			w.after(2 * time.Minute)
			approved(t, w.show("r"))
			assert.Equal(t, txn.Amount(1000), w.acquirer.Ledger().Accounts["visa-4242"].Held)
		})
	}
}
