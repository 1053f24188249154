package reader

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"posagent/device/reader/neo2"
)

// The longest answer there is, filled with whatever costs most to read, takes no more than so many bytes: some thousands of
// objects are entered into a map before the answer is refused.
const mostForAnAnswer = 512 << 10

func TestReadingAnAnswerIsBounded(t *testing.T) {
	var distinct []byte
	for tag := uint16(0x9F01); len(distinct)+3 <= neo2.MaxData-7; tag++ {
		if byte(tag)&0x80 != 0 {
			tag = (tag>>8+1)<<8 | 1
			for byte(tag>>8)&0x1F != 0x1F {
				tag += 0x100
			}
		}
		distinct = append(binary.BigEndian.AppendUint16(distinct, tag), 0)
	}
	filled := func(head string, wire []byte) []byte {
		return append([]byte(head), bytes.Repeat(wire, (neo2.MaxData-len(head))/len(wire))...)
	}
	for name, data := range map[string][]byte{
		"many objects":     append([]byte{0, 0, 0, 0}, distinct...),
		"one object again": filled("\x00\x00\x00\x00", []byte{0x9F, 0x26, 0}),
		"groups":           filled("\x00\x00\x00\x01", []byte{0xFF, 0xEE, 0x01, 0x00}),
		"a track":          filled("\xFF", []byte{'9'}),
		"result":           filled("\x00\x10", []byte{0x5F, 0x34, 0}),
		"keys":             filled("", []byte{0xA0, 0, 0, 3, 0x33, 1}),
		"applications":     filled("\x00\x00", []byte{0, 0}),
	} {
		for parser, read := range map[string]func(){
			"card":          func() { _, _ = parseCard(data, asked) },
			"result":        func() { _, _, _ = parseResult(data, false) },
			"sealed":        func() { _, _ = parseSealed(data, asked) },
			"sealed result": func() { _, _, _ = parseResult(data, true) },
			"keys":          func() { _, _ = listed(data, false) },
			"apps":          func() { _, _ = listed(data, true) },
			"event": func() {
				_, _ = eventOf(neo2.Frame{Command: neo2.Screen, Sub: neo2.ScreenSub, Data: data}, time.Time{})
				for _, r := range []*Reader{{}, {sealed: true}} {
					_ = r.failure(neo2.Frame{Sub: neo2.Failed, Data: data}).Error()
				}
			},
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			read()
			runtime.ReadMemStats(&after)
			assert.LessOrEqual(t, int(after.TotalAlloc-before.TotalAlloc), mostForAnAnswer, "%s read as %s", name, parser)
		}
	}
}

// Whatever a reader says unasked or in refusal is told in few words, and never in its own.
func FuzzEventAndFailure(f *testing.F) {
	f.Add(neo2.Screen, neo2.ScreenSub, []byte{neo2.ShowPresent})
	f.Add(neo2.Activate, neo2.UserInterface, []byte{neo2.CardFound})
	f.Add(neo2.Activate, neo2.Failed, []byte{neo2.CodeNoResponse, 0x69, 0x85, 5})
	f.Add(neo2.Activate, byte(0xEE), []byte{0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, command, sub byte, data []byte) {
		frame := neo2.Frame{Command: command, Sub: sub, Data: data}
		if event, is := eventOf(frame, time.Time{}); is {
			assert.NotEmpty(t, event.Prompt)
		}
		for _, r := range []*Reader{{}, {sealed: true}} {
			text := r.failure(frame).Error()
			assert.LessOrEqual(t, len(text), 512)
			assert.NotRegexp(t, `\d{5}`, text)
		}
	})
}
