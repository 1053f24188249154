package agent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn/words"
)

func (w *world) balance(card string, paper bool) ([]words.Stage, Event) {
	w.t.Helper()
	w.do(w.reader.Command("present " + card))
	return w.ask(Request{Op: "balance", Print: paper})
}

func TestABalanceIsShownAndPrintedWhenAskedFor(t *testing.T) {
	for _, card := range []string{"visa-4242", "unionpay-0005"} {
		inWorld(t, func(w *world) {
			approved(t, w.sell(card, "12.50"))
			stages, e := w.balance(card, false)
			approved(t, e)
			assert.Equal(t, []words.Stage{words.Present, words.CardRead, words.Sending, words.Waiting, words.Enquired}, stages)
			require.Len(t, e.Enquiry.Balances, 1)
			shown := e.Enquiry.Balances[0].Amount
			assert.NotEmpty(t, shown)
			assert.Zero(t, w.paper("余额查询"))
			_, e = w.balance(card, true)
			approved(t, e)
			assert.Equal(t, 1, w.paper("余额查询", shown))
			assert.NotContains(t, w.log.String(), shown, "the balance is the cardholder's")
			_, list := w.ask(Request{Op: "list"})
			assert.Len(t, list.Txns, 1, "an enquiry is in no book")
		})
	}
}

func TestABalanceThatDoesNotComeOwesNothing(t *testing.T) {
	for _, fault := range []string{"silent", "lost", "late 45s", "badmac", "drop", "dropbefore", "garbage", "wrongmerchant", "decline 55"} {
		t.Run(fault, func(t *testing.T) {
			inWorld(t, func(w *world) {
				approved(t, w.sell("visa-4242", "12.50"))
				w.fault(fault + " for balance")
				_, e := w.balance("visa-4242", true)
				if fault == "decline 55" {
					assert.Equal(t, words.OutcomeDeclined, e.Outcome)
				} else {
					assert.Equal(t, words.OutcomeRefused, e.Outcome)
					assert.NotEmpty(t, e.Error)
				}
				assert.Contains(t, e.Text.EN, "No money was moved")
				w.after(3 * time.Minute)
				assert.Zero(t, w.acquirer.Counts()["0400"])
				assert.Equal(t, 2, w.acquirer.Counts()["0200"], "and it is not asked again")
				assert.Zero(t, w.agent.Status().Owed)
			})
		})
	}
}

func TestThePowerGoesDuringAnEnquiry(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "12.50"))
		w.fault("silent for balance")
		w.do(w.reader.Command("present visa-4242"))
		w.cutWaiting(Request{Op: "balance"})
		w.after(3 * time.Minute)
		status := w.agent.Status()
		assert.Zero(t, status.Owed+status.Suspense+status.PaperOwed)
		assert.Zero(t, w.acquirer.Counts()["0400"])
		approved(t, w.sell("visa-4242", "8.00"))
	})
}
