package acquirer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
)

// Each fault meets one sale. What the terminal may believe, what the acquirer holds, and what a reversal makes of it.
func TestEveryFaultOfASale(t *testing.T) {
	const unknown = "" // of the standing: the acquirer never saw the sale
	for _, c := range []struct {
		fault    string
		reason   txn.Reason // "" means that the sale is approved
		standing linktest.Standing
		signedIn bool
	}{
		{"approve", "", linktest.Held, true},
		{"twice", "", linktest.Held, true},
		{"dropafter", "", linktest.Held, true},
		{"slow 20ms", "", linktest.Held, true},
		{"late 59s", "", linktest.Held, true},
		{"silent", txn.NoAnswer, linktest.Held, true},
		{"lost", txn.NoAnswer, unknown, true},
		{"late 61s", txn.NoAnswer, linktest.Held, true},
		{"slow 2s", txn.OtherCause, linktest.Held, true},
		{"wrongstan", txn.NoAnswer, linktest.Held, true},
		{"wrongterminal", txn.NoAnswer, linktest.Held, true},
		{"badmac", txn.BadMAC, linktest.Held, false},
		{"nomac", txn.BadMAC, linktest.Held, false},
		{"wrongamount", txn.OtherCause, linktest.Held, true},
		{"wrongmerchant", txn.OtherCause, linktest.Held, true},
		{"garbage", txn.OtherCause, linktest.Held, true},
		{"dropbefore", txn.NoAnswer, unknown, true},
		{"drop", txn.NoAnswer, linktest.Held, true},
		{"cut", txn.OtherCause, linktest.Held, true},
		{"approve 10", txn.OtherCause, linktest.Held, true},
		{"decline 09", txn.OtherCause, linktest.Refused, true},
	} {
		for name, framing := range map[string]link.Framing{"network": link.LengthPrefixed, "dialled": link.SelfDelimited} {
			t.Run(name+", "+c.fault, func(t *testing.T) {
				inWorld(t, settings{framing: framing}, func(w *world) {
					require.NoError(t, w.host.SignIn(w.ctx))
					w.fault(c.fault)
					sale, card := w.sale("visa", txn.Contactless, 1250)
					answer, sent, err := w.host.Request(w.ctx, sale, card)

					assert.Equal(t, c.standing, w.rowState(sale))
					assert.Equal(t, c.signedIn, w.host.SignedIn())
					assert.Equal(t, "pipe", sent.Bearer)
					assert.Equal(t, sent.Total, sent.Written)
					assert.Positive(t, sent.Total)
					if c.reason == "" {
						require.NoError(t, err)
						assert.True(t, answer.Approved)
						return
					}
					require.Error(t, err)
					assert.NotErrorIs(t, err, txn.ErrNotSent)
					assert.Equal(t, txn.Answer{}, answer, "neither approved nor refused")
					assert.Equal(t, c.reason, w.reasonOf(err))
					w.reverse(sale, w.reasonOf(err), c.standing)
				})
			})
		}
	}
}

// reverse undoes a sale and holds the acquirer's books against it.
func (w *world) reverse(sale txn.Txn, reason txn.Reason, was linktest.Standing) {
	w.t.Helper()
	sale.Reason = reason
	undone, _, err := w.host.Reverse(w.ctx, sale)
	require.NoError(w.t, err)
	assert.Equal(w.t, string(reason), w.lastSeen("0400").Reason)
	row, found := w.row(sale)
	require.True(w.t, found)
	assert.Equal(w.t, 1, row.Reversals)
	assert.Zero(w.t, row.Held)
	switch was {
	case linktest.Held:
		assert.Equal(w.t, linktest.Reversed, row.State)
		assert.Equal(w.t, "00", undone.Code)
	case linktest.Refused:
		assert.Equal(w.t, "01", undone.Code, "there was nothing to undo, and the acquirer says so in its own way")
		assert.False(w.t, undone.Approved)
		return
	default:
		assert.Equal(w.t, linktest.Absent, row.State)
		assert.Equal(w.t, "00", undone.Code)
	}
	assert.True(w.t, undone.Approved)

	again, _, err := w.host.Reverse(w.ctx, sale)
	require.NoError(w.t, err)
	assert.True(w.t, again.Approved, "00 or 25: a repeated reversal ends too")
}

func TestALateApprovalIsNeverHonoured(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		require.NoError(t, w.host.SignIn(w.ctx))
		w.fault("late 61s for sale")
		w.fault("late 5s for reversal")
		sale, card := w.sale("visa", txn.Swiped, 1250)
		_, _, err := w.host.Request(w.ctx, sale, card)
		require.Equal(t, txn.NoAnswer, w.reasonOf(err))

		// The 0210 arrives while the 0410 is awaited, under the same STAN.
		undone, _, err := w.host.Reverse(w.ctx, sale)
		require.NoError(t, err)
		assert.Equal(t, "00", undone.Code)
		assert.Empty(t, undone.AuthCode, "the late approval's")
		assert.Equal(t, []string{"0210 000002 00"}, w.strayed())
		assert.Equal(t, linktest.Reversed, w.rowState(sale))
	})
}

func TestADuplicateAnswerDoesNotAnswerTheNextSale(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		w.fault("twice times 2")
		for range 2 {
			sale, card := w.sale("visa", txn.Swiped, 100)
			answer, _, err := w.host.Request(w.ctx, sale, card)
			require.NoError(t, err)
			row, _ := w.row(sale)
			assert.Equal(t, row.RRN, answer.RRN)
		}
		assert.Equal(t, []string{"0210 000001 00", "0210 000003 00"}, w.strayed())
	})
}

func TestAForgedRefusal(t *testing.T) {
	t.Run("is believed where refusals need no MAC", func(t *testing.T) {
		inWorld(t, settings{}, func(w *world) {
			w.fault("forge 51")
			sale, card := w.sale("visa", txn.Swiped, 1250)
			answer, _, err := w.host.Request(w.ctx, sale, card)
			require.NoError(t, err)
			assert.Equal(t, "51", answer.Code)
			assert.Equal(t, linktest.Held, w.rowState(sale), "the money is held: this is what the option is for")
		})
	})
	t.Run("is not believed where they do", func(t *testing.T) {
		inWorld(t, settings{host: func(o *acquirer.Options) { o.MACOnDeclines = true }}, func(w *world) {
			w.fault("forge 51")
			sale, card := w.sale("visa", txn.Swiped, 1250)
			_, _, err := w.host.Request(w.ctx, sale, card)
			require.Equal(t, txn.OtherCause, w.reasonOf(err))
			w.reverse(sale, txn.OtherCause, linktest.Held)

			sale, card = w.sale("poor", txn.Swiped, 1250)
			answer, _, err := w.host.Request(w.ctx, sale, card)
			require.NoError(t, err, "a true refusal carries a MAC")
			assert.Equal(t, "51", answer.Code)
		})
	})
	t.Run("of a wrong MAC is never believed", func(t *testing.T) {
		inWorld(t, settings{}, func(w *world) {
			w.fault("badmac")
			sale, card := w.sale("poor", txn.Swiped, 1250)
			_, _, err := w.host.Request(w.ctx, sale, card)
			require.Equal(t, txn.OtherCause, w.reasonOf(err))
			assert.False(t, w.host.SignedIn())
		})
	})
}

func TestAKeyRefusalWithoutMACStillLeadsToASignIn(t *testing.T) {
	inWorld(t, settings{host: func(o *acquirer.Options) { o.MACOnDeclines = true }}, func(w *world) {
		require.NoError(t, w.host.SignIn(w.ctx))
		require.NoError(t, w.newHost(nil).SignIn(w.ctx)) // the acquirer's keys are others now
		sale, card := w.sale("visa", txn.Swiped, 1250)
		_, _, err := w.host.Request(w.ctx, sale, card)
		require.Equal(t, txn.OtherCause, w.reasonOf(err))
		assert.False(t, w.host.SignedIn())
		w.reverse(sale, txn.OtherCause, "")
	})
}

func TestARefusalOfAnotherMerchantOrAmountIsNone(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		for _, fault := range []string{"wrongmerchant", "wrongamount"} {
			w.fault(fault)
			sale, card := w.sale("poor", txn.Swiped, 1250)
			_, _, err := w.host.Request(w.ctx, sale, card)
			assert.Equal(t, txn.OtherCause, w.reasonOf(err), fault)
		}
	})
}

func TestTheAcquirerOrdersASignIn(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		for _, order := range []struct {
			fault    string
			signedIn bool
		}{{"order 0", true}, {"order 2", true}, {"order 3", false}} {
			w.fault(order.fault)
			sale, card := w.sale("visa", txn.Swiped, 1250)
			answer, _, err := w.host.Request(w.ctx, sale, card)
			require.NoError(t, err)
			assert.True(t, answer.Approved, order.fault)
			assert.Equal(t, order.signedIn, w.host.SignedIn(), order.fault)
		}
	})
}

func TestAcquirersThatSignNoRefusals(t *testing.T) {
	inWorld(t, settings{bank: func(o *linktest.AcquirerOpts) { o.BareDeclines = true }}, func(w *world) {
		sale, card := w.sale("poor", txn.Swiped, 1250)
		answer, _, err := w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		assert.Equal(t, "51", answer.Code)
		assert.True(t, w.host.SignedIn())
	})
}

// Each fault meets one reversal. The next try ends it.
func TestEveryFaultOfAReversal(t *testing.T) {
	for _, c := range []struct {
		fault  string
		reason txn.Reason // of the next try; "" means that there is an answer
		code   string     // of the answer
		after  string     // code of the next try
	}{
		{"silent for reversal", txn.BadMAC, "", "25"},
		{"lost for reversal", txn.BadMAC, "", "00"},
		{"late 61s for reversal", txn.BadMAC, "", "25"},
		{"wrongstan for reversal", txn.BadMAC, "", "25"},
		{"badmac for reversal", txn.OtherCause, "", "25"},
		{"nomac for reversal", txn.OtherCause, "", "25"},
		{"wrongamount for reversal", txn.OtherCause, "", "25"},
		{"garbage for reversal", txn.OtherCause, "", "25"},
		{"drop for reversal", txn.BadMAC, "", "25"},
		{"dropbefore for reversal", txn.BadMAC, "", "00"},
		{"cut for reversal", txn.OtherCause, "", "25"},
		{"decline 96 for reversal", "", "96", "00"},
		{"decline A0 for reversal", "", "A0", "00"},
		{"decline 12 for reversal", "", "12", "00"},
		{"decline 09 for reversal", "", "09", "00"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			inWorld(t, settings{}, func(w *world) {
				sale, card := w.sale("visa", txn.Contactless, 1250)
				_, _, err := w.host.Request(w.ctx, sale, card)
				require.NoError(t, err)
				sale.Reason = txn.BadMAC
				w.fault(c.fault)
				undone, sent, err := w.host.Reverse(w.ctx, sale)
				assert.Equal(t, sent.Total, sent.Written)
				assert.Equal(t, c.code, undone.Code)
				if c.reason != "" {
					require.Error(t, err)
					assert.NotErrorIs(t, err, txn.ErrNotSent)
					assert.Equal(t, c.reason, w.reasonOf(err))
				} else {
					require.NoError(t, err)
					assert.Equal(t, c.code == "12", undone.Approved)
					assert.Equal(t, c.code != "A0", w.host.SignedIn())
				}
				undone, _, err = w.host.Reverse(w.ctx, sale)
				require.NoError(t, err)
				assert.True(t, undone.Approved)
				assert.Equal(t, c.after, undone.Code)
				assert.Equal(t, linktest.Reversed, w.rowState(sale))
			})
		})
	}
}

func TestAReversalIsSignedWithTodaysKey(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		sale, card := w.sale("visa", txn.Swiped, 1250)
		_, _, err := w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		rebooted := w.newHost(nil)
		sale.Reason = txn.NoAnswer
		undone, _, err := rebooted.Reverse(w.ctx, sale)
		require.NoError(t, err)
		assert.Equal(t, "00", undone.Code)
		assert.Equal(t, 2, w.acquirer.Counts()["0800"])
	})
}

func TestAReversalOnTheNextDayProvesNothing(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		sale, card := w.sale("visa", txn.Swiped, 1250)
		_, _, err := w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		sale.Reason = txn.NoAnswer
		undone, _, err := w.host.Reverse(w.ctx, sale)
		require.NoError(t, err)
		assert.Equal(t, "25", undone.Code)
		assert.Equal(t, linktest.Held, w.rowState(sale), "the customer has still been charged")
	})
}

func TestRulesByAmount(t *testing.T) {
	rules := map[txn.Amount]linktest.Fault{
		1337: {Kind: linktest.Silent}, 4004: {Kind: linktest.Decline, Code: "04"},
		5005: {Kind: linktest.Lost, For: linktest.AtReversal},
	}
	inWorld(t, settings{bank: func(o *linktest.AcquirerOpts) { o.ByAmount = rules }}, func(w *world) {
		for range 2 {
			sale, card := w.sale("visa", txn.Swiped, 4004)
			answer, _, err := w.host.Request(w.ctx, sale, card)
			require.NoError(t, err)
			assert.Equal(t, "04", answer.Code)
			sale, card = w.sale("visa", txn.Swiped, 1337)
			_, _, err = w.host.Request(w.ctx, sale, card)
			assert.Equal(t, txn.NoAnswer, w.reasonOf(err))
			sale, card = w.sale("visa", txn.Swiped, 5005)
			_, _, err = w.host.Request(w.ctx, sale, card)
			require.NoError(t, err)
			_, _, err = w.host.Reverse(w.ctx, sale)
			require.Error(t, err)
		}
	})
}
