package receipt_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/printer"
	"posagent/printer/printertest"
	"posagent/printer/receipt"
	"posagent/txnstore/txn"
)

func sum(count int, amount txn.Amount) txn.Sum { return txn.Sum{Count: count, Amount: amount} }

// aBalance is the closing of an ordinary day.
func aBalance(t *testing.T) (txn.Closing, []txn.Txn) {
	yuan, err := txn.CurrencyOf("CNY")
	require.NoError(t, err)
	own := txn.Totals{Domestic: txn.Sums{Debit: sum(41, 123_450), Credit: sum(2, 2_500)}}
	return txn.Closing{Batch: 17, Step: txn.Closed, Terminal: "10000042", Merchant: "898440354110001", Operator: "01", Currency: yuan,
		Began: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 21, 14, 1, 2, 0, time.UTC),
		Own: own, Host: own, Domestic: txn.Balanced, Foreign: txn.Balanced}, nil
}

// aDifference has one sale in suspense that explains it and one that does not, and both kinds of cards.
func aDifference(t *testing.T) (txn.Closing, []txn.Txn) {
	c, _ := aBalance(t)
	c.Own.Foreign = txn.Sums{Debit: sum(3, 9_999_999_999_99)}
	c.Host = c.Own
	c.Host.Domestic.Debit = sum(42, 124_700)
	c.Domestic, c.Told = txn.Unbalanced, 46
	first, second := aSuspense(t), aVoidInDoubt(t)
	second.ID = 13
	c.Explains, c.Doubts = []txn.ID{12}, []txn.ID{13}
	return c, []txn.Txn{first, second}
}

// aPuzzle differs and nothing here says why; the acquirer did not take every record.
func aPuzzle(t *testing.T) (txn.Closing, []txn.Txn) {
	c, _ := aBalance(t)
	c.Host.Domestic.Debit = sum(40, 120_950)
	c.Domestic, c.Told, c.Unaccepted = txn.Unbalanced, 35, 8
	return c, nil
}

var reports = []struct {
	name    string
	of      func(*testing.T) (txn.Closing, []txn.Txn)
	reprint bool
}{{"report-balanced", aBalance, false}, {"report-difference", aDifference, false}, {"report-puzzle", aPuzzle, true}}

func TestReportsLookAsTheyShould(t *testing.T) {
	for _, c := range reports {
		looksRight(t, c.name, func(t *testing.T, l receipt.Layout) (receipt.Slip, error) {
			closing, doubts := c.of(t)
			slip, err := receipt.Report(closing, doubts, l, c.reprint)
			assert.NotContains(t, slip.Text(), "6224242900000113")
			return slip, err
		})
	}
}

func TestOnlyAClosedBatchHasAReport(t *testing.T) {
	for _, step := range []txn.Step{"", txn.Asking, txn.Details, txn.Advices, txn.Ending, txn.Refused, "of a later version"} {
		c, doubts := aBalance(t)
		c.Step = step
		_, err := receipt.Report(c, doubts, small, false)
		assert.ErrorContains(t, err, "no report of batch 000017")
	}
	c, doubts := aBalance(t)
	_, err := receipt.Report(c, doubts, receipt.Layout{Columns: 3}, false)
	assert.Error(t, err)
}

// Reports go through the real driver onto the paper of a simulated printer, like any slip.
func TestReportsComeOutAsTheyWereLaidOut(t *testing.T) {
	for _, l := range []receipt.Layout{small, wide} {
		sim := printertest.New(printertest.Opts{Columns: l.Columns})
		host, machine := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- sim.Serve(context.Background(), machine) }()
		p, err := printer.New(host, &printer.Opts{Columns: l.Columns, CutAfter: true})
		require.NoError(t, err)
		var want []string
		for _, c := range reports {
			closing, doubts := c.of(t)
			slip, err := receipt.Report(closing, doubts, l, c.reprint)
			require.NoError(t, err)
			proof, err := p.Print(t.Context(), slip)
			require.NoError(t, err)
			require.Equal(t, printer.Proven, proof)
			want = append(want, slip.Text())
		}
		require.Equal(t, want, sim.Slips())
		require.NoError(t, host.Close())
		require.NoError(t, <-served)
	}
}
