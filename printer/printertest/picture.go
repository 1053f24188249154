package printertest

import (
	"image"
	"image/color"

	"github.com/hajimehoshi/bitmapfont/v3"
	"golang.org/x/image/math/fixed"
)

// Measures of the picture, in dots of a 203 dpi head (8 a millimetre).
const (
	columnDots  = 12 // width of a normal character: 32 columns are 384 dots, 48 are 576
	glyphDots   = 26 // its height
	gapDots     = 6  // between lines
	dotsPerLine = glyphDots + gapDots
	sideDots    = 38 // paper beside the printed area
	endDots     = 46 // paper above the first and below the last line
	tableDots   = 24 // what lies around the paper
	toothDots   = 8  // of the cutter
)

const (
	tableGray  = 0xBE
	shadowGray = 0x9A
	paperGray  = 0xF7
	inkGray    = 0x22
)

// draw makes the picture of a slip. A torn one ends in a slant instead of the cutter's teeth.
func draw(lines []line, columns int, torn bool) image.Image {
	height := 2 * endDots
	for _, l := range lines {
		height += l.tall()
	}
	width := columns*columnDots + 2*sideDots
	canvas := image.NewGray(image.Rect(0, 0, width+2*tableDots, height+2*tableDots))
	for i := range canvas.Pix {
		canvas.Pix[i] = tableGray
	}
	sheet := image.Rect(0, 0, width, height).Add(image.Pt(tableDots, tableDots))
	lay(canvas, sheet.Add(image.Pt(5, 6)), torn, func(int, int) uint8 { return shadowGray })
	lay(canvas, sheet, torn, grain)

	y := sheet.Min.Y + endDots
	for _, l := range lines {
		x := sheet.Min.X + sideDots + l.indent*columnDots
		if l.dots.height > 0 {
			l.dots.burn(canvas, sheet.Min.X+sideDots+l.dots.indent(l.align, columns), y)
			y += l.dots.height
			continue
		}
		for _, c := range l.cells {
			base := y + (l.height-int(c.size.h))*glyphDots // all stand on one line
			stamp(canvas, x, base, c)
			x += c.width() * columnDots
		}
		y += l.height*glyphDots + gapDots
	}
	return canvas
}

// tall is how much paper a line takes, in dots.
func (l line) tall() int {
	if l.dots.height > 0 {
		return l.dots.height
	}
	return l.height*glyphDots + gapDots
}

// lay puts a sheet of paper on the table: teeth above and below where the cutter went, a slant where it broke off.
func lay(canvas *image.Gray, sheet image.Rectangle, torn bool, shade func(x, y int) uint8) {
	for x := sheet.Min.X; x < sheet.Max.X; x++ {
		tooth := (x - sheet.Min.X) % (2 * toothDots)
		if tooth > toothDots {
			tooth = 2*toothDots - tooth
		}
		bottom := sheet.Max.Y - tooth
		if torn {
			bottom = sheet.Max.Y - (x-sheet.Min.X)*endDots/2/sheet.Dx() - tooth/3
		}
		for y := sheet.Min.Y + tooth; y < bottom; y++ {
			canvas.SetGray(x, y, color.Gray{Y: shade(x, y)})
		}
	}
}

// grain is the paper's own shade: not quite even, and the same every time. It runs along the roll, which also lets PNG
// pack it into nothing.
func grain(x, _ int) uint8 {
	n := uint32(x) * 2654435761
	return paperGray + uint8(n>>16%4) - 2
}

// stamp burns one character into the paper with its upper left corner at x, y.
func stamp(canvas *image.Gray, x, y int, c cell) {
	g := glyphOf(c.r, int(c.columns)).smoothed()
	if c.bold {
		g = g.thickened()
	}
	w, h := int(c.size.w), int(c.size.h)
	if w == h && w%2 == 0 {
		g = g.smoothed().enlarged(w/2, h/2)
	} else {
		g = g.enlarged(w, h)
	}
	for j := range g.h {
		for i := range g.w {
			if g.at(i, j) {
				// A head's dots are not all equally hot.
				canvas.SetGray(x+i, y+j, color.Gray{Y: inkGray + uint8((x+i)*7%11)})
			}
		}
	}
}

// glyph is a character as dots.
type glyph struct {
	w, h int
	dots []bool
}

func newGlyph(w, h int) glyph { return glyph{w, h, make([]bool, w*h)} }

func (g glyph) at(x, y int) bool {
	return x >= 0 && y >= 0 && x < g.w && y < g.h && g.dots[y*g.w+x]
}

func (g glyph) set(x, y int) {
	if x >= 0 && y >= 0 && x < g.w && y < g.h {
		g.dots[y*g.w+x] = true
	}
}

// glyphOf takes a character from the font, 6 or 12 dots wide and 13 high; one that the font lacks is an empty box.
func glyphOf(r rune, columns int) glyph {
	const high, baseline = 13, 10
	g := newGlyph(6*columns, high)
	box, mask, at, _, ok := bitmapfont.FaceSCEA.Glyph(fixed.P(0, baseline), r)
	if !ok {
		for i := 1; i < g.w-1; i++ {
			g.set(i, 1)
			g.set(i, high-2)
		}
		for j := 1; j < high-1; j++ {
			g.set(1, j)
			g.set(g.w-2, j)
		}
		return g
	}
	for j := range box.Dy() {
		for i := range box.Dx() {
			if _, _, _, a := mask.At(at.X+i, at.Y+j).RGBA(); a > 0x7FFF {
				g.set(box.Min.X+i, box.Min.Y+j)
			}
		}
	}
	return g
}

// smoothed doubles a glyph and rounds its steps off (the EPX rule: a corner takes the colour of two equal neighbours).
func (g glyph) smoothed() glyph {
	out := newGlyph(2*g.w, 2*g.h)
	for y := range g.h {
		for x := range g.w {
			up, down, left, right := g.at(x, y-1), g.at(x, y+1), g.at(x-1, y), g.at(x+1, y)
			corner := func(a, b bool, dx, dy int) {
				dot := g.at(x, y)
				if a == b && up != down && left != right {
					dot = a
				}
				if dot {
					out.set(2*x+dx, 2*y+dy)
				}
			}
			corner(up, left, 0, 0)
			corner(up, right, 1, 0)
			corner(down, left, 0, 1)
			corner(down, right, 1, 1)
		}
	}
	return out
}

// thickened is emphasised print: the character once more, one dot to the right.
func (g glyph) thickened() glyph {
	out := newGlyph(g.w, g.h)
	for y := range g.h {
		for x := range g.w {
			if g.at(x, y) || g.at(x-1, y) {
				out.set(x, y)
			}
		}
	}
	return out
}

func (g glyph) enlarged(w, h int) glyph {
	if w == 1 && h == 1 {
		return g
	}
	out := newGlyph(g.w*w, g.h*h)
	for y := range out.h {
		for x := range out.w {
			if g.at(x/w, y/h) {
				out.set(x, y)
			}
		}
	}
	return out
}
