package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBaseKeysOfDUKPT(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(key, []byte("0123456789ABCDEFFEDCBA9876543210\n"), 0o600))
	args := func(base string) []string {
		return []string{"-listen", "127.0.0.1:0", "-cards", filepath.Join("..", "..", "testdata", "cards", "cards.toml"), "-tmk-file", key,
			"-terminal", "10000001=898310148160001", "-dukpt", base}
	}
	o, err := parse(args("ffff987654="+key), io.Discard)
	require.NoError(t, err)
	assert.Len(t, o.acquirer.DUKPT["FFFF987654"], 16)
	for _, bad := range []string{"FFFF987654", "FFFF98=" + key, "FFFF987654=" + filepath.Join(dir, "none")} {
		_, err := parse(args(bad), io.Discard)
		assert.Error(t, err, bad)
	}
}
