package receipt

import (
	"fmt"
	"strings"
)

// Op says what a line does.
type Op uint8

const (
	Text  Op = iota // prints Line.Text
	Rule            // prints a rule across the paper
	Feed            // feeds Line.Feed empty lines
	Cut             // ends the slip: cut it, or feed it to the tear bar
	Image           // prints Line.Image
	Code            // prints Line.Text as a QR code
)

// Align places a text on its line.
type Align uint8

const (
	Left Align = iota
	Centre
	Right
)

// Size is the size of a text's characters.
type Size uint8

const (
	Normal Size = iota
	Tall        // double height
	Big         // double height and double width
)

// MaxFeed is the most empty lines that one Feed may ask for. It is less than sixteen on purpose: see the encoder in
// package printer, whose data never holds the byte 10h.
const MaxFeed = 9

// Line is one line of a slip.
type Line struct {
	Op    Op
	Text  string // printable as Printable leaves it, and no wider than the slip
	Align Align
	Size  Size
	Bold  bool
	Feed  int // 1 to MaxFeed
	Image *Picture
}

// Columns is how many columns of the paper the text takes.
func (l Line) Columns() int {
	if l.Size == Big {
		return 2 * Width(l.Text)
	}
	return Width(l.words())
}

// words are the line as plain text: where a picture or a code is, what is there.
func (l Line) words() string {
	switch {
	case l.Op == Image && l.Image != nil:
		return fmt.Sprintf("[image %d x %d]", 8*l.Image.Stride(), l.Image.Height)
	case l.Op == Code:
		return fmt.Sprintf("[QR code, %d bytes]", len(l.Text))
	}
	return l.Text
}

// Slip is one paper slip.
type Slip struct {
	Columns int // width of the paper in normal ASCII characters
	Lines   []Line
}

// Text is the slip as plain text, placed as on the paper: what a journal keeps, and what a simulated printer must
// reproduce. Every line ends with a newline and none with a space.
func (s Slip) Text() string {
	var b strings.Builder
	for _, l := range s.Lines {
		switch l.Op {
		case Text, Image, Code:
			indent := 0
			switch l.Align {
			case Centre:
				indent = (s.Columns - l.Columns()) / 2
			case Right:
				indent = s.Columns - l.Columns()
			}
			b.WriteString(strings.TrimRight(strings.Repeat(" ", max(indent, 0))+l.words(), " "))
			b.WriteByte('\n')
		case Rule:
			b.WriteString(RuleText(s.Columns))
			b.WriteByte('\n')
		case Feed:
			b.WriteString(strings.Repeat("\n", l.Feed))
		case Cut:
		}
	}
	return b.String()
}

// RuleText is the rule as characters, for printers and for plain text.
func RuleText(columns int) string { return strings.Repeat("-", columns) }
