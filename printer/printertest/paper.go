package printertest

import (
	"image"
	"strings"
)

// Marks between slips on the roll.
const (
	cutMark  = "-- cut --"
	tearMark = "-- tear --" // fed to the tear bar and, so we assume, torn off by hand
	tornMark = "-- torn --" // broken off: the printer was initialised in the middle of a slip
)

// tearOff is how many empty lines at its end show that a slip was fed out to be torn off.
const tearOff = 3

// line is one printed line.
type line struct {
	cells  []cell // nil where nobody will draw them
	blank  bool
	indent int // columns
	align  byte
	height int    // times the normal height
	dots   bitmap // a picture, which this line as text describes
	text   string
}

func (l line) words() string {
	var b strings.Builder
	b.Grow(l.indent + 3*len(l.cells))
	b.WriteString(strings.Repeat(" ", l.indent))
	for _, c := range l.cells {
		b.WriteRune(c.r)
	}
	return strings.TrimRight(b.String(), " ")
}

// paper is the roll.
type paper struct {
	columns  int
	roll     []byte // all of it as text, or the newest part
	uncut    []line
	slips    []string
	nextDots bitmap
	files    *files // nil keeps the paper in memory
}

// add prints a line. It is on the roll, and in paper.txt, before add returns. Its cells are kept only to be drawn.
func (p *paper) add(l line, fault func(string, ...any)) (kept bool) {
	l.blank = len(l.cells) == 0
	l.dots, p.nextDots = p.nextDots, bitmap{}
	l.text = l.words()
	if kept = p.files != nil; !kept {
		l.cells = nil
	}
	p.uncut = append(p.uncut, l)
	p.write(l.text+"\n", fault)
	if len(p.uncut) >= uncutMost {
		fault("%d lines without a cut", len(p.uncut))
		p.end(tearMark, fault)
	}
	return kept
}

func (p *paper) write(text string, fault func(string, ...any)) {
	p.roll = append(p.roll, text...)
	if len(p.roll) > paperMost {
		p.roll = append(p.roll[:0], p.roll[len(p.roll)-paperMost/2:]...)
	}
	if p.files != nil {
		if err := p.files.append(text); err != nil {
			fault("paper: %v", err)
		}
	}
}

// breakOff is called when the printer is initialised. Printed lines without a cut below them are either a slip that was
// fed out to be torn off, or one whose host went away: on real paper the next slip would follow on the same piece.
// Here it becomes a slip of its own, marked.
func (p *paper) breakOff(fault func(string, ...any)) {
	if len(p.uncut) == 0 {
		return
	}
	for i := 1; i <= tearOff; i++ {
		if i > len(p.uncut) || !p.uncut[len(p.uncut)-i].blank {
			p.end(tornMark, fault)
			return
		}
	}
	p.end(tearMark, fault)
}

// end makes a slip of everything since the last one.
func (p *paper) end(mark string, fault func(string, ...any)) {
	if len(p.uncut) == 0 {
		return
	}
	lines := p.uncut
	p.uncut = nil
	p.write(mark+"\n", fault)
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	if mark == tornMark {
		b.WriteString(tornMark + "\n")
	}
	if p.slips = append(p.slips, b.String()); len(p.slips) > slipsMost {
		p.slips = p.slips[1:]
	}
	if p.files != nil {
		p.files.slip(b.String(), func() image.Image { return draw(lines, p.columns, mark == tornMark) })
	}
}

// keepIn puts the paper into a directory, which is made if it is missing.
func (p *paper) keepIn(dir string, report func(error)) error {
	f, err := openFiles(dir, report)
	if err != nil {
		return err
	}
	p.files = f
	return nil
}
