package msr

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// broken is the corpus of swipes that cannot be used, by file; the first line of each says why.
func broken(t testing.TB) map[string]struct {
	why  string
	wire []byte
} {
	t.Helper()
	files, err := filepath.Glob("../../../testdata/captures/broken/msr-*.hex")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	corpus := make(map[string]struct {
		why  string
		wire []byte
	})
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		head, body, _ := strings.Cut(string(text), "\n")
		wire, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
		require.NoError(t, err, file)
		corpus[file] = struct {
			why  string
			wire []byte
		}{strings.TrimPrefix(head, "# "), wire}
	}
	return corpus
}

func TestBrokenSwipes(t *testing.T) {
	for file, c := range broken(t) {
		s := newSwipe(false)
		s.take(c.wire)
		_, err := s.card(Opts{})
		require.ErrorIs(t, err, ErrBadSwipe, file)
		require.ErrorContains(t, err, c.why, file)
		require.NotContains(t, err.Error(), "4242", file)
	}
}
