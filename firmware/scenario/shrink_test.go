package scenario

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t testing.TB, text string) Story {
	t.Helper()
	s, err := Parse("story", text)
	require.NoError(t, err)
	return s
}

// noisy is a long day in which two lines together do the harm.
func noisy(t testing.TB) Story {
	var b strings.Builder
	b.WriteString("# A long day.\n")
	for n := range 60 {
		fmt.Fprintf(&b, "present mastercard-4444\nsale %d.%02d again\n", n+1, n)
		switch n {
		case 17:
			b.WriteString("cut power on byte 143 of 2nd send 0200\nrestore power\n")
		case 41:
			b.WriteString("wait 1h30m\nacquirer fault silent for reversal\n")
		default:
			b.WriteString("settle\n")
		}
	}
	return read(t, b.String())
}

func TestAFailingDayIsReducedToTheLinesThatMatter(t *testing.T) {
	runs := 0
	fails := func(s Story) bool {
		runs++
		text := s.String()
		require.NotNil(t, read(t, text).Steps, "whatever is tried is a story")
		return strings.Contains(text, "cut power on byte") && strings.Contains(text, "silent for reversal")
	}
	short := Shrink(noisy(t), 2000, fails)
	assert.Equal(t, "# A long day.\nsale 1.00\ncut power on byte 1 of send 0200\nacquirer fault silent for reversal\n",
		short.String())
	assert.Less(t, runs, 400)
}

func TestNumbersShrinkAsFarAsTheyMatter(t *testing.T) {
	story := read(t, "present visa-4242\nsale 88.50\nwait 26h\ncut power on byte 143 of send 0200\n")
	short := Shrink(story, 500, func(s Story) bool {
		for _, step := range s.Steps {
			if step.On.N >= 17 {
				return true
			}
		}
		return false
	})
	assert.Equal(t, "wait 1s\ncut power on byte 17 of send 0200\n", short.String())
}

func TestShrinkingKeepsToItsRuns(t *testing.T) {
	for _, bound := range []int{0, 1, 7} {
		runs := 0
		short := Shrink(noisy(t), bound, func(Story) bool { runs++; return false })
		assert.LessOrEqual(t, runs, bound)
		assert.Equal(t, noisy(t).String(), short.String(), "what was given fails, and nothing shorter was found")
	}
}

func TestNoStoryIsTriedTwice(t *testing.T) {
	seen := map[string]bool{}
	Shrink(noisy(t), 5000, func(s Story) bool {
		require.False(t, seen[s.String()])
		seen[s.String()] = true
		return strings.Contains(s.String(), "sale 30")
	})
}
