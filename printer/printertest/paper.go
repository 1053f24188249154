package printertest

import (
	"image"
	"unicode/utf8"
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
}

// appendWords appends the line as text, without spaces at its end.
func (l *line) appendWords(b []byte) []byte {
	from := len(b)
	for range l.indent {
		b = append(b, ' ')
	}
	for i := range l.cells {
		b = utf8.AppendRune(b, l.cells[i].r)
	}
	for len(b) > from && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// paper is the roll.
type paper struct {
	columns  int
	slips    []slip // oldest first, at most slipsMost
	uncut    []line // since the last of them
	text     []byte // of those lines
	nextDots bitmap
	files    *files // nil keeps the paper in memory
}

// slip is a piece of paper that has come off the roll.
type slip struct {
	text string // tornMark is part of it
	mark string // below it on the roll
}

// appendText appends all of the roll as text.
func (p *paper) appendText(b []byte) []byte {
	for _, s := range p.slips {
		b = append(b, s.text...)
		if s.mark != tornMark {
			b = append(append(b, s.mark...), '\n')
		}
	}
	return append(b, p.text...)
}

// add prints a line. It is on the roll, and in paper.txt, before add returns. Its cells are kept only to be drawn.
func (p *paper) add(l line, fault func(string, ...any)) (kept bool) {
	l.blank = len(l.cells) == 0
	l.dots, p.nextDots = p.nextDots, bitmap{}
	from := len(p.text)
	p.text = append(l.appendWords(p.text), '\n')
	if kept = p.files != nil; kept {
		p.file(string(p.text[from:]), fault)
	} else {
		l.cells = nil
	}
	p.uncut = append(p.uncut, l)
	if len(p.uncut) >= uncutMost {
		fault("%d lines without a cut", len(p.uncut))
		p.end(tearMark, fault)
	}
	return kept
}

// file adds to paper.txt.
func (p *paper) file(text string, fault func(string, ...any)) {
	if err := p.files.append(text); err != nil {
		fault("paper: %v", err)
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
	if p.uncut = nil; p.files == nil { // nobody will draw them
		p.uncut = lines[:0]
	}
	if mark == tornMark {
		p.text = append(p.text, tornMark+"\n"...)
	}
	s := slip{string(p.text), mark}
	p.text = p.text[:0]
	if p.slips = append(p.slips, s); len(p.slips) > slipsMost {
		p.slips = p.slips[1:]
	}
	if p.files != nil {
		p.file(mark+"\n", fault)
		p.files.slip(s.text, func() image.Image { return draw(lines, p.columns, mark == tornMark) })
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
