package simrig

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"posagent/firmware/scenario"
)

var traces = flag.Uint64("traces", 4, "seeds whose traces are compared")

// traceOf plays one seed's world, and says what could be observed of it.
func traceOf(t *testing.T, seed uint64, sales int, dir string, cards *Cards) string {
	o := randomOptions(seed, dir, cards)
	o.Trace = true
	text := ""
	require.NoError(t, inWorld(t, o, func(w *World) error {
		if err := scenario.RunLoose(Random(seed, sales), w); err != nil {
			return err
		}
		text = w.trace.text()
		return nil
	}))
	return text
}

// A seed gives the same trace, byte for byte, whatever the scheduler does.
func TestASeedGivesTheSameTraceEachTime(t *testing.T) {
	cards, dir := testCards(t), fastDir(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range *traces {
		var first string
		for n, threads := range []int{1, 2, 2} {
			runtime.GOMAXPROCS(threads)
			text := traceOf(t, seed+1, 30, filepath.Join(dir, fmt.Sprint(n)), cards)
			if n == 0 {
				first = text
				continue
			}
			sameLines(t, first, text, fmt.Sprintf("seed %d with %d threads", seed+1, threads))
		}
	}
}

// sameLines shows the first difference and what went before it.
func sameLines(t *testing.T, first, second, what string) {
	a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			require.Fail(t, what, "%s\n\nonce:\n%s\n\nagain:\n%s", strings.Join(a[max(0, i-20):i], "\n"),
				strings.Join(a[i:min(len(a), i+5)], "\n"), strings.Join(b[min(len(b), i):min(len(b), i+5)], "\n"))
		}
	}
	require.Len(t, b, len(a), what)
}

var rewrite = flag.Bool("rewrite", false, "writes the golden trace anew")

// The order of what can be observed of one sale: nothing leaves before it is committed, and nothing is shown or printed as
// approved before that is.
func TestTheOrderOfASale(t *testing.T) {
	golden := filepath.Join("testdata", "sale.txt")
	text := ""
	require.NoError(t, inWorld(t, Options{Seed: 1, Dir: fastDir(t), Cards: testCards(t), Trace: true}, func(w *World) error {
		err := scenario.Run(story(t, "present visa-4242", "sale 12.50", "expect till approved", "wait 40s"), w)
		text = w.trace.text()
		text = text[:strings.Index(text, "acquirer fault none")]
		text = text[:strings.LastIndex(text, "\n")+1] // up to where the world is put right
		return err
	}))
	if *rewrite {
		require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	sameLines(t, string(want), text, "the trace of a sale; if it may change: go test ./firmware/simrig -run OrderOfASale -rewrite")
	at := func(what string) int {
		i := strings.Index(text, what)
		require.Positive(t, i, what)
		return i
	}
	require.Less(t, at("pending committed"), at("> 0200"))
	require.Less(t, at("< 0210"), at("approved committed"))
	require.Less(t, at("approved committed"), at("printer  opened"))
	require.Less(t, at("approved committed"), at("outcome approved"))
}
