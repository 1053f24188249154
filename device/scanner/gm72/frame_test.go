package gm72

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	require.NoError(t, err)
	return b
}

var golden = []struct {
	frame Frame
	wire  string
}{
	{Frame{Operation: Start, Source: FromHost}, "04 e4 04 00 ff 14"},
	{Frame{Operation: Stop, Source: FromHost}, "04 e5 04 00 ff 13"},
	{Frame{Operation: Ack, Source: FromScanner}, "04 d0 00 00 ff 2c"},
	{HostTrigger, "07 c6 04 08 00 8a 08 fe 95"},
}

func TestFramesAreThoseOfTheManual(t *testing.T) {
	for _, g := range golden {
		want := unhex(t, g.wire)
		assert.Equal(t, want, g.frame.Append(nil))
		for cut := range want {
			_, size, ok := Read(want[:cut])
			assert.True(t, ok)
			assert.Zero(t, size)
		}
		got, size, ok := Read(append(want, 0x55))
		require.True(t, ok)
		assert.Equal(t, len(want), size)
		assert.Equal(t, string(g.frame.Data), string(got.Data))
		assert.Equal(t, g.frame.Operation, got.Operation)
		for i := range want {
			for bit := range 8 {
				damaged := append([]byte(nil), want...)
				damaged[i] ^= 1 << bit
				_, size, ok := Read(damaged)
				assert.False(t, ok && size > 0, "byte %d, bit %d", i, bit)
			}
		}
	}
}

func TestBrokenFrames(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/captures/broken/gm72-*.hex")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		head, body, _ := strings.Cut(string(text), "\n")
		_, size, ok := Read(unhex(t, body))
		assert.Zero(t, size, file)
		assert.Equal(t, head == "# cut", ok, file)
	}
}

func FuzzRead(f *testing.F) {
	for _, g := range golden {
		f.Add(unhex(f, g.wire))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		frame, size, ok := Read(wire)
		if !ok || size == 0 {
			require.Zero(t, size)
			return
		}
		require.Equal(t, wire[:size], frame.Append(nil))
	})
}
