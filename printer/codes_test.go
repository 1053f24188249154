package printer_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/printer"
	"posagent/printer/receipt"
)

// aLogo is a wheel of shades, dithered.
func aLogo(t require.TestingT) *receipt.Picture {
	shades := image.NewGray(image.Rect(0, 0, 500, 160))
	for y := range 160 {
		for x := range 500 {
			shades.SetGray(x, y, color.Gray{Y: uint8((x*x + y*y) / 1100)})
		}
	}
	p, err := receipt.Dither(shades, 200)
	require.NoError(t, err)
	return p
}

func pictured(t *testing.T, columns int) receipt.Slip {
	s := aSlip(t, columns)
	return receipt.Slip{Columns: columns, Lines: append([]receipt.Line{
		{Op: receipt.Image, Image: aLogo(t), Align: receipt.Centre},
		{Op: receipt.Code, Text: "30010001/000001/000012/123456789012", Align: receipt.Centre}}, s.Lines...)}
}

func TestPicturesAndCodesComeOut(t *testing.T) {
	for _, columns := range []int{32, 48} {
		for _, codes := range []printer.CodeMode{printer.NativeCodes, printer.RasterCodes} {
			onBench(t, columns, func(b *bench) {
				p := b.printer(printer.Opts{Columns: columns, CutAfter: true, Codes: codes})
				s := pictured(t, columns)
				if codes == printer.NativeCodes {
					b.prints(p, s)
					assert.Contains(t, s.Text(), "[QR code, 35 bytes]")
				} else {
					proof, err := p.Print(b.t.Context(), s)
					require.NoError(t, err)
					require.Equal(t, printer.Proven, proof)
					drawn, err := receipt.CodePicture("30010001/000001/000012/123456789012", columns)
					require.NoError(t, err)
					require.Len(t, b.sim.Slips(), 1)
					assert.Contains(t, b.sim.Slips()[0], strings.TrimSpace(receipt.Slip{Columns: columns, Lines: []receipt.Line{{Op: receipt.Image, Image: drawn}}}.Text()))
				}
				assert.Contains(t, b.sim.Slips()[0], "[image 200 x 64]", "its bands are one picture")
				assert.Empty(t, b.sim.Faults())
			})
		}
	}
}

func TestPicturesAreRefusedWhereNoneAreExpected(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		_, err := b.printer(cutting).Print(b.t.Context(), pictured(t, 32))
		require.ErrorContains(t, err, "allows none")
		drawing := b.printer(printer.Opts{Columns: 32, CutAfter: true, Codes: printer.NativeCodes})
		for _, l := range []receipt.Line{
			{Op: receipt.Image}, {Op: receipt.Image, Image: receipt.NewPicture(400, 10)}, {Op: receipt.Image, Image: receipt.NewPicture(10, 801)},
			{Op: receipt.Image, Image: &receipt.Picture{Width: 8, Height: 8}},
			{Op: receipt.Code}, {Op: receipt.Code, Text: strings.Repeat("x", 257)}, {Op: receipt.Code, Text: "\x1b"},
		} {
			_, err := drawing.Print(b.t.Context(), receipt.Slip{Columns: 32, Lines: []receipt.Line{l}})
			require.ErrorContains(t, err, "refused")
		}
		_, err = printer.New(b.line, &printer.Opts{Codes: "carved"})
		require.ErrorContains(t, err, "not known")
		assert.Empty(t, b.sim.Paper())
	})
}

// A picture that breaks off holds the printer in the middle of a command. Whatever comes at whichever byte: what is proven is
// whole, and the reprint comes out whole, on paper of its own or behind a piece that is marked.
func TestEveryFaultInAPicture(t *testing.T) {
	drawing := printer.Opts{Columns: 32, CutAfter: true, Codes: printer.NativeCodes}
	first, again := pictured(t, 32), aSlip(t, 32, "重打印")
	end := 0
	onBench(t, 32, func(b *bench) {
		p := b.printer(drawing)
		before := b.line.written
		b.prints(p, first)
		end = b.line.written - before
	})
	for _, c := range []struct{ command, mend string }{
		{"paper out", "paper ok"}, {"cover open", "cover closed"}, {"jam", "jam clear"}, {"broken on", "broken off"}, {"silent on", "silent off"}, {"mute on", "mute off"},
	} {
		for at := 1; at < end; at += 37 {
			onBench(t, 32, func(b *bench) {
				p := b.printer(drawing)
				b.line.trip(at, func() error { b.do(c.command); return nil })
				proof, err := p.Print(b.t.Context(), first)
				if proof == printer.Proven {
					require.NoError(t, err)
					require.Contains(t, b.sim.Paper(), first.Text(), "%s at byte %d", c.command, at)
				}
				b.do(c.mend)
				b.prints(p, again)
			})
		}
	}
}

// Whoever comes after a program that died inside a picture ends it before the first question.
func TestASuccessorEndsAPicture(t *testing.T) {
	drawing := printer.Opts{Columns: 32, CutAfter: true, Codes: printer.NativeCodes}
	for at := 20; at < 700; at += 11 {
		onBench(t, 32, func(b *bench) {
			p := b.printer(drawing)
			b.line.trip(at, func() error { return errors.New("the program died") })
			_, err := p.Print(b.t.Context(), pictured(t, 32))
			require.Error(t, err)
			b.prints(b.printer(drawing), aSlip(t, 32))
			assert.NotContains(t, strings.Join(b.sim.Faults(), " "), "DLE", "byte %d: no question was taken for dots", at)
		})
	}
}

func TestDithering(t *testing.T) {
	shade := func(grey uint8, alpha uint8) image.Image {
		m := image.NewNRGBA(image.Rect(0, 0, 64, 64))
		for i := range 64 * 64 {
			m.SetNRGBA(i%64, i/64, color.NRGBA{grey, grey, grey, alpha})
		}
		return m
	}
	ink := func(m image.Image, width int) float64 {
		p, err := receipt.Dither(m, width)
		require.NoError(t, err)
		black := 0
		for y := range p.Height {
			for x := range p.Width {
				if p.At(x, y) {
					black++
				}
			}
		}
		return float64(black) / float64(p.Width*p.Height)
	}
	for grey, want := range map[uint8]float64{0: 1, 64: 0.75, 128: 0.5, 192: 0.25, 255: 0} {
		for _, width := range []int{384, 40} {
			assert.InDelta(t, want, ink(shade(grey, 255), width), 0.03, "grey %d", grey)
		}
	}
	assert.Zero(t, ink(shade(0, 0), 64), "what is transparent is paper")
	for _, m := range []image.Image{image.NewGray(image.Rect(0, 0, 0, 5)), image.NewGray(image.Rect(0, 0, 5000, 5)), image.NewGray(image.Rect(0, 0, 10, 900))} {
		_, err := receipt.Dither(m, 384)
		require.ErrorContains(t, err, "receipt")
	}
	assert.True(t, bytes.Equal(aLogo(t).Dots, aLogo(t).Dots))
}
