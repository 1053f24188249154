package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/scenario"
)

// benchStories are played on real processes in the ordinary run of the tests, some of each group. SCENARIOS=all plays
// every story, and knows how many a bench of processes cannot play.
var benchStories = []string{
	"acquirer/late-approval", "acquirer/forged-mac", "acquirer/never-answers-a-reversal", "device/paper-ends-in-the-slip", "device/two-tills",
	"device/replugged-as-another-tty", "link/request-torn", "link/cable-pulled-before", "power/after-the-approval", "power/during-the-reversal", "power/after-the-reversal-is-answered",
	"orders/parameters", "orders/blocklist", "sealed/swiped", "sealed/inserted", "sealed/power-cut-after-the-request", "sealed/void-with-a-card-of-the-same-mask",
}

// leastPlayed is how many of all stories a bench of processes plays at least.
const leastPlayed = 110

func TestStoriesOnRealProcesses(t *testing.T) {
	all := filepath.Join("..", "..", "testdata", "scenarios")
	var files []string
	for _, name := range benchStories {
		files = append(files, filepath.Join(all, name+".txt"))
	}
	whole := os.Getenv("SCENARIOS") == "all"
	if whole {
		var err error
		files, err = filepath.Glob(filepath.Join(all, "*", "*.txt"))
		require.NoError(t, err)
	}
	played := make(chan bool, len(files))
	t.Run("story", func(t *testing.T) {
		for _, f := range files {
			t.Run(filepath.Base(f), func(t *testing.T) {
				t.Parallel()
				err := playFile(context.Background(), places{bin: built, cards: filepath.Join("..", "..", "testdata", "cards", "cards.toml"), emulator: os.Getenv("EMULATOR")}, f)
				if whole && errors.Is(err, scenario.ErrUnable) {
					t.Log(err)
					return
				}
				require.NoError(t, err)
				played <- true
			})
		}
	})
	if whole {
		assert.GreaterOrEqual(t, len(played), leastPlayed)
	}
}

func TestAStoryThatTheBenchCannotPlayIsNamed(t *testing.T) {
	dir := t.TempDir()
	for text, needs := range map[string]string{
		"wait 25h\n": "virtual time",
		"sale 1.00\ncut power inside commit pending\n":   "a store that is watched",
		"line down\nsale 1.00\ncut power on send 0200\n": "a tap on the telephone line",
		"sale 1.00\ncut power on byte 200 to printer\n":  "a tap on the serial line to the printer",
		"clock -1h\n":                               "a clock of the terminal's own",
		"wire printer stall 5s\n":                   "a wire between the processes",
		"sale 1.00\ncut power on printing line 3\n": "devices whose every deed is watched",
	} {
		file := filepath.Join(dir, "a.txt")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		var out bytes.Buffer
		require.NoError(t, scenarioCommand(context.Background(), flag.NewFlagSet("", flag.ContinueOnError), []string{file}, &out), "no failure")
		assert.Contains(t, out.String(), needs, text)
		assert.Contains(t, out.String(), "0 stories as they should be, 0 not, 1 that this bench cannot play")
	}
}

func TestAStoryThatEndsOtherwiseFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.txt")
	require.NoError(t, os.WriteFile(file, []byte("present visa-4242\nsale 12.50\nexpect till declined\n"), 0o600))
	var out bytes.Buffer
	err := scenarioCommand(context.Background(), flag.NewFlagSet("", flag.ContinueOnError),
		[]string{"-bin", built, "-cards", filepath.Join("..", "..", "testdata", "cards", "cards.toml"), file}, &out)
	require.ErrorContains(t, err, "1 of 1 stories ended otherwise")
	assert.Contains(t, out.String(), "a.txt:3: expect till declined: the till was told \"approved\"")
}

func TestAStoryIsHurriedAsAWhole(t *testing.T) {
	s, err := scenario.Parse("a.txt", "acquirer fault late 33s for sale\nsale 1.00\nacquirer fault slow 3s\nline down after 6s\nwait 2m\n")
	require.NoError(t, err)
	assert.Equal(t, "acquirer fault late 15s for sale\nsale 1.00\nacquirer fault slow 1s\nline down after 2s\nwait 40s\n", hurried(s).String())
	assert.Equal(t, 2*time.Minute, s.Steps[4].Time, "the story itself stays as it is")
}

// frameOf is a message as it stands on the network cable, padded to a size.
func frameOf(mti [2]byte, size int) []byte {
	f := make([]byte, size)
	f[0], f[1] = byte((size-tapLength)>>8), byte(size-tapLength)
	copy(f[tapLength+tapHeader:], mti[:])
	return f
}

func TestTheTapStopsAtItsByte(t *testing.T) {
	sale, reversal := frameOf([2]byte{0x02, 0x00}, 80), frameOf([2]byte{0x04, 0x00}, 60)
	answer := frameOf([2]byte{0x02, 0x10}, 70)
	for name, c := range map[string]struct {
		event   scenario.Event
		answers bool
		at      int // bytes that have gone on when it happens
	}{
		"whole request":           {scenario.Event{Kind: scenario.Send, What: "0200", Nth: 1}, false, 80},
		"a byte of it":            {scenario.Event{Kind: scenario.SendByte, What: "0200", N: 17, Nth: 1}, false, 17},
		"its first byte":          {scenario.Event{Kind: scenario.SendByte, What: "0200", N: 1, Nth: 1}, false, 1},
		"the second one":          {scenario.Event{Kind: scenario.Send, What: "0200", Nth: 2}, false, 80 + 60 + 80},
		"another message":         {scenario.Event{Kind: scenario.SendByte, What: "0400", N: 5, Nth: 1}, false, 80 + 5},
		"a byte of the line":      {scenario.Event{Kind: scenario.ByteTo, What: "line", N: 100}, false, 100},
		"an answer, not read yet": {scenario.Event{Kind: scenario.Recv, What: "0210", Nth: 1}, true, 69},
		"a byte of the answers":   {scenario.Event{Kind: scenario.ByteFrom, What: "line", N: 71}, true, 71},
		"a byte behind the end":   {scenario.Event{Kind: scenario.RecvByte, What: "0210", N: 500, Nth: 1}, true, -1},
	} {
		wire := bytes.Join([][]byte{sale, reversal, sale}, nil)
		if c.answers {
			wire = bytes.Join([][]byte{answer, answer}, nil)
		}
		for _, piece := range []int{1, 7, len(wire)} {
			listener, out, happened := &tap{}, &bytes.Buffer{}, -1
			listener.arm(c.event, func() { happened = out.Len() })
			s := listener.stream(c.answers)
			for at := 0; at < len(wire); at += piece {
				require.NoError(t, s.carry(out, wire[at:min(at+piece, len(wire))]))
			}
			assert.Equal(t, c.at, happened, "%s in pieces of %d", name, piece)
			assert.Equal(t, wire, out.Bytes(), "and everything goes on")
		}
	}
}
