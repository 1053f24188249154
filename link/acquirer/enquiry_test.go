package acquirer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

var yuan = txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}

func TestABalanceEnquiryOnTheWire(t *testing.T) {
	traced(t, "balance.trace", func(w *world) {
		require.NoError(t, w.host.SignIn(w.ctx))
		for _, entry := range []txn.Entry{txn.Swiped, txn.Contactless, txn.Keyed} {
			_, p := w.sale("unionpay", entry, 1250)
			e, err := w.host.Enquire(w.ctx, yuan, p)
			require.NoError(t, err)
			require.True(t, e.Answer.Approved)
			assert.Equal(t, []txn.Balance{{Account: "00", Type: "02", Currency: yuan, Amount: 500_000}}, e.Balances)
		}
		_, p := w.sale("unknown", txn.Swiped, 1250)
		e, err := w.host.Enquire(w.ctx, yuan, p)
		require.NoError(t, err)
		assert.Equal(t, "14", e.Answer.Code)
		assert.Empty(t, e.Balances)
		assert.Empty(t, w.acquirer.Ledger().Terminals[terminal].Rows, "an enquiry is written in no book")
	})
}

// No enquiry is worth an answer that does not verify, and none is ever reversed.
func TestAnEnquiryWithoutAnAnswerThatCountsTellsNothing(t *testing.T) {
	for _, fault := range []string{"silent", "lost", "badmac", "nomac", "drop", "garbage", "wrongmerchant", "cut"} {
		inWorld(t, settings{}, func(w *world) {
			require.NoError(t, w.host.SignIn(w.ctx))
			w.fault(fault + " for balance")
			_, p := w.sale("visa", txn.Swiped, 1250)
			e, err := w.host.Enquire(w.ctx, yuan, p)
			require.Error(t, err, fault)
			assert.Empty(t, e.Balances, fault)
			assert.Zero(t, w.acquirer.Counts()["0400"])
		})
	}
}

func TestAnEnquirySignsInFirst(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		_, p := w.sale("visa", txn.Swiped, 1250)
		e, err := w.host.Enquire(w.ctx, yuan, p)
		require.NoError(t, err)
		assert.True(t, e.Answer.Approved)
		assert.Equal(t, 1, w.acquirer.Counts()["0800"])
	})
}
