package printer

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func answersOf(stream []byte) (all []answer) {
	var d demultiplexer
	for _, b := range stream {
		d.feed(b, func(a answer) { all = append(all, a) })
	}
	return all
}

func only(kind answerKind, all []answer) (data [][4]byte) {
	for _, a := range all {
		if a.kind == kind {
			data = append(data, a.data)
		}
	}
	return data
}

func TestEveryAnswerIsToldApart(t *testing.T) {
	abcd := [4]byte{'A', 'B', 'C', 'D'}
	for name, c := range map[string]struct {
		stream []byte
		want   []answer
	}{
		"real time":        {[]byte{0x12, 0x7E, 0x32}, []answer{{realTime, [4]byte{0x12}, 0}, {realTime, [4]byte{0x7E}, 0}, {realTime, [4]byte{0x32}, 0}}},
		"automatic":        {[]byte{0x38, 0x08, 0x0C, 0x0F}, []answer{{automatic, [4]byte{0x38, 0x08, 0x0C, 0x0F}, 0}}},
		"in order":         {[]byte{0x0F}, []answer{{inOrder, [4]byte{0x0F}, 0}}},
		"flow":             {[]byte{0x13, 0x11}, []answer{{kind: hold}, {kind: goOn}}},
		"process id":       {[]byte("\x37\x22ABCD\x00"), []answer{{processID, abcd, 0}}},
		"XOFF inside":      {[]byte("\x37\x13\x22AB\x13CD\x11\x00"), []answer{{kind: hold}, {kind: hold}, {kind: goOn}, {processID, abcd, 0}}},
		"status inside":    {[]byte("\x37\x22A\x10\x00\x13\x00\x0FBCD\x00"), []answer{{kind: hold}, {automatic, [4]byte{0x10, 0, 0, 0x0F}, 0}, {processID, abcd, 0}}},
		"real time inside": {[]byte("\x37\x22AB\x12CD\x00"), []answer{{realTime, [4]byte{0x12}, 0}, {processID, abcd, 0}}},
		"a status cut off": {[]byte("\x10\x00\x12\x37\x22ABCD\x00"), []answer{{kind: noise}, {realTime, [4]byte{0x12}, 0}, {processID, abcd, 0}}},
		"an id cut off":    {[]byte("\x37\x22AB\x37\x22ABCD\x00"), []answer{{kind: noise}, {processID, abcd, 0}}},
		"an id too long":   {[]byte("\x37\x22ABCDE\x00"), []answer{{kind: noise}, {inOrder, [4]byte{0}, 0}}},
		"another block":    {[]byte("\x37\x41A\x00"), []answer{{kind: noise}, {inOrder, [4]byte{'A'}, 0}, {inOrder, [4]byte{0}, 0}}},
		"rubbish":          {[]byte{0xFF, 0x5F, 0x3D}, []answer{{kind: noise}, {kind: noise}, {kind: noise}}},
	} {
		assert.Equal(t, c.want, answersOf(c.stream), name)
	}
}

func TestProcessIDsKeepWithinTheirBits(t *testing.T) {
	seen := map[[4]byte]bool{}
	for n := range uint32(1 << 12) {
		id := newID(n * 257)
		require.False(t, seen[id])
		seen[id] = true
		for _, b := range id {
			require.True(t, b >= processIDLow && b <= processIDHigh && b&0x10 == 0)
		}
	}
}

// Automatic status, XON, XOFF and real-time answers at any places inside a process id answer.
func TestAnythingInsideAProof(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := newID(rapid.Uint32().Draw(t, "id"))
		whole := append(append([]byte{blockHeader, processIDMark}, id[:]...), nul)
		var stream []byte
		for _, b := range whole {
			for range rapid.IntRange(0, 2).Draw(t, "guests") {
				switch rapid.IntRange(0, 3).Draw(t, "guest") {
				case 0:
					stream = append(stream, xoff)
				case 1:
					stream = append(stream, xon)
				case 2:
					stream = append(stream, realTimeIs|rapid.Byte().Draw(t, "bits")&^realTimeMask)
				case 3:
					plain := func() byte { return rapid.Byte().Draw(t, "bits") &^ plainMask }
					stream = append(stream, asbFirstIs|rapid.Byte().Draw(t, "bits")&^asbFirstMask, plain(), plain(), plain())
				}
			}
			stream = append(stream, b)
		}
		require.Equal(t, [][4]byte{id}, only(processID, answersOf(stream)))
		require.Empty(t, only(noise, answersOf(stream)))
	})
}

// FuzzAnswers: whatever a line brings, the demultiplexer keeps within its arrays, never invents a proof, and finds the
// proof that follows.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\x12\x12\x12\x12"))
	f.Add([]byte("\x37\x22ABCD\x00"))
	f.Add([]byte("\x37\x22A\x10\x00\x13\x00\x0FBCD\x00"))
	f.Add([]byte("\x38\x08\x0C\x0F\x37\x22@@@@\x00"))
	f.Add([]byte("\x37\x37\x22\x37\x22ABC\x10"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, id := range only(processID, answersOf(stream)) {
			require.True(t, hasInOrder(stream, append(append([]byte{blockHeader, processIDMark}, id[:]...), nul)))
		}
		ours := newID(uint32(len(stream)))
		proof := append(append([]byte{blockHeader, processIDMark}, ours[:]...), nul)
		ids := only(processID, answersOf(append(bytes.Clone(stream), proof...)))
		require.NotEmpty(t, ids)
		require.Equal(t, ours, ids[len(ids)-1])
	})
}

// hasInOrder reports whether the bytes of want appear in stream in this order.
func hasInOrder(stream, want []byte) bool {
	for _, b := range stream {
		if len(want) > 0 && b == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}
