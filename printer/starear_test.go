package printer

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func heard(stream []byte) (all []answer) {
	var s starEar
	for _, b := range stream {
		s.feed(b, func(a answer) { all = append(all, a) })
	}
	return all
}

func TestAStarPrintersStatus(t *testing.T) {
	for name, c := range map[string]struct {
		stream []byte
		words  string
		count  int
	}{
		"ready":         {[]byte{0x23, 0x06, 0, 0, 0, 0, 0, 0, 0}, "ready", 0},
		"eight bytes":   {[]byte{0x21, 0x06, 0, 0, 0, 0, 0, 0x6E}, "ready", 31},
		"counted":       {[]byte{0x23, 0x06, 0x02, 0, 0, 0, 0, 0x22, 0}, "ready", 9},
		"cover":         {[]byte{0x23, 0x06, 0x28, 0, 0, 0, 0, 0, 0}, "cover open, offline", 0},
		"paper":         {[]byte{0x23, 0x06, 0x08, 0, 0, 0x0C, 0, 0, 0}, "paper out, offline", 0},
		"near end":      {[]byte{0x23, 0x06, 0, 0, 0, 0x02, 0, 0, 0}, "ready, paper near end", 0},
		"cutter":        {[]byte{0x23, 0x06, 0x08, 0x08, 0, 0, 0, 0, 0}, "cutter jammed, offline", 0},
		"hot":           {[]byte{0x23, 0x06, 0x08, 0x40, 0, 0, 0, 0, 0}, "pausing (head temperature or voltage), offline", 0},
		"mechanical":    {[]byte{0x23, 0x06, 0x08, 0x04, 0, 0, 0, 0, 0}, "unrecoverable error, offline", 0},
		"its switch":    {[]byte{0x23, 0x06, 0x40, 0, 0, 0, 0, 0, 0}, "offline", 0},
		"after a piece": {[]byte{0x23, 0x06, 0x23, 0x06, 0x28, 0, 0, 0, 0, 0, 0}, "cover open, offline", 0},
	} {
		all := heard(c.stream)
		require.NotEmpty(t, all, name)
		last := all[len(all)-1]
		require.Equal(t, realTime, last.kind, name)
		assert.Equal(t, c.words, statusOfStar(last.data).String(), name)
		assert.Equal(t, c.count, last.count, name)
	}
	assert.Equal(t, []answer{{kind: hold}, {kind: goOn}, {kind: noise}, {kind: noise}}, heard([]byte{0x13, 0x11, 0x00, 0xFF}))
}

func TestFramesOfAStarPrinter(t *testing.T) {
	for n := range uint32(100) {
		k := firstFrame(n)
		assert.True(t, k%2 == 1 && k >= starFirstLeast && k <= starFirstMost, k)
	}
	k := firstFrame(7)
	for range 10 {
		next := nextFrame(k)
		assert.NotEqual(t, k, next)
		assert.Greater(t, next+1, 1, "0 and 1 are what a power cut leaves")
		k = next
	}
}

// However a stream is spoiled, the next whole status is heard, and memory stays bounded.
func FuzzStarStatus(f *testing.F) {
	f.Add([]byte{0x23, 0x06, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x21, 0x06, 0x13, 0, 0x11, 0, 0, 0, 0x6E})
	f.Add([]byte{0x23, 0x06, 0x01, 0x3F, 0xFF})
	f.Fuzz(func(t *testing.T, spoiled []byte) {
		var s starEar
		for _, b := range spoiled {
			s.feed(b, func(answer) {})
			require.LessOrEqual(t, len(s.heard), starMost)
		}
		var all []answer
		for _, b := range []byte{0x23, 0x06, 0x28, 0x40, 0, 0x08, 0, 0x22, 0} {
			s.feed(b, func(a answer) { all = append(all, a) })
		}
		require.NotEmpty(t, all)
		last := all[len(all)-1]
		require.Equal(t, answer{kind: realTime, data: [4]byte{0x28, 0x40, 0, 0x08}, count: 9}, last)
	})
}

// However much a printer says, nothing is kept but the answer under way.
func TestHearingTakesNoMemory(t *testing.T) {
	for _, e := range []ear{&demultiplexer{}, &starEar{heard: make([]byte, 0, starMost)}} {
		for _, said := range []string{"\x00", "\x12", "\x14", "\x37\x22AAAA", "\x23\x06", "\xFF", "\x11\x13", "\x2F"} {
			assert.Zero(t, testing.AllocsPerRun(3, func() {
				for range 4096 {
					for _, b := range []byte(said) {
						e.feed(b, func(answer) {})
					}
				}
			}), "%T, %q", e, said)
		}
	}
}
