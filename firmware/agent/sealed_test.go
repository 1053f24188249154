package agent

import (
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn/words"
)

// dataKeyOf is what a card reader has whose profile leaves enciphering to it, or nil.
func dataKeyOf(t *testing.T, p *profile.Profile) *devicetest.DataKey {
	if p.Tracks != profile.ReaderTracks {
		return nil
	}
	initial, err := hex.DecodeString(initialKey)
	require.NoError(t, err)
	serial, err := hex.DecodeString("FFFF9876543210E00000")
	require.NoError(t, err)
	return &devicetest.DataKey{Initial: initial, Serial: serial}
}

func inSealedWorld(t *testing.T, story func(*world)) {
	p, err := profile.Open(filepath.Join("..", "..", "testdata", "profiles", "reader.toml"))
	require.NoError(t, err)
	base, err := hex.DecodeString(baseKey)
	require.NoError(t, err)
	inWorldWith(t, p, func(bank *linktest.AcquirerOpts, _ *Options) { bank.DUKPT = map[string][]byte{"FFFF987654": base} }, story)
}

// A sale over a power cut, with a reader that enciphers: the record has a mask, and the log nothing of what the reader gave.
func TestAReaderThatEnciphersOverAPowerCut(t *testing.T) {
	inSealedWorld(t, func(w *world) {
		approved(t, w.sell("unionpay-0005", "88.00"))
		w.cutPower()
		w.boot()
		kept := w.lastRecord()
		assert.True(t, kept.Card.PAN.IsMasked())
		assert.Equal(t, "620000******0005", kept.Card.PAN.AsKept())
		e := w.sell("unionpay-0005", "88.00")
		assert.Equal(t, words.OutcomeRefused, e.Outcome, "the same mask and amount are questioned")
		require.NotNil(t, e.Txn)
		for _, digits := range []string{"6200000000000005", "FFFF9876543210E0"} {
			assert.NotContains(t, strings.ToUpper(w.log.String()), digits)
		}
		for _, s := range w.acquirer.Seen() {
			assert.NotContains(t, s.Fields, 2)
			assert.NotContains(t, s.Fields, 14)
		}
	})
}

// What such a reader cannot do, and one that is set up otherwise, is said in both languages, with what to do.
func TestWhatAReaderThatEnciphersCannotDoIsSaid(t *testing.T) {
	inSealedWorld(t, func(w *world) {
		_, e := w.ask(Request{Op: "offline-sale", Reference: "phoned", Amount: "8.00", AuthCode: "123456"})
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		require.NotNil(t, e.Text)
		assert.Equal(t, words.CardMasked, *e.Text, e.Error)
		w.do(w.reader.Command("cipher off"))
		for _, way := range []string{"present visa-4242", "insert unionpay-0113"} {
			w.do(w.reader.Command(way))
			_, e = w.ask(Request{Op: "sale", Reference: way, Amount: "8.00"})
			assert.Equal(t, words.OutcomeRefused, e.Outcome)
			require.NotNil(t, e.Text)
			assert.Equal(t, words.ReaderSetUp, *e.Text, e.Error)
			assert.Contains(t, e.Error, "cipher = \"reader\"")
			w.do(w.reader.Command("remove"))
		}
		assert.Zero(t, w.acquirer.Counts()["0200"])
		w.do(w.reader.Command("cipher on"))
		approved(t, w.sell("visa-4242", "8.00"))
	})
}

// Of the acquirer's list, what needs a whole number is of no use, and status says of how much that holds.
func TestABlocklistOfWholeNumbersIsSaidToBeOfNoUse(t *testing.T) {
	inSealedWorld(t, func(w *world) {
		require.Nil(t, w.agent.Status().Blocklist)
		w.agent.listed.replace(BlockSet{Origin: Origin{Terminal: testTerminal}, Cards: []string{"0123456789ab", "0123456789ac"}, Begins: []string{"424242", "55555555"}})
		status := w.agent.Status().Blocklist
		require.NotNil(t, status)
		assert.Equal(t, []int{4, 3}, []int{status.Entries, status.Idle})
		assert.Equal(t, words.OutcomeRefused, w.sell("visa-4242", "8.00").Outcome, "the first six digits are enough")
		approved(t, w.sell("mastercard-4444", "8.00"))
	})
	assert.Zero(t, BlockSet{Cards: []string{"0123456789ab"}}.Idle(false))
}
