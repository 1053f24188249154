package simrig

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// Whatever half a commit leaves, the store opens on it, and holds what it held before or what the commit was to add.
func TestHalfACommitLeavesAStoreThatOpens(t *testing.T) {
	dir, dice := fastDir(t), stream(1, "half")
	o := &txnstore.Options{Terminal: terminalID, Merchant: merchantID, Key: storeKey, Now: time.Now}
	store, _, err := txnstore.Open(filepath.Join(dir, "first"), o)
	require.NoError(t, err)
	currency, err := txn.CurrencyOf("CNY")
	require.NoError(t, err)
	pan, err := txn.ParsePAN("4242424242424242")
	require.NoError(t, err)
	sorts := map[bool]int{}
	for n := range 6 {
		before, err := new(remainsReader).read(filepath.Join(dir, "first"))
		require.NoError(t, err)
		x, err := store.Begin(txn.Draft{Kind: txn.Sale, Reference: string(rune('a' + n)), Amount: 100, Currency: currency,
			Card: txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Swiped}})
		require.NoError(t, err)
		after, err := new(remainsReader).read(filepath.Join(dir, "first"))
		require.NoError(t, err)
		for try := range 40 {
			left, how := half(before, after, dice)
			at := filepath.Join(dir, fmt.Sprintf("%d-%d", n, try))
			require.NoError(t, left.write(at))
			reopened, _, err := txnstore.Open(at, o)
			require.NoError(t, err, how)
			_, known, err := reopened.ByReference(x.Reference)
			require.NoError(t, err, how)
			sorts[known]++
			for earlier := range n {
				_, known, err := reopened.ByReference(string(rune('a' + earlier)))
				require.NoError(t, err, how)
				assert.True(t, known, "%s: what was acknowledged is gone", how)
			}
			require.NoError(t, reopened.Close())
		}
		_, err = store.Advance(x.ID, txn.Declined, nil)
		require.NoError(t, err)
	}
	require.NoError(t, store.Close())
	assert.Positive(t, sorts[true], "some of them hold it")
	assert.Positive(t, sorts[false], "and some do not")
}

// What is read of a store and written again is the same store.
func TestRemainsAreWholeFiles(t *testing.T) {
	dir := fastDir(t)
	store, _, err := txnstore.Open(filepath.Join(dir, "a"), &txnstore.Options{Terminal: terminalID, Key: storeKey})
	require.NoError(t, err)
	require.NoError(t, store.Close())
	r, err := new(remainsReader).read(filepath.Join(dir, "a"))
	require.NoError(t, err)
	require.NoError(t, r.write(filepath.Join(dir, "b")))
	for name := range r {
		assert.Equal(t, wholeFile(t, filepath.Join(dir, "a", name)), wholeFile(t, filepath.Join(dir, "b", name)), name)
	}
}

func wholeFile(t *testing.T, path string) []byte {
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}
