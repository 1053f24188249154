package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"posagent/txnstore"
)

// Totals that are not what the records come to end with status 1, and with both shown.
func TestARecountThatDiffersFails(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile("testdata/good.toml")
	require.NoError(t, err)
	config := filepath.Join(dir, "posagent.toml")
	require.NoError(t, os.WriteFile(config, good, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "store.key"), []byte(strings.Repeat("5a", storeKeyBytes)), 0o600))
	store, _, err := txnstore.Open(filepath.Join(dir, "store"), &txnstore.Options{Terminal: "30010001", Key: bytes.Repeat([]byte{0x5a}, storeKeyBytes)})
	require.NoError(t, err)
	require.NoError(t, store.Close())
	recount := func() (int, string) {
		var out bytes.Buffer
		c := &command{args: []string{"store", "recount", "-config", config}, out: &out, err: &out}
		return c.run(t.Context()), out.String()
	}
	status, said := recount()
	require.Equal(t, exitDone, status, said)

	db, err := bolt.Open(filepath.Join(dir, "store", "archive.db"), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket([]byte("meta"))
		number := meta.Sequence() >> 32 // a commit of archive.db carries its number, or the start misses a flush
		if err := meta.SetSequence((number+1)<<32 | uint64(tx.ID())); err != nil {
			return err
		}
		return tx.Bucket([]byte("total")).Put([]byte("\x00\x00\x00\x01156"), []byte("not a total"))
	}))
	require.NoError(t, db.Close())
	status, said = recount()
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, said, "1 records or totals cannot be read")
	assert.Contains(t, said, "账目不符 THEY DIFFER")
}
