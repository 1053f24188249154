package txnstore

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzVerify gives the verifier any bytes as each of the files. It must end without a panic; and of a database that it
// does not call damaged, every value can be read by the reader of the archive.
func FuzzVerify(f *testing.F) {
	dir := worn(f, 3)
	for i, name := range fileNames() {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(f, err)
		f.Add(uint8(i), b[:min(len(b), hotSize)])
	}
	c := testCodec(f, "T1234567")
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		h := Health{File: fileNames()[which%3]}
		if h.File == archiveName && len(b) < archiveStep {
			b = append(bytes.Clone(b), make([]byte, archiveStep-len(b))...)
		}
		file := boltFile{bytes.NewReader(b), int64(len(b))}
		verifyFile(&h, file, true, c)
		require.LessOrEqual(t, len(h.Findings), maxFaults)
		if h.File == shadowName || h.Verdict == Damaged {
			e := evidence{codec: c}
			_ = e.walk(file, "")
			return
		}
		meta, _, ok := file.current()
		require.True(t, ok)
		tree := tree{file, meta}
		w := walk{file: file, meta: meta, visit: func(v visited) {
			got, err := tree.get(v.bucket, v.key)
			require.NoError(t, err)
			require.Equal(t, v.value, got)
		}}
		w.run()
		require.Empty(t, w.faults)
	})
}
