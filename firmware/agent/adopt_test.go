package agent

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/linktest"
	"posagent/txnstore/txn/words"
)

// A sign-in carries no MAC. A bit that fell over in it would name a batch from which there is no way back.
func TestANewBatchIsNamedTwice(t *testing.T) {
	inWorld(t, func(w *world) {
		require.ErrorIs(t, w.agent.adoptBatch(400_001), errOnceMore)
		require.NoError(t, w.agent.adoptBatch(1))
		require.ErrorIs(t, w.agent.adoptBatch(400_001), errOnceMore, "not twice in a row")
		require.ErrorIs(t, w.agent.adoptBatch(7), errOnceMore)
		assert.EqualValues(t, 1, w.store.Batch())
		require.NoError(t, w.agent.adoptBatch(7))
		assert.EqualValues(t, 7, w.store.Batch())
		require.NoError(t, w.agent.adoptBatch(6), "its own is kept")
		assert.EqualValues(t, 7, w.store.Batch())
	})
}

func TestATerminalComesToAnAcquirerThatIsAhead(t *testing.T) {
	inWorld(t, func(w *world) {
		w.cutPower()
		accounts, err := linktest.LoadCards(filepath.Join("..", "..", "testdata", "cards", "cards.toml"))
		require.NoError(t, err)
		w.acquirer = linktest.NewAcquirer(linktest.AcquirerOpts{Accounts: accounts, TMK: testTMK, Batch: 5,
			Terminals: map[string]string{testTerminal: testMerchant}})
		w.line = w.acquirer.Line(w.ctx, link.LengthPrefixed)
		w.boot()
		e := w.sell("visa-4242", "12.50")
		assert.Equal(t, words.OutcomeApproved, e.Outcome)
		assert.Equal(t, "000005", e.Txn.Batch)
		assert.Equal(t, 2, w.acquirer.Counts()["0800"])
	})
}
