//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// A small run of the whole damage prover: the store bears everything, and everything that is wrong on purpose is found.
func TestAThousandDamagesAreBorne(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	prover := exec.Command(built+"/hil", "damage", "-images", "1200", "-workers", "2", "-seed", "9", "-keep", "")
	prover.Stderr = &said
	report, err := prover.Output()
	require.NoError(t, err, "%s\n%s", said.String(), report)
	require.Contains(t, string(report), "0 silent, 0 changed, 0 invented, 0 dropped, 0 forgot, 0 unsaid, 0 repeated, 0 refused, 0 grumbled, 0 death, 0 hang, 0 unowed")
	require.NotContains(t, string(report), "NOT AS IT MUST BE")
}

func TestASampleOfImagesHasEachOnce(t *testing.T) {
	for _, c := range [][2]int{{1, 1}, {5, 7}, {64, 64}, {100, 4096}, {333, 1000}} {
		seen := map[int]bool{}
		for k := range c[0] {
			n := numberOf(k, c[0], c[1])
			require.True(t, n >= 0 && n < c[1] && !seen[n], "%d of %d: %d", k, c, n)
			seen[n] = true
		}
	}
}

// life writes to f and g and syncs each; its promises are made when both are on the disk.
func smallLife() *history {
	return &history{Kind: realStore, Ops: []op{
		{Kind: opCreate, Name: hotFile}, {Kind: opSync},
		write(hotFile, 0, 'a', 4096), {Kind: opSync, Name: hotFile}, {Kind: opLine, Text: "ACK {}"},
		write(hotFile, 0, 'b', 4096), {Kind: opSync, Name: hotFile}, {Kind: opLine, Text: "ACK {}"},
		{Kind: opCreate, Name: shadowFile}, {Kind: opWrite, Name: shadowFile, Data: []byte("copy"), Durable: true}, {Kind: opLine, Text: "ACK {}"},
	}}
}

func TestALostFlushLosesWhatItCoveredAndNothingElse(t *testing.T) {
	h := smallLife()
	fill := func(l lostFlush) byte {
		if b := without(h.Ops, l.cut, l.lost).files[hotFile]; len(b) > 0 {
			return b[0]
		}
		return '-'
	}
	got := map[string]bool{}
	for _, l := range flushLies(h, false) {
		left := without(h.Ops, l.cut, l.lost)
		sort, err := l.judge(h, left, t.TempDir())
		if err != nil {
			continue // these pages are no database; only the cheap answers are asked for here
		}
		got[string(rune('0'+l.at))+string(fill(l))+" "+string(sort)] = true
	}
	for _, want := range []string{
		"3- " + string(lieHonest), // nothing came after the first flush
		"3b " + string(lieNone),   // the second wrote over what it lost
		"6a " + string(lieHonest),
	} {
		require.Contains(t, got, want)
	}
}
