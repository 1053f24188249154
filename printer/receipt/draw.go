package receipt

import (
	"image"
	"image/color"
)

// Measures of a drawn slip, in dots of the head: characters are 12 x 24 as in font A of the printers, with their usual
// distance of lines.
const (
	glyphDots  = 24
	lineDots   = 30
	marginDots = 24
)

// Characters are all that a slip's text needs of a font.
func (s Slip) Characters() map[rune]bool {
	need := map[rune]bool{}
	for _, l := range s.Lines {
		switch l.Op {
		case Text:
			for _, r := range l.Text {
				need[r] = r != ' '
			}
		case Rule:
			need['-'] = true
		}
	}
	delete(need, ' ')
	return need
}

// Draw draws a slip dot by dot as a printer with such a head would put it on paper, between white margins. A character that
// the font lacks is an empty box. The font's glyphs are fitted to 12 x 24 dots a character, so a font of that size looks
// best.
func Draw(s Slip, f *Font) (*image.Paletted, error) {
	height := 2 * marginDots
	pictures := make([]*Picture, len(s.Lines))
	for i, l := range s.Lines {
		switch l.Op {
		case Image:
			if err := l.Image.Check(s.Columns); err != nil {
				return nil, err
			}
			pictures[i] = l.Image
		case Code:
			drawn, err := CodePicture(l.Text, s.Columns)
			if err != nil {
				return nil, err
			}
			pictures[i] = drawn
		}
		height += l.tall(pictures[i])
	}
	width := s.Columns * DotsPerColumn
	paper := image.NewPaletted(image.Rect(0, 0, width+2*marginDots, height), color.Palette{color.White, color.Black})
	y := marginDots
	for i, l := range s.Lines {
		switch {
		case pictures[i] != nil:
			burn(paper, marginDots+indent(l.Align, width-pictures[i].Width), y, pictures[i], pictures[i].Width, pictures[i].Height, false)
		case l.Op == Text:
			f.write(paper, marginDots+indent(l.Align, width-l.Columns()*DotsPerColumn), y, l)
		case l.Op == Rule:
			f.write(paper, marginDots, y, Line{Text: RuleText(s.Columns)})
		}
		y += l.tall(pictures[i])
	}
	return paper, nil
}

func indent(a Align, spare int) int { return max(spare, 0) * int(a) / 2 }

// tall is how much paper a line takes.
func (l Line) tall(p *Picture) int {
	switch {
	case p != nil:
		return p.Height
	case l.Op == Feed:
		return l.Feed * lineDots
	case l.Op == Cut:
		return 0
	case l.Op == Text && l.Size != Normal:
		return lineDots + glyphDots
	}
	return lineDots
}

// write draws one line of text.
func (f *Font) write(paper *image.Paletted, x, y int, l Line) {
	wide, high := 1, 1
	if l.Size == Big {
		wide = 2
	}
	if l.Size != Normal {
		high = 2
	}
	for _, r := range l.Text {
		w, h := widthOf(r)*DotsPerColumn*wide, glyphDots*high
		if g := f.glyphs[r]; g != nil {
			burn(paper, x, y, g, w, h, l.Bold)
		} else if r != ' ' {
			emptyBox(paper, image.Rect(x+2, y+2, x+w-2, y+h-2))
		}
		x += w
	}
}

// burn fits a picture into a rectangle of dots; an emphasised one is struck twice, one dot apart.
func burn(paper *image.Paletted, left, top int, p *Picture, w, h int, bold bool) {
	for y := range h {
		for x := range w {
			sy := y * p.Height / h
			if p.At(x*p.Width/w, sy) || bold && x > 0 && p.At((x-1)*p.Width/w, sy) {
				paper.SetColorIndex(left+x, top+y, 1)
			}
		}
	}
}

func emptyBox(paper *image.Paletted, r image.Rectangle) {
	for x := r.Min.X; x < r.Max.X; x++ {
		paper.SetColorIndex(x, r.Min.Y, 1)
		paper.SetColorIndex(x, r.Max.Y-1, 1)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		paper.SetColorIndex(r.Min.X, y, 1)
		paper.SetColorIndex(r.Max.X-1, y, 1)
	}
}
