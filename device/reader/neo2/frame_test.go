package neo2

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(text), []byte(" "), nil)))
	require.NoError(t, err)
	return b
}

const head = "56 69 56 4f 74 65 63 68 32 00 "

// golden are frames printed in the guide, or computed and checked against those that are.
var golden = []struct {
	name  string
	frame Frame
	order Order
	wire  string
}{
	{"ping, p. 42", Frame{0x18, 0x01, nil}, LowFirst, "18 01 00 00 b3 cd"},
	{"ping answered, p. 42", Frame{0x18, 0x00, nil}, HighFirst, "18 00 00 00 fa 83"},
	{"system screen, p. 465", Frame{0x61, 0x17, nil}, LowFirst, "61 17 00 00 72 8d"},
	{"system screen answered, p. 465", Frame{0x61, 0x00, nil}, HighFirst, "61 00 00 00 4b 81"},
	{"get configuration, p. 42", Frame{0x03, 0x02, nil}, LowFirst, "03 02 00 00 5b 91"},
	{"poll on demand, p. 409", Frame{0x01, 0x01, []byte{1}}, LowFirst, "01 01 00 01 01 d7 34"},
	{"poll on demand answered, p. 409", Frame{0x01, 0x00, nil}, HighFirst, "01 00 00 00 12 53"},
	{"activate for 10 s, p. 409", Frame{0x02, 0x01, []byte{10}}, LowFirst, "02 01 00 01 0a 6e 6b"},
	{"no transaction yet, p. 407", Frame{0x03, 0x00, []byte{0, 0, 0}}, HighFirst, "03 00 00 03 00 00 00 8d d0"},
	{"cancel", Frame{0x05, 0x01, nil}, LowFirst, "05 01 00 00 92 ef"},
	{"24 h reset time", Frame{0x25, 0x07, nil}, LowFirst, "25 07 00 00 7c 6a"},
	{"go online", Frame{0x02, 0x23, nil}, HighFirst, "02 23 00 00 56 19"},
	{"nobody came", Frame{0x02, 0x08, nil}, HighFirst, "02 08 00 00 20 2e"},
}

func TestFramesAreThoseOfTheGuide(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			want := unhex(t, head+g.wire)
			assert.Equal(t, want, g.frame.Append(nil, g.order))
			d := Decoder{Accept: g.order}
			d.Write(want)
			item, ok := d.Next()
			require.True(t, ok)
			assert.Equal(t, Whole, item.Fault)
			assert.Equal(t, g.frame.Command, item.Command)
			assert.Equal(t, g.frame.Sub, item.Sub)
			assert.True(t, bytes.Equal(g.frame.Data, item.Data))
		})
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

func TestAFrameMayBeCutAnywhere(t *testing.T) {
	first := Frame{0x02, 0x23, []byte("ViVOtech2")} // a header that is not one, inside
	second := Frame{0x18, 0x00, nil}
	wire := second.Append(first.Append(nil, HighFirst), HighFirst)
	for i := range wire {
		for j := i; j <= len(wire); j++ {
			d := Decoder{Accept: EitherWay}
			items := stream(&d, wire[:i], wire[i:j], wire[j:])
			require.Equal(t, []Item{{Frame: first}, {Frame: Frame{0x18, 0x00, []byte{}}}}, items, "cut at %d and %d", i, j)
			require.Zero(t, d.Noise())
			require.False(t, d.Partial())
		}
	}
}

func TestNoiseBeforeAFrameIsPassedOver(t *testing.T) {
	wire := Frame{0x18, 0x00, nil}.Append(nil, HighFirst)
	prefixes := [][]byte{[]byte("V"), []byte("ViV"), []byte("ViViV"), []byte(Header[:9]), []byte(Header[:9] + "V"), []byte("\x00\xff"),
		unhex(t, head), unhex(t, head+"18 01"), bytes.Repeat([]byte("V"), 3000)}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		noise := make([]byte, 1+random.IntN(40))
		for i := range noise {
			noise[i] = Header[random.IntN(len(Header))]
		}
		prefixes = append(prefixes, noise)
	}
	for _, prefix := range prefixes {
		d := Decoder{Accept: EitherWay}
		items := stream(&d, prefix, wire)
		if len(items) == 0 || items[len(items)-1].Fault != Whole { // the noise announced a frame that never comes
			item, begun := d.Break()
			require.True(t, begun, "%q", prefix)
			require.Equal(t, Interrupted, item.Fault)
			items = stream(&d, nil)
		}
		require.NotEmpty(t, items, "%q", prefix)
		last := items[len(items)-1]
		require.Equal(t, Item{Frame: Frame{0x18, 0x00, []byte{}}}, last, "%q", prefix)
		require.Equal(t, len(prefix), d.Noise(), "%q", prefix)
	}
}

func TestADamagedFrameIsReportedAndTheNextOneFound(t *testing.T) {
	good := Frame{0x05, 0x00, nil}.Append(nil, HighFirst)
	wire := Frame{0x02, 0x23, []byte("card data")}.Append(nil, HighFirst)
	for i := range wire {
		damaged := bytes.Clone(wire)
		damaged[i] ^= 0x10
		d := Decoder{Accept: EitherWay}
		items := stream(&d, damaged, good)
		for range 3 { // a damaged length waits for bytes that do not come
			if len(items) > 0 && items[len(items)-1].Fault == Whole {
				break
			}
			if item, begun := d.Break(); begun {
				items = append(items, item)
			}
			items = append(items, stream(&d, nil)...)
		}
		require.NotEmpty(t, items)
		require.Equal(t, Item{Frame: Frame{0x05, 0x00, []byte{}}}, items[len(items)-1], "damaged at %d", i)
		for _, item := range items[:len(items)-1] {
			require.NotEqual(t, Whole, item.Fault, "damaged at %d", i)
			require.Nil(t, item.Data)
		}
	}
}

func TestALengthBeyondTheLimitIsRefusedAtOnce(t *testing.T) {
	d := Decoder{Accept: EitherWay}
	items := stream(&d, unhex(t, head+"02 23 10 01"))
	assert.Equal(t, []Item{{Frame: Frame{Command: 0x02, Sub: 0x23}, Fault: TooLong}}, items)
	longest := Frame{0x02, 0x00, make([]byte, MaxData)}
	items = stream(&d, longest.Append(nil, HighFirst))
	require.Len(t, items, 1)
	assert.Len(t, items[0].Data, MaxData)
	assert.Len(t, Frame{0x02, 0x00, make([]byte, MaxData+1)}.Append(nil, HighFirst), MaxFrame)
}

func TestEachSideTakesItsOwnChecksumOrder(t *testing.T) {
	low, high := Frame{0x18, 0x01, nil}.Append(nil, LowFirst), Frame{0x18, 0x01, nil}.Append(nil, HighFirst)
	for order, accepts := range map[Order][2]bool{LowFirst: {true, false}, HighFirst: {false, true}, EitherWay: {true, true}} {
		for i, wire := range [][]byte{low, high} {
			d := Decoder{Accept: order}
			items := stream(&d, wire)
			require.Len(t, items, 1)
			assert.Equal(t, accepts[i], items[0].Fault == Whole, "order %d", order)
		}
	}
}

// FuzzFrame feeds a stream, cut at two places, and checks what must hold of any: the cuts do not matter, every whole frame
// stands in the stream as it was sent, and every byte is accounted for.
func FuzzFrame(f *testing.F) {
	for _, g := range golden {
		f.Add(unhex(f, head+g.wire), uint16(3), uint16(12))
	}
	f.Add([]byte("ViViVOtech2\x00ViVOtech2\x00\x02\x23\x00\x10"), uint16(1), uint16(5))
	f.Add(Frame{0x02, 0x23, Frame{0x18, 0x00, nil}.Append(nil, HighFirst)}.Append([]byte(Header), LowFirst), uint16(9), uint16(30))
	f.Fuzz(func(t *testing.T, wire []byte, a, b uint16) {
		i := int(a) % (len(wire) + 1)
		j := i + int(b)%(len(wire)-i+1)
		whole, cut := Decoder{Accept: EitherWay}, Decoder{Accept: EitherWay}
		want, got := stream(&whole, wire), stream(&cut, wire[:i], wire[i:j], wire[j:])
		for range len(wire) {
			item, begun := whole.Break()
			item2, begun2 := cut.Break()
			if begun != begun2 || item.Command != item2.Command {
				t.Fatal("the cuts matter to Break")
			}
			want, got = append(want, stream(&whole, nil)...), append(got, stream(&cut, nil)...)
		}
		assert.Equal(t, want, got)
		used := 0
		for _, item := range got {
			if item.Fault == Whole {
				used += HeadSize + len(item.Data) + 2
				low, high := item.Append(nil, LowFirst), item.Append(nil, HighFirst)
				assert.True(t, bytes.Contains(wire, low) || bytes.Contains(wire, high))
			}
		}
		assert.Equal(t, len(wire), used+cut.Noise())
		assert.False(t, cut.Partial())
	})
}
