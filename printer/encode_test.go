package printer

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"posagent/printer/receipt"
	"posagent/txnstore/txn/words"
)

func encoded(t require.TestingT, s receipt.Slip, torn bool) []byte {
	p := Printer{opts: Opts{Columns: s.Columns, CutAfter: true, Proof: ProcessID}, torn: torn}
	require.NoError(t, check(s, s.Columns))
	out, err := p.encode(s, newID(rapidSeed))
	require.NoError(t, err)
	return out
}

const rapidSeed = 4711

func TestTheBytesOfASlip(t *testing.T) {
	slip := receipt.Slip{Columns: 24, Lines: []receipt.Line{
		{Text: "签购单", Align: receipt.Centre, Size: receipt.Big, Bold: true},
		{Text: "RMB 1.00"},
		{Op: receipt.Feed, Feed: 2},
		{Op: receipt.Cut},
	}}
	want := "\x1b@" + "\x1da\x0e" + "\x1c." +
		"\x1ba\x01" + "\x1bE\x01" + "\x1d!\x11\x1c!\x0c" + "\x1c&\xc7\xa9\xb9\xba\xb5\xa5\x1c.\n" +
		"\x1ba\x00" + "\x1bE\x00" + "\x1d!\x00\x1c!\x00" + "RMB 1.00\n" +
		"\x1d(H\x06\x00\x30\x30GKDD" + // the proof belongs to the text, not to the feed and the cut
		"\x1bd\x02" + "\x1dV\x42\x00"
	id := newID(rapidSeed)
	want = string(bytes.Replace([]byte(want), []byte("GKDD"), id[:], 1))
	assert.Equal(t, want, string(encoded(t, slip, false)))
}

func TestSlipDataNeverHoldsDLE(t *testing.T) {
	sizes := rapid.SampledFrom([]receipt.Size{receipt.Normal, receipt.Tall, receipt.Big})
	aligns := rapid.SampledFrom([]receipt.Align{receipt.Left, receipt.Centre, receipt.Right})
	rapid.Check(t, func(t *rapid.T) {
		slip := receipt.Slip{Columns: rapid.IntRange(receipt.MinColumns, receipt.MaxColumns).Draw(t, "columns")}
		for range rapid.IntRange(0, 20).Draw(t, "lines") {
			line := receipt.Line{Align: aligns.Draw(t, "align"), Size: sizes.Draw(t, "size"), Bold: rapid.Bool().Draw(t, "bold")}
			switch line.Op = receipt.Op(rapid.IntRange(0, int(receipt.Cut)).Draw(t, "op")); line.Op {
			case receipt.Text:
				if parts := receipt.Wrap(receipt.Printable(rapid.String().Draw(t, "text")), slip.Columns/2); len(parts) > 0 {
					line.Text = parts[0]
				}
			case receipt.Feed:
				line.Feed = rapid.IntRange(1, receipt.MaxFeed).Draw(t, "feed")
			}
			slip.Lines = append(slip.Lines, line)
		}
		require.NotContains(t, encoded(t, slip, rapid.Bool().Draw(t, "torn")), byte(dle))
	})
}

func TestStatusInWords(t *testing.T) {
	ready := statusOf([4]byte{0x12, 0x12, 0x12, 0x12})
	assert.Equal(t, "ready", ready.String())
	assert.NoError(t, ready.Fault())
	for _, c := range []struct {
		status Status
		words  string
		fault  error
	}{
		{Status{}, "no answer", ErrNoAnswer},
		{statusOf([4]byte{0x12, 0x12, 0x12, 0x1E}), "ready, paper near end", nil},
		{statusOf([4]byte{0x1A, 0x32, 0x12, 0x7E}), "paper out, offline", ErrPaperOut},
		{statusOf([4]byte{0x1A, 0x16, 0x12, 0x12}), "cover open, offline", ErrCoverOpen},
		{statusOf([4]byte{0x1A, 0x52, 0x1A, 0x12}), "cutter jammed, offline", ErrCutter},
		{statusOf([4]byte{0x1A, 0x52, 0x32, 0x12}), "unrecoverable error, offline", ErrBroken},
		{statusOf([4]byte{0x1A, 0x52, 0x52, 0x12}), "pausing (head temperature or voltage), offline", ErrPausing},
		{statusOf([4]byte{0x5A, 0x1A, 0x12, 0x12}), "feed button held, offline", ErrOffline},
		{statusOfASB([4]byte{0x10, 0x00, 0x03, 0x0F}), "ready, paper near end", nil},
		{statusOfASB([4]byte{0x18, 0x00, 0x0F, 0x0F}), "paper out, offline", ErrPaperOut},
		{statusOfASB([4]byte{0x38, 0x00, 0x00, 0x0F}), "cover open, offline", ErrCoverOpen},
		{statusOfASB([4]byte{0x58, 0x08, 0x00, 0x0F}), "cutter jammed, feed button held, offline", ErrCutter},
		{statusOfASB([4]byte{0x18, 0x20, 0x00, 0x0F}), "unrecoverable error, offline", ErrBroken},
		{statusOfASB([4]byte{0x18, 0x40, 0x00, 0x0F}), "pausing (head temperature or voltage), offline", ErrPausing},
	} {
		assert.Equal(t, c.words, c.status.String())
		assert.Equal(t, c.fault, c.status.Fault(), c.words)
		if c.fault != nil {
			_, do := words.OfPrinter(c.status.State())
			assert.NotEmpty(t, do.EN)
			fault := &FaultError{Cause: c.fault, Status: c.status}
			assert.ErrorIs(t, fault, c.fault)
			assert.Equal(t, c.status.State(), fault.State())
			assert.Contains(t, fault.Error(), do.EN)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	slip := receipt.Slip{Columns: 32}
	for range 18 {
		slip.Lines = append(slip.Lines, receipt.Line{Text: "终端编号 TERMINAL NO    10000042"}, receipt.Line{Text: "622424******0113 /C"})
	}
	p := Printer{opts: Opts{Columns: 32, CutAfter: true, Proof: ProcessID}}
	size := 0
	for b.Loop() {
		out, err := p.encode(slip, newID(1))
		if err != nil {
			b.Fatal(err)
		}
		size = len(out)
	}
	text := 0
	for _, l := range slip.Lines {
		text += receipt.Width(l.Text) + 1
	}
	b.ReportMetric(float64(size-text)/float64(text)*100, "%overhead")
}
