package receipt_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hajimehoshi/bitmapfont/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/simplifiedchinese"

	"posagent/printer/receipt"
	"posagent/txnstore/txn"
)

// aBDF writes a font file with the glyphs of a free bitmap font, 6 or 12 by 13 dots, with Unicode or GB 2312 codes.
func aBDF(registry string, characters map[rune]bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "STARTFONT 2.1\nFONTBOUNDINGBOX 12 13 0 -3\nSTARTPROPERTIES 1\nCHARSET_REGISTRY \"%s\"\nENDPROPERTIES\nCHARS %d\n", registry, len(characters))
	for r := range characters {
		code := int(r)
		if registry == "GB2312.1980" {
			gb, err := simplifiedchinese.GBK.NewEncoder().String(string(r))
			if err != nil || len(gb) != 2 {
				continue
			}
			code = int(gb[0]&0x7F)<<8 | int(gb[1]&0x7F)
		}
		width := 6 * receipt.Width(string(r))
		fmt.Fprintf(&b, "STARTCHAR u%04X\nENCODING %d\nSWIDTH 500 0\nDWIDTH %d 0\nBBX %d 13 0 -3\nBITMAP\n", r, code, width, width)
		box, mask, at, _, ok := bitmapfont.FaceSCEA.Glyph(fixed.P(0, 10), r)
		for y := range 13 {
			row := 0
			for x := range width {
				if _, _, _, a := mask.At(at.X+x-box.Min.X, at.Y+y-box.Min.Y).RGBA(); ok && a > 0x7FFF {
					row |= 0x8000 >> x
				}
			}
			fmt.Fprintf(&b, "%04X\n", row)
		}
		b.WriteString("ENDCHAR\n")
	}
	b.WriteString("ENDFONT\n")
	return b.String()
}

func TestASlipIsDrawnWithAFontFromFiles(t *testing.T) {
	l := small
	l.Logo, l.Code = receipt.NewPicture(200, 40), true
	l.Logo.Ink(0, 0)
	slip, err := receipt.Render(aSale(t), txn.CustomerCopy, l, true)
	require.NoError(t, err)
	need := slip.Characters()

	var whole receipt.Font
	require.NoError(t, whole.Add(strings.NewReader(aBDF("ISO10646", need)), need))
	assert.Empty(t, whole.Lacks(need))
	drawn, err := receipt.Draw(slip, &whole)
	require.NoError(t, err)
	assert.Equal(t, 32*12+48, drawn.Bounds().Dx())

	var two receipt.Font // Latin letters from one file, Chinese from another, as X11 has them
	latin := map[rune]bool{}
	for r := range need {
		latin[r] = r < 0x80
	}
	require.NoError(t, two.Add(strings.NewReader(aBDF("GB2312.1980", need)), need))
	assert.NotEmpty(t, two.Lacks(need))
	require.NoError(t, two.Add(strings.NewReader(aBDF("ISO8859", latin)), need))
	assert.Empty(t, two.Lacks(need))
	again, err := receipt.Draw(slip, &two)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(drawn.Pix, again.Pix), "the same glyphs make the same slip")

	boxes, err := receipt.Draw(slip, &receipt.Font{})
	require.NoError(t, err)
	assert.Equal(t, drawn.Bounds(), boxes.Bounds(), "what the font lacks keeps its place")
	assert.False(t, bytes.Equal(drawn.Pix, boxes.Pix))
}

func TestTheDotsOfACharacter(t *testing.T) {
	var f receipt.Font
	need := map[rune]bool{'A': true, '中': true}
	hex := "0041:0000000018242442427E424242420000\n4E2D:01000100010001003FF8210821082108210821083FF82108010001000100" + "0100\nFFFF:0\n"
	require.ErrorIs(t, f.Add(strings.NewReader(hex), need), receipt.ErrFont)
	require.Empty(t, f.Lacks(need), "what stands before the fault was read")
	drawn, err := receipt.Draw(receipt.Slip{Columns: 24, Lines: []receipt.Line{{Text: "A中"}}}, &f)
	require.NoError(t, err)
	ink := func(x, y int) bool { return drawn.ColorIndexAt(24+x, 24+y) == 1 }
	assert.True(t, ink(5, 6), "the A's top: dots 3 and 4 of 8 in row 4 of 16")
	assert.False(t, ink(1, 6))
	assert.True(t, ink(12+11, 0), "the stroke through the middle of 中")
}

func TestFilesThatAreNoFonts(t *testing.T) {
	need := map[rune]bool{'A': true}
	for name, file := range map[string]string{
		"empty": "", "text": "hello\n", "a box of words": "STARTFONT 2.1\nFONTBOUNDINGBOX a b c d\n", "a huge box": "STARTFONT 2.1\nFONTBOUNDINGBOX 9999 9 0 0\n",
		"cut off": "STARTFONT 2.1\nFONTBOUNDINGBOX 8 16 0 0\nENCODING 65\nDWIDTH 8 0\nBBX 8 16 0 0\nBITMAP\n00\n", "short rows": "STARTFONT 2.1\nFONTBOUNDINGBOX 8 1 0 0\nENCODING 65\nBBX 8 1 0 0\nBITMAP\n0\n",
	} {
		var f receipt.Font
		require.ErrorIs(t, f.Add(strings.NewReader(file), need), receipt.ErrFont, name)
	}
}

func FuzzFont(f *testing.F) {
	f.Add([]byte(aBDF("ISO10646", map[rune]bool{'A': true, '中': true})))
	f.Add([]byte(aBDF("GB2312.1980", map[rune]bool{'中': true})))
	f.Add([]byte("0041:0000000018242442427E424242420000\n"))
	f.Add([]byte("STARTFONT 2.1\nENCODING 65\nBBX 8 16 -64 64\nBITMAP\n00\n"))
	slip := receipt.Slip{Columns: 24, Lines: []receipt.Line{{Text: "A中", Size: receipt.Big, Bold: true}}}
	f.Fuzz(func(t *testing.T, file []byte) {
		var font receipt.Font
		if err := font.Add(bytes.NewReader(file), slip.Characters()); err != nil && !errors.Is(err, receipt.ErrFont) {
			require.ErrorContains(t, err, "token too long")
		}
		drawn, err := receipt.Draw(slip, &font)
		require.NoError(t, err)
		require.Equal(t, 24*12+48, drawn.Bounds().Dx())
	})
}
