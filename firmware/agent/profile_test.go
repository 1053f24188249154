package agent

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// A profile that changes while money is owed would tell the acquirer of it in words that it has not heard: the agent does
// not start, says which sale it is about, and starts again under the one in which that was begun.
func TestTheProfileStaysWhileSomethingIsOwed(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.fault("silent for sale")
		w.fault("silent for reversal times always")
		require.Equal(t, words.OutcomeUnknown, w.sell("visa-4242", "12.50").Outcome)
		w.cutPower()
		store, _, err := txnstore.Open(w.dir, &txnstore.Options{Terminal: testTerminal, Merchant: testMerchant, Key: bytes.Repeat([]byte{7}, 32), Now: time.Now})
		require.NoError(t, err)
		other := w.options
		other.Profile = profile.ISO87()
		_, err = New(Wires{Store: store}, other)
		require.ErrorContains(t, err, "was begun under profile unionpay, and this is iso87-")
		require.ErrorContains(t, err, "start with that profile until it is finished")
		require.NoError(t, store.Close())

		w.do(w.acquirer.Command("fault none"))
		w.boot()
		w.after(2 * time.Minute)
		w.cutPower()
		store, _, err = txnstore.Open(w.dir, &txnstore.Options{Terminal: testTerminal, Merchant: testMerchant, Key: bytes.Repeat([]byte{7}, 32), Now: time.Now})
		require.NoError(t, err)
		_, err = New(Wires{Store: store}, other)
		require.NoError(t, err, "what is finished hinders nobody")
		require.NoError(t, store.Close())
		w.boot()
	})
}

func TestTheProfileStaysWhileABatchIsBeingClosed(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.fault("silent for settle times always")
		_, e := w.ask(Request{Op: "batch close"})
		require.NotNil(t, e.Batch)
		require.Equal(t, txn.Asking, e.Batch.Step)
		w.cutPower()
		store, _, err := txnstore.Open(w.dir, &txnstore.Options{Terminal: testTerminal, Merchant: testMerchant, Key: bytes.Repeat([]byte{7}, 32), Now: time.Now})
		require.NoError(t, err)
		other := w.options
		other.Profile = profile.ISO87()
		_, err = New(Wires{Store: store}, other)
		require.ErrorContains(t, err, "batch 000001 is being closed and that was begun under profile unionpay, and this is iso87-")
		require.NoError(t, store.Close())
		w.do(w.acquirer.Command("fault none"))
		w.boot()
		w.after(2 * time.Minute)
	})
}

// A merchant's own file, as it is read from disk: sale, void, refund and a reversal over reboots, with an acquirer that
// takes nothing else.
func TestAMerchantsOwnProfile(t *testing.T) {
	p, err := profile.Open(filepath.Join("..", "..", "testdata", "profiles", "merchant.toml"))
	require.NoError(t, err)
	inWorldOf(t, p, func(w *world) {
		approved(t, w.sell("visa-4242", "12.50"))
		w.do(w.reader.Command("present visa-4242"))
		_, e := w.ask(Request{Op: "refund", Reference: "back", Amount: "2.50", Original: "till-1", Supervisor: "00"})
		approved(t, e)

		w.fault("silent for sale")
		w.fault("silent for reversal")
		require.Equal(t, words.OutcomeUnknown, w.sell("unionpay-0005", "88.00").Outcome)
		w.cutPower()
		w.boot()
		w.after(2 * time.Minute)
		row, found := w.acquirer.Ledger().Find(testTerminal, w.lastRecord().STAN)
		require.True(t, found)
		assert.Equal(t, linktest.Reversed, row.State)
		var stans, reasons []string
		for _, s := range w.acquirer.Seen() {
			if s.MTI == "0420" {
				stans, reasons = append(stans, s.STAN), append(reasons, s.Reason)
			}
			assert.Contains(t, s.Fields, 24, s.MTI)
			assert.NotEqual(t, "0421", s.MTI)
		}
		require.Len(t, stans, 2)
		assert.NotEqual(t, stans[0], stans[1], "each try has its own")
		assert.Equal(t, []string{string(txn.NoAnswer), string(txn.NoAnswer)}, reasons)
	})
}

// lastRecord is the last transaction in the books.
func (w *world) lastRecord() (last txn.Txn) {
	require.NoError(w.t, w.store.Since(0, func(x txn.Txn) error { last = x; return nil }))
	return last
}
