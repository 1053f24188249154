package acquirer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// Every kind of transaction under the generic profile, through the real link, as the wire saw it. Fields that may carry card
// data show their length.
func TestTheGenericProfileOnTheWire(t *testing.T) {
	for file, story := range map[string]func(*world){
		"iso87-signin.trace": func(w *world) {
			require.NoError(w.t, w.host.Echo(w.ctx))
			require.NoError(w.t, w.host.SignIn(w.ctx))
			require.NoError(w.t, w.host.Echo(w.ctx))
		},
		"iso87-sale.trace": func(w *world) {
			for _, entry := range []txn.Entry{txn.Swiped, txn.Inserted, txn.Contactless, txn.Tapped, txn.Keyed} {
				sale, _, _ := w.sold("unionpay", entry, 1250)
				sale.Tries.Made, sale.Tries.Last = 1, began.Add(time.Minute)
				w.reversed(sale)
				sale.Tries.Made, sale.Tries.Last = 2, began.Add(2*time.Minute)
				sale.Reason = txn.NotDone
				again, _, err := w.host.Reverse(w.ctx, sale)
				require.NoError(w.t, err)
				assert.Equal(w.t, "25", again.Code, "a copy, as 0421")
			}
		},
		"iso87-void.trace": func(w *world) {
			void, p := w.void(w.sold("visa", txn.Contactless, 1250))
			w.asked(void, p)
			assert.Equal(w.t, linktest.Given, w.rowState(void))
			w.reversed(void)
		},
		"iso87-refund.trace": func(w *world) {
			sale, answer, _ := w.sold("visa", txn.Contactless, 1250)
			refund := w.after(sale, answer, txn.Refund, 250)
			for tries, code := range []string{"00", "94"} {
				refund.Tries.Made = tries + 1
				told, _, err := w.host.Advise(w.ctx, refund)
				require.NoError(w.t, err)
				assert.Equal(w.t, code, told.Code)
			}
			byDate := w.after(sale, answer, txn.Refund, 100)
			byDate.Original = txn.Original{RRN: answer.RRN, Date: answer.HostDate}
			told, _, err := w.host.Advise(w.ctx, byDate)
			require.NoError(w.t, err)
			assert.Equal(w.t, "00", told.Code, "one that other books hold")
		},
		"iso87-preauth.trace": func(w *world) {
			hold, p := w.sale("unionpay", txn.Swiped, 50000)
			hold.Kind = txn.PreAuth
			held := w.asked(hold, p)
			completion := w.after(hold, held, txn.Completion, 57500)
			w.asked(completion, p)
			w.reversed(completion)
			w.stan++
			completion.STAN = w.stan
			charged := w.asked(completion, p)
			cancel := w.after(completion, charged, txn.CompletionCancel, 57500)
			w.asked(cancel, p)
			w.reversed(cancel)
			w.stan++
			cancel.STAN = w.stan
			w.asked(cancel, p)
			gone := w.after(hold, held, txn.PreAuthCancel, 50000)
			gone.Original.STAN, gone.Original.Batch, gone.Original.Sent = 0, 0, "" // days later, by code and date
			w.asked(gone, p)
			w.reversed(gone)
			notice := w.after(hold, held, txn.CompletionNotice, 48000)
			told, _, err := w.host.Advise(w.ctx, notice)
			require.NoError(w.t, err)
			assert.Equal(w.t, "00", told.Code)
		},
		"iso87-offline-sale.trace": func(w *world) {
			sale, _ := w.sale("unionpay", txn.Keyed, 1250)
			sale.Kind, sale.Original = txn.OfflineSale, txn.Original{AuthCode: "654321", Mode: txn.ByTelephone}
			told, _, err := w.host.Advise(w.ctx, sale)
			require.NoError(w.t, err)
			assert.Equal(w.t, "00", told.Code)
		},
		"iso87-balance.trace": func(w *world) {
			_, p := w.sale("unionpay", txn.Contactless, 1250)
			e, err := w.host.Enquire(w.ctx, yuan, p)
			require.NoError(w.t, err)
			require.Len(w.t, e.Balances, 1)
			assert.Equal(w.t, txn.Amount(500_000), e.Balances[0].Amount)
		},
		"iso87-settlement.trace": func(w *world) {
			_, own := w.traded(3)
			c := closingOf(own)
			host, domestic, foreign, err := w.host.Settle(w.ctx, c)
			require.NoError(w.t, err)
			assert.Equal(w.t, own, host)
			assert.Equal(w.t, txn.Balanced, domestic)
			c.Domestic, c.Foreign = domestic, foreign
			require.NoError(w.t, w.host.EndBatch(w.ctx, c))
			require.NoError(w.t, w.host.EndBatch(w.ctx, c), "a copy is acknowledged again")
			require.NoError(w.t, w.host.SignIn(w.ctx))
			assert.Equal(w.t, uint32(2), w.batch)
		},
		"iso87-difference.trace": func(w *world) {
			records, own := w.traded(3)
			c := closingOf(own)
			c.Own.Foreign.Debit.Count--
			host, domestic, foreign, err := w.host.Settle(w.ctx, c)
			require.NoError(w.t, err)
			assert.Equal(w.t, own.All(), host.All())
			assert.Equal(w.t, txn.Unbalanced, domestic)
			c.Domestic, c.Foreign = domestic, foreign
			require.NoError(w.t, w.host.Upload(w.ctx, c, records))
			require.NoError(w.t, w.host.Upload(w.ctx, c, records), "copies are known")
			c.Told = len(records)
			require.NoError(w.t, w.host.EndBatch(w.ctx, c))
			closing := w.acquirer.Ledger().Terminals[terminal].Closings[0]
			assert.Len(w.t, closing.Details, len(records))
			for _, d := range closing.Details {
				assert.Equal(w.t, "match", d.Verdict)
			}
		},
	} {
		t.Run(file, func(t *testing.T) { tracedIn(t, profile.ISO87(), file, story) })
	}
}

// What may go wrong with an answer, goes wrong in the same way in every profile.
func TestFaultsUnderTheGenericProfile(t *testing.T) {
	for fault, reason := range map[string]txn.Reason{"silent": txn.NoAnswer, "badmac": txn.BadMAC, "nomac": txn.BadMAC, "drop": txn.NoAnswer,
		"wrongamount": txn.OtherCause, "wrongmerchant": txn.OtherCause, "cut": txn.OtherCause, "garbage": txn.OtherCause} {
		for name, framing := range map[string]link.Framing{"network": link.LengthPrefixed, "dialled": link.SelfDelimited} {
			if fault == "garbage" && framing == link.SelfDelimited {
				continue // the line is hung up by it, as the tests of package link tell
			}
			t.Run(fault+" "+name, func(t *testing.T) {
				inWorld(t, settings{profile: profile.ISO87(), framing: framing}, func(w *world) {
					require.NoError(t, w.host.SignIn(w.ctx))
					w.fault(fault)
					sale, p := w.sale("visa", txn.Swiped, 1250)
					_, _, err := w.host.Request(w.ctx, sale, p)
					require.Error(t, err)
					assert.Equal(t, reason, w.reasonOf(err))
					sale.Reason = reason
					undone, _, err := w.host.Reverse(w.ctx, sale)
					require.NoError(t, err)
					assert.Equal(t, "00", undone.Code)
					assert.Equal(t, linktest.Reversed, w.rowState(sale))
					assert.Equal(t, 1, w.acquirer.Counts()["0420"])
				})
			})
		}
	}
}

// A record that was begun under another profile is not told in this one's words.
func TestARecordOfAnotherProfileIsNotSent(t *testing.T) {
	inWorld(t, settings{profile: profile.ISO87()}, func(w *world) {
		sale, _, p := w.sold("visa", txn.Swiped, 1250)
		sale.Profile, sale.Reason = "", txn.NoAnswer
		_, _, err := w.host.Reverse(w.ctx, sale)
		require.ErrorIs(t, err, txn.ErrNotSent)
		assert.ErrorContains(t, err, `begun under profile "unionpay"`)
		_, _, err = w.host.Request(w.ctx, sale, p)
		require.ErrorIs(t, err, txn.ErrNotSent)
		assert.Zero(t, w.acquirer.Counts()["0420"])
	})
}
