package txnstore

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzVerify writes any bytes into good files, with the checksums of the roots set right or left. The verifier must end
// without a panic; and of a database that it does not call damaged, every value can be read by the reader of the archive.
func FuzzVerify(f *testing.F) {
	dir := worn(f, 3)
	var good [3][]byte
	for i, name := range fileNames() {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(f, err)
		good[i] = b
		for page := range 8 {
			f.Add(uint8(i), uint32(page*pageSize), b[page*pageSize:page*pageSize+128], page%2 == 0)
		}
	}
	f.Add(uint8(0), uint32(0), good[2][:2*pageSize], true)
	c := testCodec(f, "T1234567")
	f.Fuzz(func(t *testing.T, which uint8, at uint32, patch []byte, sealed bool) {
		h := Health{File: fileNames()[which%3]}
		b := bytes.Clone(good[which%3])
		copy(b[at%uint32(len(b)):], patch)
		for page := range 2 {
			if meta := b[page*pageSize:]; sealed && h.File != shadowName {
				sum := fnv.New64a()
				_, _ = sum.Write(meta[pageHeader:metaSum])
				binary.NativeEndian.PutUint64(meta[metaSum:], sum.Sum64())
			}
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
		tree := tree{file: file, meta: meta}
		w := walk{file: file, meta: meta, visit: func(v visited) {
			got, err := tree.get(v.bucket, v.key)
			require.NoError(t, err)
			require.Equal(t, v.value, got)
		}}
		w.run()
		require.Empty(t, w.faults)
	})
}
