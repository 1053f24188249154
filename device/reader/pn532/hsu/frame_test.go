package hsu

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	require.NoError(t, err)
	return b
}

// golden are frames printed in the user manual, in libnfc, or both.
var golden = []struct {
	name, wire string
	tfi        byte
	data       []byte
}{
	{"SAMConfiguration", "00 00 ff 03 fd d4 14 01 17 00", ToChip, []byte{SAMConfiguration, SAMNormal}},
	{"SAMConfiguration answered", "00 00 ff 02 fe d5 15 16 00", FromChip, []byte{SAMConfiguration + 1}},
	{"GetFirmwareVersion", "00 00 ff 02 fe d4 02 2a 00", ToChip, []byte{GetFirmwareVersion}},
	{"firmware version of a board, as its users print it", "00 00 ff 06 fa d5 03 32 01 06 07 e8 00", FromChip,
		[]byte{GetFirmwareVersion + 1, ChipPN532, 1, 6, 7}},
	{"InListPassiveTarget", "00 00 ff 04 fc d4 4a 01 00 e1 00", ToChip, []byte{InListPassiveTarget, 1, TypeA106}},
}

func TestFramesAreThoseOfTheManual(t *testing.T) {
	for _, g := range golden {
		want := unhex(t, g.wire)
		assert.Equal(t, want, AppendInfo(nil, g.tfi, g.data), g.name)
		var d Decoder
		d.Write(want)
		item, ok := d.Next()
		require.True(t, ok)
		assert.Equal(t, Item{TFI: g.tfi, Data: g.data}, item)
	}
	for kind, wire := range map[Kind][]byte{Ack: AckFrame[:], Nack: NackFrame[:], Error: ErrorFrame[:]} {
		var d Decoder
		d.Write(wire)
		item, ok := d.Next()
		require.True(t, ok)
		assert.Equal(t, Item{Kind: kind}, item)
		assert.Zero(t, d.Noise())
	}
}

// stream decodes pieces one after another and returns every item.
func stream(d *Decoder, pieces ...[]byte) (items []Item) {
	for _, p := range pieces {
		d.Write(p)
		for item, ok := d.Next(); ok; item, ok = d.Next() {
			items = append(items, item)
		}
	}
	return items
}

// settle gives up what will not be completed, and returns what was hidden in it.
func settle(d *Decoder) (items []Item) {
	for item, begun := d.Break(); begun; item, begun = d.Break() {
		items = append(append(items, item), stream(d, nil)...)
	}
	return items
}

func TestEveryLengthSurvivesAndMayBeCutAnywhere(t *testing.T) {
	for size := range MaxData + 1 {
		data := bytes.Repeat([]byte{0x00, 0xFF, 0x00, 0xFF, 0x01}, size/5+1)[:size] // full of start codes
		wire := AppendInfo(AckFrame[:], FromChip, data)
		for _, cut := range []int{0, 7, 9, len(wire) / 2, len(wire) - 2, len(wire)} {
			var d Decoder
			cut = min(cut, len(wire))
			items := stream(&d, wire[:cut], wire[cut:])
			require.Equal(t, []Item{{Kind: Ack}, {TFI: FromChip, Data: data}}, items, "%d bytes, cut at %d", size, cut)
			require.Zero(t, d.Noise())
		}
	}
	assert.Len(t, AppendInfo(nil, ToChip, make([]byte, MaxData+9)), MaxData+1+3+5+2, "what is too long is cut")
}

func TestADamagedFrameIsReportedAndTheNextOneFound(t *testing.T) {
	good := AppendInfo(nil, FromChip, []byte{0x15})
	for _, size := range []int{3, 254, 260} {
		wire := AppendInfo(nil, FromChip, bytes.Repeat([]byte{0x5A}, size))
		for i := 1; i < len(wire)-1; i++ { // the zeros around a frame do not count
			damaged := bytes.Clone(wire)
			damaged[i] ^= 0x10
			var d Decoder
			items := stream(&d, damaged, good)
			items = append(items, settle(&d)...)
			require.NotEmpty(t, items, "damaged at %d", i)
			require.Contains(t, items, Item{TFI: FromChip, Data: []byte{0x15}}, "damaged at %d", i)
			for _, item := range items {
				require.False(t, item.Fault == Whole && item.Kind == Info && len(item.Data) > 1, "damaged at %d", i)
			}
		}
	}
}

// The corpus of broken frames: each file says in its first line what must be found.
func TestBrokenFrames(t *testing.T) {
	files, err := filepath.Glob("../../../../testdata/captures/broken/pn532-*.hex")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	faults := map[string]Fault{"wrong-length": WrongLength, "wrong-sum": WrongSum, "too-long": TooLong, "interrupted": Interrupted}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		head, body, _ := strings.Cut(string(text), "\n")
		want, known := faults[strings.TrimPrefix(head, "# ")]
		require.True(t, known, file)
		var d Decoder
		items := append(stream(&d, unhex(t, body)), settle(&d)...)
		require.NotEmpty(t, items, file)
		assert.Equal(t, want, items[0].Fault, file)
		for _, item := range items {
			assert.NotEqual(t, Item{TFI: FromChip, Data: item.Data}, item, "%s: taken for an answer", file)
		}
	}
}

func TestTheDecoderDoesNotGrowWithTheStream(t *testing.T) {
	var d Decoder
	noise := bytes.Repeat([]byte{0xFF, 0x00, 0x55, 0x00, 0xFF, 0x10}, 100)
	stream(&d, noise)
	before := cap(d.held)
	for range 1000 {
		stream(&d, noise)
		settle(&d)
	}
	assert.LessOrEqual(t, cap(d.held), 2*before)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		d.Write(noise)
		for _, ok := d.Next(); ok; _, ok = d.Next() {
		}
		for _, begun := d.Break(); begun; _, begun = d.Break() {
		}
		d.Reset()
	}))
}

// FuzzFrame checks what must hold of any stream: cuts do not matter, and a whole frame stands in it as it was sent.
func FuzzFrame(f *testing.F) {
	for _, g := range golden {
		f.Add(unhex(f, g.wire), uint16(3))
	}
	f.Add(AppendInfo(NackFrame[:], FromChip, make([]byte, 260)), uint16(100))
	f.Add(append(ErrorFrame[:], AckFrame[:]...), uint16(9))
	files, _ := filepath.Glob("../../../../testdata/captures/broken/pn532-*.hex")
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		_, body, _ := strings.Cut(string(text), "\n")
		f.Add(unhex(f, body), uint16(5))
	}
	f.Fuzz(func(t *testing.T, wire []byte, at uint16) {
		cut := int(at) % (len(wire) + 1)
		var whole, pieces Decoder
		want, got := stream(&whole, wire), stream(&pieces, wire[:cut], wire[cut:])
		want, got = append(want, settle(&whole)...), append(got, settle(&pieces)...)
		require.Equal(t, want, got)
		require.False(t, pieces.Partial())
		for _, item := range got {
			if item.Kind == Info && item.Fault == Whole {
				written := AppendInfo(nil, item.TFI, item.Data)
				body := written[len(written)-len(item.Data)-3 : len(written)-1]
				require.True(t, bytes.Contains(wire, body))
			}
		}
	})
}
