package receipt

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Limits of a font file.
const (
	maxFontLine   = 4096
	maxGlyphSide  = 64
	maxFontGlyphs = 200_000
)

// ErrFont means that a file is no font of the kinds that are read here.
var ErrFont = errors.New("not a bitmap font: want BDF (ISO10646 or GB2312.1980), or GNU Unifont's .hex")

// Font draws slips. It is read from files, because the glyphs of Chinese would weigh more than everything else in the
// program, and holds only the characters it was asked for.
type Font struct {
	glyphs map[rune]*Picture
}

// Add reads the glyphs that are needed and that the font lacks. It understands BDF (Adobe, "Glyph Bitmap Distribution
// Format" 2.2) with Unicode or GB 2312 codes, and the .hex files of GNU Unifont.
func (f *Font) Add(file io.Reader, need map[rune]bool) error {
	if f.glyphs == nil {
		f.glyphs = map[rune]*Picture{}
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, maxFontLine), maxFontLine)
	if !lines.Scan() {
		return errors.Join(ErrFont, lines.Err())
	}
	r := fontReader{Font: f, lines: lines, need: need, line: 1}
	read := r.hex
	if strings.HasPrefix(lines.Text(), "STARTFONT") {
		read = r.bdf
	}
	if err := read(); err != nil {
		return err
	}
	return lines.Err()
}

// Lacks lists which characters of a text the font does not have.
func (f *Font) Lacks(need map[rune]bool) (missing []rune) {
	for r := range need {
		if f.glyphs[r] == nil {
			missing = append(missing, r)
		}
	}
	return missing
}

type fontReader struct {
	*Font
	lines *bufio.Scanner
	need  map[rune]bool
	read  int // glyphs
	line  int // the number of the present one
}

func (r *fontReader) scan() bool {
	r.line++
	return r.lines.Scan()
}

// wrong names a line by its number: a file named by mistake may be one whose text must not be shown.
func (r *fontReader) wrong(what string) error {
	return fmt.Errorf("%w: line %d%s", ErrFont, r.line, what)
}

func (r *fontReader) wanted(c rune) bool { return r.need[c] && r.glyphs[c] == nil }

func (r *fontReader) count() error {
	if r.read++; r.read > maxFontGlyphs {
		return fmt.Errorf("%w: it has more than %d glyphs", ErrFont, maxFontGlyphs)
	}
	return nil
}

// hex reads lines like 4E2D:0100… of 16 rows each, 8 or 16 dots wide.
func (r *fontReader) hex() error {
	for more := true; more; more = r.scan() {
		code, dots, found := strings.Cut(strings.TrimSpace(r.lines.Text()), ":")
		c, err := strconv.ParseUint(code, 16, 21)
		if !found || err != nil || len(dots) != 32 && len(dots) != 64 {
			return r.wrong("")
		}
		if err := r.count(); err != nil {
			return err
		}
		if !r.wanted(rune(c)) {
			continue
		}
		p := NewPicture(len(dots)/4, 16)
		if _, err := hex.Decode(p.Dots, []byte(dots)); err != nil {
			return r.wrong(", the dots of a glyph")
		}
		r.glyphs[rune(c)] = p
	}
	return nil
}

// box is a rectangle above and to the right of a point on the baseline.
type box struct{ width, height, x, y int }

func boxOf(words []string) (b box, ok bool) {
	if len(words) != 5 {
		return b, false
	}
	for i, n := range []*int{&b.width, &b.height, &b.x, &b.y} {
		v, err := strconv.Atoi(words[i+1])
		if err != nil || v < -maxGlyphSide || v > maxGlyphSide {
			return b, false
		}
		*n = v
	}
	return b, b.width >= 0 && b.height >= 0
}

func (r *fontReader) bdf() error {
	var cell, glyph box
	var code, advance int
	registry, ok := "ISO10646", true
	for r.scan() {
		words := strings.Fields(r.lines.Text())
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "FONTBOUNDINGBOX":
			cell, ok = boxOf(words)
			ok = ok && cell.width > 0 && cell.height > 0
		case "CHARSET_REGISTRY":
			if len(words) > 1 {
				registry = strings.ToUpper(strings.Trim(words[1], `"`))
			}
		case "ENCODING":
			code, ok = number(words, 1, 0x10FFFF)
		case "DWIDTH":
			advance, ok = number(words, 1, maxGlyphSide)
		case "BBX":
			glyph, ok = boxOf(words)
		case "BITMAP":
			if err := r.count(); err != nil {
				return err
			}
			if err := r.bitmap(character(registry, code), cell, glyph, advance); err != nil {
				return err
			}
		}
		if !ok {
			return r.wrong("")
		}
	}
	return nil
}

// number reads a whole number; -1, which BDF gives to characters without a code, is 0.
func number(words []string, at, most int) (int, bool) {
	if len(words) <= at {
		return 0, false
	}
	n, err := strconv.Atoi(words[at])
	return max(n, 0), err == nil && n >= -1 && n <= most
}

// character translates a code of the font's registry.
func character(registry string, code int) rune {
	if !strings.HasPrefix(registry, "GB2312") {
		return rune(code)
	}
	s, err := simplifiedchinese.GBK.NewDecoder().Bytes([]byte{byte(code>>8) | 0x80, byte(code) | 0x80})
	if decoded := []rune(string(s)); err == nil && len(decoded) == 1 {
		return decoded[0]
	}
	return 0
}

// bitmap reads the rows of one glyph and places them in the font's cell.
func (r *fontReader) bitmap(c rune, cell, glyph box, advance int) error {
	wanted := r.wanted(c)
	var p *Picture
	if wanted {
		p = NewPicture(max(advance, 1), max(cell.height, 1))
	}
	for y := range glyph.height {
		if !r.scan() {
			return fmt.Errorf("%w: it ends inside a glyph", ErrFont)
		}
		row, err := hex.DecodeString(strings.TrimSpace(r.lines.Text()))
		if err != nil || len(row)*8 < glyph.width {
			return r.wrong(", a row of a glyph")
		}
		for x := 0; wanted && x < glyph.width; x++ {
			if row[x/8]&(0x80>>(x%8)) != 0 {
				p.Ink(x+glyph.x, cell.height+cell.y-glyph.height-glyph.y+y)
			}
		}
	}
	if wanted {
		r.glyphs[c] = p
	}
	return nil
}
