package agent

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

func TestAnApprovedSaleIsHeldAndOnPaper(t *testing.T) {
	inWorld(t, func(w *world) {
		w.do(w.reader.Command("present visa-4242"))
		stages, e := w.ask(Request{Op: "sale", Reference: "a", Amount: "12.50"})
		require.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
		assert.Equal(t, []words.Stage{words.SigningIn, words.Present, words.CardRead,
			words.Recorded, words.Sending, words.Waiting, words.Held, words.Printing}, stages)
		assert.Equal(t, "12.50", e.Txn.Amount)
		assert.Equal(t, "424242******4242", e.Txn.Card)
		assert.Equal(t, "ethernet", e.Txn.Bearer)
		assert.NotEmpty(t, e.Txn.RRN)
		assert.Equal(t, 1, w.paper("商户存根", "12.50", e.Txn.STAN))
		assert.Equal(t, 1, w.paper("持卡人存根", "12.50", e.Txn.STAN))
		assert.Zero(t, w.paper("重打印"))
	})
}

func TestASwipedCardSellsToo(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.sell("unionpay-0005", "88.00")
		require.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
		assert.Equal(t, txn.Swiped, e.Txn.Entry)
	})
}

func TestTheReadersPromptsReachTheScreen(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.till()
		defer c.conn.Close()
		c.send(Request{Op: "sale", Reference: "a", Amount: "12.50"})
		for c.next().Stage != words.Present {
		}
		w.do(w.reader.Command("present visa-4242"))
		var seen []words.Pair
		for e := c.next(); !e.Ends(); e = c.next() {
			if e.Stage == words.Present {
				seen = append(seen, *e.Text)
			}
		}
		assert.Contains(t, seen, words.Reading)
	})
}

func TestADeclineIsInWordsAndChargesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.sell("poor-0002", "12.50")
		require.Equal(t, words.OutcomeDeclined, e.Outcome, e.Error)
		assert.Equal(t, "51", e.Txn.Code)
		assert.NotEmpty(t, e.Advice.ZH)
		assert.NotEmpty(t, e.Advice.EN)
		assert.Empty(t, w.printer.Slips())
	})
}

// Every way in which an answer can fail to be an answer ends in a reversal with its own reason, and in known words.
func TestWhateverIsNotAnAnswerIsReversed(t *testing.T) {
	for fault, reason := range map[string]txn.Reason{
		"silent": txn.NoAnswer, "lost": txn.NoAnswer, "late 45s": txn.NoAnswer, "badmac": txn.BadMAC, "nomac": txn.BadMAC,
		"drop": txn.NoAnswer, "dropbefore": txn.NoAnswer, "garbage": txn.OtherCause, "wrongamount": txn.OtherCause,
		"wrongmerchant": txn.OtherCause, "wrongstan": txn.NoAnswer, "wrongterminal": txn.NoAnswer,
	} {
		t.Run(fault, func(t *testing.T) {
			inWorld(t, func(w *world) {
				approved(t, w.sell("visa-4242", "1.00")) // signed in, line known good
				w.fault(fault)
				e := w.sell("visa-4242", "12.50")
				if e.Outcome == words.OutcomeUnknown {
					w.after(2 * time.Minute)
					_, e = w.ask(Request{Op: "show", Reference: e.Txn.Reference})
				}
				require.Equal(t, words.OutcomeReversed, e.Outcome, "%s %+v", e.Error, e.Txn)
				assert.Equal(t, reason, e.Txn.Reason)
				assert.Equal(t, 1, w.paper("冲正", e.Txn.STAN))
				assert.Zero(t, w.paper("交易类型 TYPE", "12.50"), "a sale slip")
			})
		})
	}
}

func TestTheThirdOutcomeIsShownUntilItIsKnown(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.fault("silent")
		w.do(w.reader.Command("present visa-4242"))
		stages, e := w.ask(Request{Op: "sale", Reference: "a", Amount: "12.50"})
		require.Equal(t, words.OutcomeReversed, e.Outcome)
		assert.Equal(t, []words.Stage{words.Waiting, words.Unknown, words.Printing}, stages[len(stages)-3:], "nothing takes its place while the reversal is sent")
	})
}

func TestAnAnswerSentTwiceIsCountedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.fault("twice")
		approved(t, w.sell("visa-4242", "12.50"))
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "13.50").Outcome)
	})
}

func TestALateApprovalIsEvidenceAndNothingElse(t *testing.T) {
	inWorld(t, func(w *world) {
		w.fault("late 31s")
		w.fault("lost for reversal times 1")
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeUnknown, e.Outcome)
		w.after(3 * time.Minute)
		_, e = w.ask(Request{Op: "show", Reference: e.Txn.Reference})
		require.Equal(t, words.OutcomeReversed, e.Outcome)
		var late bool
		for _, l := range e.Txn.Journal {
			late = late || l.Event == "late answer 00, not honoured"
		}
		assert.True(t, late, "%+v", e.Txn.Journal)
	})
}

func TestNothingSentIsNothingOwed(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.after(time.Minute)
		w.line.SetDown(true)
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeNotDone, e.Outcome, e.Error)
		assert.Zero(t, e.Txn.Written)
		_, e = w.ask(Request{Op: "status"})
		assert.Zero(t, e.Status.Owed)
		w.line.SetDown(false)
	})
}

func TestNoSignInMeansNoCardIsAskedFor(t *testing.T) {
	inWorld(t, func(w *world) {
		w.line.SetDown(true)
		w.do(w.reader.Command("present visa-4242"))
		stages, e := w.ask(Request{Op: "sale", Reference: "a", Amount: "12.50"})
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "sign-in")
		assert.NotContains(t, stages, words.Present)
		w.line.SetDown(false)
	})
}

func TestAWrongCheckValueAtSignInSellsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.fault("badkcv")
		e := w.sell("visa-4242", "12.50")
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "check value")
		require.Equal(t, words.OutcomeApproved, w.sell("", "12.50").Outcome, "the card is still there, and the next sign-in is good")
	})
}

func TestTheSameReferenceNeverPaysTwice(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.sellAs("once", "visa-4242", "12.50", false)
		require.Equal(t, words.OutcomeApproved, first.Outcome)
		second := w.sellAs("once", "", "12.50", false)
		require.Equal(t, words.OutcomeApproved, second.Outcome)
		assert.Equal(t, first.Txn.ID, second.Txn.ID)
		other := w.sellAs("once", "", "99.00", false)
		assert.Equal(t, words.OutcomeRefused, other.Outcome)
		assert.Equal(t, first.Txn.ID, other.Txn.ID, "it shows whose reference that is")
		assert.NotContains(t, other.Text.EN, "nothing was charged")
		assert.Equal(t, 1, w.acquirer.Counts()["0200"])
	})
}

// A till lost its connection while the bank was thinking, and asks again.
func TestARepeatDuringTheSaleHearsItsOutcome(t *testing.T) {
	inWorld(t, func(w *world) {
		w.fault("late 5s")
		w.do(w.reader.Command("present visa-4242"))
		c := w.till()
		c.send(Request{Op: "sale", Reference: "once", Amount: "12.50"})
		for c.next().Stage != words.Waiting {
		}
		_ = c.conn.Close()
		second := w.sellAs("once", "", "12.50", false)
		approved(t, second)
		assert.Equal(t, 1, w.acquirer.Counts()["0200"])
	})
}

func TestTheSameCardAndAmountIsQuestioned(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeApproved, first.Outcome)
		second := w.sellAs("again", "visa-4242", "12.50", false)
		require.Equal(t, words.OutcomeRefused, second.Outcome)
		assert.Equal(t, first.Txn.STAN, second.Txn.STAN, "it shows what became of the first")
		require.Equal(t, words.OutcomeApproved, w.sellAs("again", "visa-4242", "12.50", true).Outcome)
		w.after(6 * time.Minute)
		approved(t, w.sell("visa-4242", "12.50"))
	})
}

func TestAReversalThatCannotBeProvenWaitsForPeople(t *testing.T) {
	inWorld(t, func(w *world) {
		w.fault("silent")
		w.fault("silent for reversal times 3")
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeUnknown, e.Outcome)
		w.after(10 * time.Minute)
		_, e = w.ask(Request{Op: "show", Reference: e.Txn.Reference})
		assert.Equal(t, txn.Suspense, e.Txn.State)
		assert.Equal(t, words.OutcomeUnknown, e.Outcome)
		assert.Equal(t, 3, e.Txn.Tries)
		_, status := w.ask(Request{Op: "status"})
		assert.Equal(t, 1, status.Status.Suspense)
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "13.00").Outcome, "people look while the shop goes on")
	})
}

func TestAnOwedReversalRefusesTheNextSale(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.fault("silent")
		go func() {
			time.Sleep(10 * time.Second) // while the answer is waited for
			w.line.SetDown(true)
		}()
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeUnknown, e.Outcome)
		e = w.sell("", "5.00")
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "must be reversed first")
		w.line.SetDown(false)
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "6.00").Outcome)
		_, status := w.ask(Request{Op: "status"})
		assert.Zero(t, status.Status.Owed)
	})
}

func TestUnreachableReversalsDoNotUseUpTheTries(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.fault("drop")
		w.fault("drop for reversal times 1")
		e := w.sell("visa-4242", "12.50")
		w.line.SetDown(true)
		w.after(time.Hour)
		w.line.SetDown(false)
		w.after(2 * time.Minute)
		_, e = w.ask(Request{Op: "show", Reference: e.Txn.Reference})
		assert.Equal(t, words.OutcomeReversed, e.Outcome)
		assert.LessOrEqual(t, e.Txn.Tries, 3, "one may have been on its way when the line went; an hour of others counts for nothing")
	})
}

func TestAnAcquirerThatAsksForNewKeysGetsTheReversalAfterASignIn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.fault("silent")
		w.fault("decline 77 for reversal times 1")
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeReversed, e.Outcome, "%s", e.Error)
		assert.Equal(t, 1, e.Txn.Tries, "asking for keys does not count")
		assert.Equal(t, 2, w.acquirer.Counts()["0800"])
	})
}

func TestTheCashierMayCancelUntilItIsRecorded(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.till()
		defer c.conn.Close()
		c.send(Request{Op: "sale", Reference: "a", Amount: "12.50"})
		for c.next().Stage != words.Present {
		}
		c.send(Request{Op: "cancel"})
		e := c.next()
		for !e.Ends() {
			e = c.next()
		}
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Zero(t, w.acquirer.Counts()["0200"])
		approved(t, w.sell("visa-4242", "12.50"))
	})
}

func TestOneSaleAtATime(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.till()
		defer c.conn.Close()
		c.send(Request{Op: "sale", Reference: "a", Amount: "12.50"})
		for c.next().Stage != words.Present {
		}
		e := w.sellAs("b", "", "13.00", false)
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "another sale")
		w.do(w.reader.Command("present visa-4242"))
		for e = c.next(); !e.Ends(); e = c.next() {
		}
		assert.Equal(t, words.OutcomeApproved, e.Outcome)
	})
}

func TestPaperOutNeverChangesTheOutcome(t *testing.T) {
	inWorld(t, func(w *world) {
		w.do(w.printer.Command("paper out"))
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeApproved, e.Outcome)
		assert.Equal(t, txn.SlipOwed, e.Txn.Merchant)
		w.do(w.printer.Command("paper ok"))
		w.after(time.Minute)
		_, e = w.ask(Request{Op: "show", Reference: e.Txn.Reference})
		assert.Equal(t, txn.SlipPrinted, e.Txn.Merchant)
		assert.Equal(t, txn.SlipPrinted, e.Txn.Customer)
		assert.Equal(t, 2, w.paper("12.50"))
		assert.Zero(t, w.paper("重打印"), "nothing was on paper before")
	})
}

func TestASlipOwedOverARestartIsMarked(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.do(w.printer.Command("silent on"))
		approved(t, w.sell("visa-4242", "12.50"))
		w.cutPower()
		w.do(w.printer.Command("silent off"))
		w.boot()
		w.after(time.Minute)
		assert.Equal(t, 1, w.paper("商户存根", "12.50", "重打印"))
		assert.Equal(t, 1, w.paper("持卡人存根", "12.50", "重打印"))
	})
}

func TestAReaderThatTalksNonsenseSellsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.do(w.reader.Command("nonsense on"))
		e := w.sell("", "12.50")
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "card reader")
		w.do(w.reader.Command("nonsense off"))
		approved(t, w.sell("visa-4242", "12.50"))
	})
}

func TestNobodyPresentsACard(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.sell("", "12.50")
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "no card")
		assert.Zero(t, w.acquirer.Counts()["0200"])
	})
}

func TestWrongAmountsAreRefusedInWords(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, amount := range []string{"-1", "0", "1.234", "99999999999.00", "", "x"} {
			e := w.sell("", amount)
			assert.Equal(t, words.OutcomeRefused, e.Outcome, amount)
			assert.NotEmpty(t, e.Error)
		}
		assert.Zero(t, w.acquirer.Counts()["0800"], "nobody was called for it")
	})
}

func TestTheBooksReadTheSameAfterARestart(t *testing.T) {
	inWorld(t, func(w *world) {
		for n := range 7 {
			require.Equal(t, words.OutcomeApproved, w.sellAs(fmt.Sprint("n", n), "visa-4242", "12.50", true).Outcome)
		}
		synctest.Wait()
		_, before := w.ask(Request{Op: "list"})
		w.cutPower()
		w.boot()
		_, after := w.ask(Request{Op: "list"})
		require.Len(t, after.Txns, 7)
		assert.Equal(t, before.Txns, after.Txns)
	})
}

func TestRequestsThatAreNotRequests(t *testing.T) {
	inWorld(t, func(w *world) {
		_, e := w.ask(Request{Op: "explode"})
		assert.Contains(t, e.Error, "explode")
		c := w.till()
		defer c.conn.Close()
		_, err := c.conn.Write([]byte("{]\n"))
		require.NoError(t, err)
		assert.Equal(t, "error", c.next().Event)
	})
}
