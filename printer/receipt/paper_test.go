package receipt_test

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"posagent/printer"
	"posagent/printer/printertest"
	"posagent/printer/receipt"
	"posagent/txnstore/txn"
)

// Every slip goes through the real driver onto the paper of a simulated printer, and must read there as it was laid out.
func TestTextOutIsTextIn(t *testing.T) {
	pictured := small
	pictured.Logo, pictured.Signature, pictured.Code = receipt.NewPicture(201, 30), receipt.NewPicture(150, 60), true
	for _, l := range []receipt.Layout{small, wide, pictured} {
		sim := printertest.New(printertest.Opts{Columns: l.Columns})
		host, machine := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- sim.Serve(context.Background(), machine) }()
		p, err := printer.New(host, &printer.Opts{Columns: l.Columns, CutAfter: true, Codes: printer.NativeCodes})
		require.NoError(t, err)

		var want []string
		for _, of := range []func(*testing.T) txn.Txn{aSale, aReversal, aSuspense, aVoid, aReversedVoid, aVoidInDoubt, aRefund, aRefundInDoubt} {
			for _, c := range []txn.Copy{txn.MerchantCopy, txn.CustomerCopy} {
				for _, reprint := range []bool{false, true} {
					slip, err := receipt.Render(of(t), c, l, reprint)
					require.NoError(t, err)
					proof, err := p.Print(t.Context(), slip)
					require.NoError(t, err)
					require.Equal(t, printer.Proven, proof)
					want = append(want, slip.Text())
				}
			}
		}
		require.Equal(t, want, sim.Slips())
		require.Empty(t, sim.Faults())
		require.NoError(t, host.Close())
		require.NoError(t, <-served)
	}
}
