package acquirer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
)

// traded makes n sales, a void of the first and a refund of the second, and returns them as the store would hold them.
func (w *world) traded(n int) (records []txn.Txn, own txn.Totals) {
	w.t.Helper()
	add := func(x txn.Txn, a txn.Answer) txn.Txn {
		x.State, x.Answer, x.ID = txn.Approved, a, txn.ID(len(records)+1)
		records = append(records, x)
		own.Add(x)
		return x
	}
	var first txn.Txn
	for i := range n {
		sale, answer, p := w.sold([]string{"unionpay", "visa"}[i%2], txn.Contactless, txn.Amount(1000+i))
		sale = add(sale, answer)
		if i == 0 {
			void, _ := w.void(sale, answer, p)
			undone, _, err := w.host.Request(w.ctx, void, p)
			require.NoError(w.t, err)
			add(void, undone)
			first = sale
		}
		if i == 1 {
			w.stan++
			refund := sale
			refund.Kind, refund.STAN, refund.Original, refund.Amount, refund.Answer = txn.Refund, w.stan, sale.Of(), 250, txn.Answer{}
			refund.Tries.Made = 1
			given, _, err := w.host.Advise(w.ctx, refund)
			require.NoError(w.t, err)
			require.True(w.t, given.Approved)
			add(refund, given)
		}
	}
	require.NotZero(w.t, first.STAN)
	return records, own
}

func closingOf(own txn.Totals) txn.Closing {
	return txn.Closing{Batch: 1, Step: txn.Asking, Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}, Own: own}
}

func TestABalancedSettlementOnTheWire(t *testing.T) {
	traced(t, "settlement-balanced.trace", func(w *world) {
		_, own := w.traded(3)
		c := closingOf(own)
		host, domestic, foreign, err := w.host.Settle(w.ctx, c)
		require.NoError(t, err)
		assert.Equal(t, own, host)
		assert.Equal(t, txn.Balanced, domestic)
		assert.Equal(t, txn.Balanced, foreign)
		c.Domestic, c.Foreign = domestic, foreign
		require.NoError(t, w.host.EndBatch(w.ctx, c))
		require.NoError(t, w.host.EndBatch(w.ctx, c), "a copy is acknowledged again")
		assert.Equal(t, uint32(2), w.acquirer.Ledger().Terminals[terminal].Batch)
		assert.Equal(t, uint32(1), w.batch, "the engine opens the next one")
		require.NoError(t, w.host.SignIn(w.ctx))
		assert.Equal(t, uint32(2), w.batch)
	})
}

func TestADifferenceOnTheWire(t *testing.T) {
	traced(t, "settlement-difference.trace", func(w *world) {
		records, own := w.traded(8)
		c := closingOf(own)
		c.Own.Foreign.Debit.Count--
		host, domestic, foreign, err := w.host.Settle(w.ctx, c)
		require.NoError(t, err)
		assert.Equal(t, own, host)
		assert.Equal(t, txn.Balanced, domestic)
		assert.Equal(t, txn.Unbalanced, foreign)
		c.Host, c.Domestic, c.Foreign = host, domestic, foreign

		var details, refunds []txn.Txn
		for _, x := range records {
			if x.Kind == txn.Refund {
				refunds = append(refunds, x)
			} else {
				details = append(details, x)
			}
		}
		require.Len(t, details, 9)
		require.NoError(t, w.host.Upload(w.ctx, c, details[:acquirer.BlockSize]))
		require.NoError(t, w.host.Upload(w.ctx, c, details[:acquirer.BlockSize]), "a copy is known")
		require.NoError(t, w.host.Upload(w.ctx, c, details[acquirer.BlockSize:]))
		require.NoError(t, w.host.Upload(w.ctx, c, refunds))
		c.Told = len(records)
		require.NoError(t, w.host.EndBatch(w.ctx, c))

		book := w.acquirer.Ledger().Terminals[terminal]
		require.Len(t, book.Closings, 1)
		there := book.Closings[0]
		assert.True(t, there.Ended)
		assert.Equal(t, len(records), there.Told)
		assert.Equal(t, 8, there.Copies)
		require.Len(t, there.Details, len(records))
		for _, d := range there.Details {
			assert.Equal(t, "match", d.Verdict, d.STAN)
		}
	})
}

func TestWhatASettlementIsAnsweredWith(t *testing.T) {
	for fault, check := range map[string]func(*testing.T, error){
		"decline 77 for settle":    func(t *testing.T, err error) { refusedWith(t, err, "77") },
		"decline 96 for settle":    func(t *testing.T, err error) { refusedWith(t, err, "96") },
		"silent for settle":        func(t *testing.T, err error) { require.ErrorIs(t, err, link.ErrTimeout) },
		"wrongterminal for settle": func(t *testing.T, err error) { require.ErrorIs(t, err, link.ErrTimeout) },
		"wrongmerchant for settle": func(t *testing.T, err error) { require.NoError(t, err) }, // not compared: no money follows from it
		"approve for settle":       func(t *testing.T, err error) { require.NoError(t, err) },
		"twice for settle":         func(t *testing.T, err error) { require.NoError(t, err) },
		"order 3 for settle":       func(t *testing.T, err error) { require.NoError(t, err) },
		"garbage for settle":       func(t *testing.T, err error) { require.ErrorIs(t, err, link.ErrGarbage) },
		"dropbefore for settle":    func(t *testing.T, err error) { require.Error(t, err) },
		"swapped for settle":       func(t *testing.T, err error) { require.ErrorIs(t, err, link.ErrTimeout) },
	} {
		t.Run(fault, func(t *testing.T) {
			inWorld(t, settings{}, func(w *world) {
				_, own := w.traded(2)
				w.fault(fault)
				_, _, _, err := w.host.Settle(w.ctx, closingOf(own))
				check(t, err)
			})
		})
	}
}

func refusedWith(t *testing.T, err error, code string) {
	t.Helper()
	var refused *acquirer.RefusedError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, code, refused.ResponseCode())
}

func TestAnEndThatDoesNotFitIsRefused(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		_, own := w.traded(2)
		c := closingOf(own)
		refusedWith(t, w.host.EndBatch(w.ctx, c), "77") // nobody has asked for totals yet
		_, c.Domestic, c.Foreign, _ = w.host.Settle(w.ctx, c)
		equal := c
		c.Domestic = txn.Unbalanced
		refusedWith(t, w.host.EndBatch(w.ctx, c), "12")
		require.NoError(t, w.host.EndBatch(w.ctx, equal))
		_, _, _, err := w.host.Settle(w.ctx, c)
		refusedWith(t, err, "77")
		refusedWith(t, w.host.Upload(w.ctx, c, []txn.Txn{{Kind: txn.Sale, Batch: 1, STAN: 2, Amount: 1, Card: txn.Card{PAN: pan(t, cards["visa"].number)}}}), "77")
	})
}

func TestWhatDoesNotFitASettlementIsNotSent(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		records, own := w.traded(2)
		many := closingOf(own)
		many.Own.Domestic.Debit.Count = 1000
		_, _, _, err := w.host.Settle(w.ctx, many)
		assert.ErrorContains(t, err, "do not fit field 48")
		c := closingOf(own)
		assert.Error(t, w.host.Upload(w.ctx, c, nil))
		assert.Error(t, w.host.Upload(w.ctx, c, make([]txn.Txn, 9)))
		other := records[0]
		other.Batch = 2
		assert.ErrorContains(t, w.host.Upload(w.ctx, c, []txn.Txn{other}), "does not belong")
		refund := records[len(records)-1]
		assert.ErrorContains(t, w.host.Upload(w.ctx, c, []txn.Txn{records[0], refund}), "does not belong")
		for _, mti := range []string{"0500", "0320"} {
			assert.Zero(t, w.acquirer.Counts()[mti])
		}
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			assert.NotContains(t, fmt.Sprintf(verb, w.acquirer.Ledger())+fmt.Sprintf(verb, w.acquirer.Seen()), cards["visa"].number)
		}
	})
}

func TestADetailThatDiffersIsNotedAndNotCorrected(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		records, own := w.traded(2)
		c := closingOf(own)
		c.Own.Domestic.Debit.Amount++
		_, _, _, err := w.host.Settle(w.ctx, c)
		require.NoError(t, err)
		wrong, unknown, otherCard := records[0], records[0], records[2]
		wrong.Amount++
		unknown.STAN = 999
		otherCard.Card.PAN = pan(t, cards["long"].number)
		before := w.acquirer.Ledger().Accounts
		require.NoError(t, w.host.Upload(w.ctx, c, []txn.Txn{wrong, unknown, otherCard}))
		there := w.acquirer.Ledger().Terminals[terminal].Closings[0]
		verdicts := ""
		for _, d := range there.Details {
			verdicts += d.Verdict + " "
		}
		assert.Equal(t, "differs absent differs", strings.TrimSpace(verdicts))
		assert.Equal(t, before, w.acquirer.Ledger().Accounts)
		assert.Equal(t, linktest.Voided, w.rowState(records[0]))
	})
}
