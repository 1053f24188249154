package neo2

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// allocated is how many bytes f takes from the heap, whatever becomes of them.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// However much comes, and whatever it is, the decoder holds a frame and a piece, and makes no more than it was given.
func TestADecoderHoldsNoMoreThanAFrame(t *testing.T) {
	const given, piece = 128 << 10, 512
	head := func(high, low byte) []byte { return append([]byte(Header), 0x60, 0x00, high, low) }
	for name, wire := range map[string][]byte{
		"noise":                       []byte("\xFF"),
		"headers alone":               []byte(Header),
		"beginnings of headers":       []byte("ViVOtech"),
		"frames that are too long":    head(0xFF, 0xFF),
		"longest frames, never whole": head(MaxData>>8, MaxData&0xFF),
		"frames with a wrong sum":     append(head(0, 2), 1, 2, 3, 4),
		"good frames":                 Frame{Command: Ping, Data: []byte("0123456789")}.Append(nil, HighFirst),
		"empty frames":                Frame{Command: Ping}.Append(nil, HighFirst),
	} {
		stream := bytes.Repeat(wire, given/len(wire))
		d := Decoder{Accept: EitherWay}
		took := allocated(func() {
			for rest := stream; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
				d.Write(rest[:min(piece, len(rest))])
				for _, more := d.Next(); more; _, more = d.Next() {
				}
				assert.LessOrEqual(t, cap(d.held), 2*(MaxFrame+piece), name)
			}
		})
		assert.LessOrEqual(t, took, given+64<<10, name)
	}
}

// A structure of objects is visited where it lies: nothing is copied, however it is nested, and a refusal is one small error.
func TestWalkingCopiesNothing(t *testing.T) {
	for name, wire := range map[string][]byte{
		"empty objects":       bytes.Repeat([]byte{0x50, 0}, MaxData/2),
		"padding":             make([]byte, MaxData),
		"groups within":       bytes.Repeat([]byte{0xFF, 0xEE, 0x01, 0x7F}, MaxData/4),
		"lengths beyond":      bytes.Repeat([]byte{0x9F, 0x10, 0x84, 0xFF, 0xFF, 0xFF, 0xFF}, MaxData/7),
		"tags that never end": bytes.Repeat([]byte{0x9F}, MaxData),
	} {
		assert.LessOrEqual(t, testing.AllocsPerRun(20, func() { _ = Walk(wire, func(uint32, []byte) {}) }), 8., name)
	}
}
