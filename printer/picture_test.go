package printer

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"posagent/printer/receipt"
)

// realTimeIn finds the beginning of a real-time command among bytes.
func realTimeIn(b []byte) int {
	for i := 1; i < len(b); i++ {
		if b[i-1] == dle && (b[i] == eot || b[i] == enq || b[i] == dc4) {
			return i - 1
		}
	}
	return -1
}

func TestNoPictureHoldsARealTimeCommand(t *testing.T) {
	awkward := rapid.SampledFrom([]byte{dle, dle, eot, enq, dc4, 0, 1, 2, 0xFF, gs, esc})
	rapid.Check(t, func(t *rapid.T) {
		p := receipt.NewPicture(rapid.IntRange(1, 384).Draw(t, "width"), rapid.IntRange(1, 60).Draw(t, "height"))
		for i := range p.Dots {
			p.Dots[i] = awkward.Draw(t, "dots")
		}
		slip := receipt.Slip{Columns: 32, Lines: []receipt.Line{{Text: "x"}, {Op: receipt.Image, Image: p}, {Op: receipt.Image, Image: p}, {Text: "x"},
			{Op: receipt.Code, Text: rapid.StringMatching(`[ -~]{1,256}`).Draw(t, "code")}, {Op: receipt.Cut}}}
		require.NoError(t, check(slip, 32))
		for _, codes := range []CodeMode{NativeCodes, RasterCodes} {
			printer := Printer{opts: Opts{Columns: 32, CutAfter: true, Proof: ProcessID, Codes: codes}}
			out, err := printer.encode(slip, newID(1))
			require.NoError(t, err)
			require.Equal(t, -1, realTimeIn(out))
		}
	})
}

// What is changed is one white dot beside a black one, and only there.
func TestAPictureKeepsItsDots(t *testing.T) {
	dots := []byte{dle, eot, dle, enq, dle, dc4, dle, dle, 0x0C, eot, enq, dc4, dle}
	assert.Equal(t, []byte{dle, 0x0C, dle, 0x0D, dle, 0x1C, dle, dle, 0x0C, eot, enq, dc4, dle}, band(nil, dots))
	for _, b := range []byte{eot, enq, dc4} {
		assert.NotZero(t, b&0x04, "a black dot to the right")
		assert.Zero(t, b&0x08)
	}
	assert.Equal(t, []byte{dle, eot}, band([]byte{dle}, []byte{eot}), "what precedes a band is its command's last byte, which is never DLE")
}
