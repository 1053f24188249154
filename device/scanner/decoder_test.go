package scanner

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/scanner/gm72"
)

func decode(frames bool, pieces ...string) (items []item) {
	d := decoder{frames: frames}
	for _, p := range pieces {
		for _, octet := range []byte(p) {
			if said, whole := d.take(octet); whole {
				items = append(items, said)
			}
		}
	}
	return items
}

func TestLinesAndAnswers(t *testing.T) {
	ack := string(gm72.Frame{Operation: gm72.Ack}.Append(nil))
	nak := string(gm72.Frame{Operation: gm72.Nak, Data: []byte{6}}.Append(nil))
	for name, c := range map[string]struct {
		wire   string
		frames bool
		want   []item
	}{
		"a line":                    {"123\r", false, []item{{text: "123"}}},
		"CR LF is one end":          {"123\r\n456\n", false, []item{{text: "123"}, {text: "456"}}},
		"no end":                    {"123", false, nil},
		"damaged":                   {"1\x802\r34\r", false, []item{{kind: damaged}, {text: "34"}}},
		"too long":                  {strings.Repeat("1", 129) + "\r2\r", false, []item{{kind: tooLong}, {text: "2"}}},
		"just not too long":         {strings.Repeat("1", 128) + "\r", false, []item{{text: strings.Repeat("1", 128)}}},
		"answer, then a line":       {ack + "123\r", true, []item{{kind: answer, op: gm72.Ack}, {text: "123"}}},
		"refusal":                   {nak, true, []item{{kind: answer, op: gm72.Nak, data: [1]byte{6}}}},
		"line, then an answer":      {"123\r\n" + ack, true, []item{{text: "123"}, {kind: answer, op: gm72.Ack}}},
		"damaged answer":            {ack[:5] + "\x00" + "12\r34\r", true, []item{{kind: damaged}, {text: "34"}}},
		"an answer inside a line":   {"12" + ack + "\r", true, []item{{kind: damaged}}},
		"an answer to nobody":       {string(gm72.Frame{Operation: gm72.Ack, Source: gm72.FromHost}.Append(nil)), true, nil},
		"answers mean nothing here": {ack + "\r", false, []item{{kind: damaged}}},
	} {
		for cut := range len(c.wire) + 1 {
			assert.Equal(t, c.want, decode(c.frames, c.wire[:cut], c.wire[cut:]), "%s, cut at %d", name, cut)
		}
	}
}

func TestTheDecoderAllocatesNothing(t *testing.T) {
	d, noise := decoder{frames: true}, []byte(strings.Repeat("\x04\xd0\x00\x00\xff\x2c1234\x80\x05\x06", 100))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for _, octet := range noise {
			d.take(octet)
		}
	}))
}

func FuzzDecoder(f *testing.F) {
	for _, wire := range []string{"134567890123456789\r\n", "\x04\xd0\x00\x00\xff\x2c134567890123456789\r", "\x05\xd1\x00\x00\x06\xff\x24",
		"\x04\x04\x04\x04\x04\x04\x04", "1\x00\r", strings.Repeat("9", 300) + "\r"} {
		f.Add(wire, true)
		f.Add(wire, false)
	}
	routes, err := NewRoutes([]Route{{"wechat", 18, 18, "10", "15"}})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, wire string, frames bool) {
		for _, said := range decode(frames, wire) {
			require.LessOrEqual(t, len(said.text), maxLine)
			require.Contains(t, wire, said.text)
			require.True(t, frames || said.kind != answer)
			if said.kind != textLine {
				continue
			}
			if code, err := ParseCode(said.text, routes, []byte("0123456789abcdef")); err == nil {
				require.Equal(t, said.text, code.DigitsInTheClear())
				require.Len(t, code.Masked(), 18)
			}
		}
	})
}
