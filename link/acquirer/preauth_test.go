package acquirer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/linktest"
	"posagent/txnstore/txn"
)

// after is a transaction of a kind that undoes or follows another, as the store would record it.
func (w *world) after(original txn.Txn, answer txn.Answer, kind txn.Kind, amount txn.Amount) txn.Txn {
	w.stan++
	original.Answer = answer
	x := original
	x.Kind, x.STAN, x.Original, x.Approver, x.Answer, x.Amount = kind, w.stan, original.Of(), "00", txn.Answer{}, amount
	return x
}

func (w *world) asked(x txn.Txn, p txn.Presented) txn.Answer {
	w.t.Helper()
	answer, _, err := w.host.Request(w.ctx, x, p)
	require.NoError(w.t, err)
	require.True(w.t, answer.Approved, answer.Code)
	return answer
}

func (w *world) reversed(x txn.Txn) {
	w.t.Helper()
	x.Reason = txn.NoAnswer
	undone, _, err := w.host.Reverse(w.ctx, x)
	require.NoError(w.t, err)
	assert.Equal(w.t, "00", undone.Code)
	assert.Equal(w.t, linktest.Reversed, w.rowState(x))
}

// A pre-authorisation is held, charged, held again, and let go; each step is also undone by its reversal.
func TestAPreAuthorisationOnTheWire(t *testing.T) {
	for file, entry := range map[string]txn.Entry{"preauth-swiped.trace": txn.Swiped, "preauth-contactless.trace": txn.Contactless} {
		traced(t, file, func(w *world) {
			require.NoError(t, w.host.SignIn(w.ctx))
			hold, p := w.sale("unionpay", entry, 50000)
			hold.Kind = txn.PreAuth
			w.asked(hold, p)
			w.reversed(hold)
			w.stan++
			hold.STAN = w.stan
			held := w.asked(hold, p)

			completion := w.after(hold, held, txn.Completion, 57500)
			w.asked(completion, p)
			assert.Equal(t, linktest.Completed, w.rowState(hold))
			w.reversed(completion)
			assert.Equal(t, linktest.Held, w.rowState(hold), "in force again")
			w.stan++
			completion.STAN = w.stan
			charged := w.asked(completion, p)

			cancel := w.after(completion, charged, txn.CompletionCancel, 57500)
			w.asked(cancel, p)
			assert.Equal(t, linktest.Voided, w.rowState(completion))
			assert.Equal(t, linktest.Held, w.rowState(hold))
			w.reversed(cancel)
			assert.Equal(t, linktest.Held, w.rowState(completion))
			assert.Equal(t, linktest.Completed, w.rowState(hold))
			w.stan++
			cancel.STAN = w.stan
			w.asked(cancel, p)

			gone := w.after(hold, held, txn.PreAuthCancel, 50000)
			w.asked(gone, p)
			assert.Equal(t, linktest.Cancelled, w.rowState(hold))
			w.reversed(gone)
			assert.Equal(t, linktest.Held, w.rowState(hold))
		})
	}
}

func TestACompletionNoticeOnTheWire(t *testing.T) {
	traced(t, "completion-notice.trace", func(w *world) {
		require.NoError(t, w.host.SignIn(w.ctx))
		hold, p := w.sale("unionpay", txn.Swiped, 50000)
		hold.Kind = txn.PreAuth
		held := w.asked(hold, p)
		notice := w.after(hold, held, txn.CompletionNotice, 48000)
		for tries, code := range []string{"00", "94"} {
			notice.Tries.Made = tries + 1
			answer, _, err := w.host.Advise(w.ctx, notice)
			require.NoError(t, err)
			assert.Equal(t, code, answer.Code)
		}
		assert.Equal(t, linktest.Completed, w.rowState(hold))
		host, domestic, _, err := w.host.Settle(w.ctx, closingOf(txn.Totals{}))
		require.NoError(t, err)
		assert.Equal(t, txn.Unbalanced, domestic)
		assert.Equal(t, txn.Sum{Count: 1, Amount: 48000}, host.Domestic.Debit, "the notice counts and what was held does not")
		require.NoError(t, w.host.Upload(w.ctx, closingOf(txn.Totals{}), []txn.Txn{notice}), "told once more after a difference")
		_, _, err = w.host.Reverse(w.ctx, notice)
		require.ErrorIs(t, err, txn.ErrNotSent, "never reversed")
	})
}

func TestAnOfflineSaleOnTheWire(t *testing.T) {
	traced(t, "offline-sale.trace", func(w *world) {
		require.NoError(t, w.host.SignIn(w.ctx))
		for _, unit := range []string{"", "00001030000"} {
			sale, _ := w.sale("unionpay", txn.Swiped, 1250)
			sale.Kind, sale.Original = txn.OfflineSale, txn.Original{AuthCode: "654321", Mode: txn.ByTelephone, Unit: unit}
			for tries, code := range []string{"00", "94"} {
				sale.Tries.Made = tries + 1
				answer, _, err := w.host.Advise(w.ctx, sale)
				require.NoError(t, err)
				assert.Equal(t, code, answer.Code)
			}
			row, _ := w.row(sale)
			assert.Equal(t, linktest.Held, row.State)
			assert.Equal(t, "654321", row.Auth)
			_, _, err := w.host.Reverse(w.ctx, sale)
			require.ErrorIs(t, err, txn.ErrNotSent, "never reversed")
		}
		bare, _ := w.sale("unionpay", txn.Swiped, 1250)
		bare.Kind = txn.OfflineSale
		_, _, err := w.host.Advise(w.ctx, bare)
		require.ErrorIs(t, err, txn.ErrNotSent)
		_, _, err = w.host.Request(w.ctx, bare, txn.Presented{})
		require.ErrorIs(t, err, txn.ErrNotSent, "an advice is no request")
	})
}

// The acquirer refuses what does not fit its pre-authorisation.
func TestWhatDoesNotFitItsPreAuthorisationIsRefused(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		hold, p := w.sale("unionpay", txn.Swiped, 50000)
		hold.Kind = txn.PreAuth
		held := w.asked(hold, p)
		_, other := w.sale("visa", txn.Swiped, 50000)
		code := func(x txn.Txn, p txn.Presented) string {
			answer, _, err := w.host.Request(w.ctx, x, p)
			require.NoError(t, err)
			return answer.Code
		}
		assert.Equal(t, "64", code(w.after(hold, held, txn.Completion, 57501), p), "more than 115 percent")
		assert.Equal(t, "64", code(w.after(hold, held, txn.PreAuthCancel, 49999), p))
		wrong := w.after(hold, held, txn.Completion, 100)
		wrong.Original.AuthCode = "999999"
		assert.Equal(t, "25", code(wrong, p))
		wrong = w.after(hold, held, txn.Completion, 100)
		wrong.Original.Date = "0202"
		assert.Equal(t, "25", code(wrong, p))
		assert.Equal(t, "25", code(w.after(hold, held, txn.Completion, 100), other), "another card")
		w.asked(w.after(hold, held, txn.Completion, 50000), p)
		assert.Equal(t, "12", code(w.after(hold, held, txn.Completion, 50000), p), "once")
		assert.Equal(t, linktest.Completed, w.rowState(hold))
	})
}

func TestWhatNamesNoPreAuthorisationIsNotSent(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		hold, p := w.sale("visa", txn.Swiped, 50000)
		hold.Kind = txn.PreAuth
		held := w.asked(hold, p)
		for _, kind := range []txn.Kind{txn.PreAuthCancel, txn.Completion, txn.CompletionNotice, txn.CompletionCancel} {
			for _, spoil := range []func(*txn.Original){
				func(o *txn.Original) { o.AuthCode = "" }, func(o *txn.Original) { o.Date = "" },
			} {
				x := w.after(hold, held, kind, 50000)
				spoil(&x.Original)
				send := func() error { _, _, err := w.host.Request(w.ctx, x, p); return err }
				if kind.Advice() {
					send = func() error { _, _, err := w.host.Advise(w.ctx, x); return err }
				}
				require.ErrorIs(t, send(), txn.ErrNotSent, kind)
			}
		}
		assert.Equal(t, 1, w.acquirer.Counts()["0100"])
		assert.Zero(t, w.acquirer.Counts()["0200"])
	})
}
