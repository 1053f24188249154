package receipt_test

import (
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"posagent/printer/receipt"
)

var (
	update   = flag.Bool("update", false, "write the golden receipts anew")
	pictures = flag.String("pictures", "", "draw the golden receipts into this `DIRECTORY` too, to be looked at")
	fonts    = flag.String("fonts", "", "bitmap font `FILES`, with commas between, that -pictures draws with")
)

const goldenDir = "../../testdata/receipts"

// looksRight holds a slip on both papers, in every language, against its golden texts.
func looksRight(t *testing.T, name string, of func(*testing.T, receipt.Layout) (receipt.Slip, error)) {
	for dir, some := range layouts() {
		for _, l := range some {
			name := filepath.Join(dir, fmt.Sprintf("%s-%d", name, l.Columns))
			t.Run(name, func(t *testing.T) {
				slip, err := of(t, l)
				require.NoError(t, err)
				requireFits(t, slip)
				golden(t, filepath.Join(goldenDir, name+".txt"), drawing(slip))
				if *pictures != "" {
					draw(t, filepath.Join(*pictures, strings.ReplaceAll(name, "/", "-")+".png"), slip)
				}
			})
		}
	}
}

func draw(t *testing.T, path string, slip receipt.Slip) {
	var font receipt.Font
	need := slip.Characters()
	for _, name := range strings.Split(*fonts, ",") {
		f, err := os.Open(name)
		require.NoError(t, err, "name fonts with -fonts")
		require.NoError(t, font.Add(f, need))
		require.NoError(t, f.Close())
	}
	require.Empty(t, string(font.Lacks(need)))
	drawn, err := receipt.Draw(slip, &font)
	require.NoError(t, err)
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, png.Encode(f, drawn))
	require.NoError(t, f.Close())
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	require.Equal(t, string(want), got)
}

// drawing shows a slip as on paper, with its styles in a margin: B big, T tall, * bold.
func drawing(s receipt.Slip) string {
	var b strings.Builder
	margin := []string{" ", "T", "B"}
	for _, l := range s.Lines {
		one := receipt.Slip{Columns: s.Columns, Lines: []receipt.Line{l}}
		switch l.Op {
		case receipt.Cut:
			b.WriteString("   '" + strings.Repeat("~", s.Columns) + "'\n")
			continue
		case receipt.Feed:
			b.WriteString(strings.Repeat("   |"+strings.Repeat(" ", s.Columns)+"|\n", l.Feed))
			continue
		}
		bold := " "
		if l.Bold {
			bold = "*"
		}
		text := strings.TrimSuffix(one.Text(), "\n")
		// A big line is drawn at normal size and takes half the columns it takes on paper.
		used := receipt.Width(text)
		b.WriteString(margin[l.Size] + bold + " |" + text + strings.Repeat(" ", max(s.Columns-used, 0)) + "|\n")
	}
	return b.String()
}
