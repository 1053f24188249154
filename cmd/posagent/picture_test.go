package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAnyReaderOfPNGSeesWhatWasDrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		paper := image.NewPaletted(image.Rect(0, 0, rapid.IntRange(1, 700).Draw(t, "width"), rapid.IntRange(1, 60).Draw(t, "height")),
			color.Palette{color.White, color.Black})
		for range rapid.IntRange(0, 40).Draw(t, "strokes") {
			at := rapid.IntRange(0, len(paper.Pix)-1).Draw(t, "at")
			for i := range min(rapid.IntRange(1, 900).Draw(t, "dots"), len(paper.Pix)-at) {
				paper.Pix[at+i] = 1
			}
		}
		seen, err := png.Decode(bytes.NewReader(pngOf(paper)))
		require.NoError(t, err)
		require.Equal(t, paper.Bounds(), seen.Bounds())
		require.Equal(t, color.RGBA{0xff, 0xff, 0xff, 0xff}, seen.ColorModel().(color.Palette)[0])
		require.Equal(t, color.RGBA{A: 0xff}, seen.ColorModel().(color.Palette)[1])
		for i, dot := range paper.Pix {
			x, y := i%paper.Stride, i/paper.Stride
			if seen.(*image.Paletted).Pix[i] != dot {
				t.Fatalf("dot %d,%d is %v, want %v", x, y, seen.At(x, y), paper.At(x, y))
			}
		}
	})
}

func TestWhitePaperTakesLittleRoom(t *testing.T) {
	paper := image.NewPaletted(image.Rect(0, 0, 624, 2000), color.Palette{color.White, color.Black})
	assert.Less(t, len(pngOf(paper)), 2500)
}
