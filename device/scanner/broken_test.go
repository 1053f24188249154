package scanner

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The corpus of broken lines: each file says in its first line what must be found.
func TestBrokenLines(t *testing.T) {
	files, err := filepath.Glob("../../testdata/captures/broken/scanner-*.hex")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	kinds := map[string]kind{"damaged": damaged, "too-long": tooLong}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		head, body, _ := strings.Cut(string(text), "\n")
		wire, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
		require.NoError(t, err, file)
		for _, frames := range []bool{false, true} {
			items := decode(frames, string(wire))
			if head == "# nothing" {
				require.Empty(t, items, file)
				continue
			}
			require.NotEmpty(t, items, file)
			require.Equal(t, kinds[strings.TrimPrefix(head, "# ")], items[0].kind, file)
		}
	}
}
