package neo2

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The corpus of broken frames: each file says in its first line what must be found.
func TestBrokenFrames(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/captures/broken/neo2-*.hex")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	faults := map[string]Fault{"wrong-crc": WrongCRC, "too-long": TooLong, "interrupted": Interrupted}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		head, body, _ := strings.Cut(string(text), "\n")
		d := Decoder{Accept: EitherWay}
		items := stream(&d, unhex(t, strings.TrimSpace(body)))
		for d.Partial() {
			if item, begun := d.Break(); begun {
				items = append(items, item)
			}
			items = append(items, stream(&d, nil)...)
		}
		for _, item := range items {
			assert.NotEqual(t, Whole, item.Fault, file)
		}
		if head == "# nothing" {
			assert.Empty(t, items, file)
			continue
		}
		want, known := faults[strings.TrimPrefix(head, "# ")]
		require.True(t, known, file)
		require.NotEmpty(t, items, file)
		assert.Equal(t, want, items[0].Fault, file)
	}
}
