package printer

import (
	"fmt"
	"slices"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"

	"posagent/printer/receipt"
)

// check refuses a slip that would not come out as it was laid out.
func check(s receipt.Slip, columns int) error {
	if s.Columns != columns {
		return fmt.Errorf("printer: slip refused: laid out for %d columns, the printer has %d", s.Columns, columns)
	}
	if len(s.Lines) > maxSlipLines {
		return fmt.Errorf("printer: slip refused: %d lines, at most %d", len(s.Lines), maxSlipLines)
	}
	var rom receipt.ROM
	for i, l := range s.Lines {
		switch {
		case l.Op > receipt.Code || l.Size > receipt.Big || l.Align > receipt.Right:
			return fmt.Errorf("printer: slip refused: line %d is of a kind this driver does not know", i+1)
		case l.Op == receipt.Text && l.Columns() > columns:
			return fmt.Errorf("printer: slip refused: line %d takes %d columns of %d: wrap it first", i+1, l.Columns(), columns)
		case l.Op == receipt.Text && rom.Printable(l.Text) != l.Text:
			return fmt.Errorf("printer: slip refused: line %d holds characters without a GBK code: pass it through receipt.Printable", i+1)
		case l.Op == receipt.Image && l.Image.Check(columns) != nil:
			return fmt.Errorf("printer: slip refused: line %d: %w", i+1, l.Image.Check(columns))
		case l.Op == receipt.Code && receipt.CheckCode(l.Text) != nil:
			return fmt.Errorf("printer: slip refused: line %d: %w", i+1, receipt.CheckCode(l.Text))
		case l.Op == receipt.Feed && (l.Feed < 1 || l.Feed > receipt.MaxFeed):
			return fmt.Errorf("printer: slip refused: line %d feeds %d lines, at most %d", i+1, l.Feed, receipt.MaxFeed)
		}
	}
	return nil
}

// encoder turns checked lines into the printer's bytes. It sends a mode only when it changes.
//
// What it makes holds no real-time command. In text the byte DLE (10h) never appears: it is ASCII from 20h up and GBK
// pairs of which the first byte is 81h or more and the second 40h or more; codes are text, too. Pictures and the lengths
// of commands may hold it; see band for the one, and the others are followed by bytes that make no command of it.
type encoder struct {
	out     []byte
	line    []byte // of text, on its way to gbk
	tongue  tongue
	columns int
	cut     bool
	codes   CodeMode
	gbk     *encoding.Encoder
	modes   modes
}

// modes are the printer's, as this encoder left them.
type modes struct {
	known bool
	align receipt.Align
	size  receipt.Size
	bold  bool
}

// tongue is a family's way to say the same things.
type tongue interface {
	begin(b []byte) []byte
	justify(b []byte, n byte) []byte
	embolden(b []byte, on bool) []byte
	size(b []byte, s receipt.Size) []byte
	chinese(b []byte, on bool) []byte
	feed(b []byte, n byte) []byte
	cut(b []byte) []byte
	code(b []byte, text string) []byte
}

// newEncoder writes into room for a slip, of which nothing is kept.
func newEncoder(o Opts, room []byte) *encoder {
	e := &encoder{out: slices.Grow(room[:0], 2048), tongue: escpos{}, columns: o.Columns, cut: o.CutAfter, codes: o.Codes, gbk: simplifiedchinese.GBK.NewEncoder()}
	if o.Proof == ETBCounter {
		e.tongue = starLine{}
	}
	return e
}

// begin starts a slip on a printer in unknown modes.
func (e *encoder) begin() {
	e.out = e.tongue.begin(e.out)
	e.modes = modes{}
}

// void ends a slip that broke off: the line under way is printed, and what is on the paper is called void and cut off.
func (e *encoder) void() error {
	e.out = append(e.out, lf)
	e.out = e.tongue.chinese(e.out, false)
	e.modes = modes{}
	return e.lines(receipt.Interrupted(e.columns).Lines)
}

// slip encodes lines and, behind the last thing printed and before the paper moves to the cutter, the question for
// proof. In that place it is tied to the printing, not to the cut.
func (e *encoder) slip(lines []receipt.Line, proof []byte) error {
	last := len(lines)
	for last > 0 && (lines[last-1].Op == receipt.Cut || lines[last-1].Op == receipt.Feed) {
		last--
	}
	if err := e.lines(lines[:last]); err != nil {
		return err
	}
	e.out = append(e.out, proof...)
	return e.lines(lines[last:])
}

func (e *encoder) lines(lines []receipt.Line) error {
	for i, l := range lines {
		switch l.Op {
		case receipt.Text:
			e.style(l)
			if err := e.text(l.Text); err != nil {
				return fmt.Errorf("printer: line %d: %w", i+1, err)
			}
		case receipt.Rule:
			e.style(receipt.Line{})
			if err := e.text(receipt.RuleText(e.columns)); err != nil {
				return err
			}
		case receipt.Image:
			e.place(l.Align)
			e.picture(l.Image)
		case receipt.Code:
			e.place(l.Align)
			if err := e.code(l.Text); err != nil {
				return fmt.Errorf("printer: line %d: %w", i+1, err)
			}
		case receipt.Feed:
			e.out = e.tongue.feed(e.out, byte(l.Feed))
		case receipt.Cut:
			if e.cut {
				e.out = e.tongue.cut(e.out)
			} else {
				e.out = e.tongue.feed(e.out, tearOffLines)
			}
		}
	}
	return nil
}

// place aligns something that is no text, and leaves the other modes alone.
func (e *encoder) place(align receipt.Align) {
	if e.modes.known && e.modes.align == align {
		return
	}
	e.out = e.tongue.justify(e.out, byte(align))
	e.modes.align = align
}

func (e *encoder) style(l receipt.Line) {
	if !e.modes.known || e.modes.align != l.Align {
		e.out = e.tongue.justify(e.out, byte(l.Align))
	}
	if !e.modes.known || e.modes.bold != l.Bold {
		e.out = e.tongue.embolden(e.out, l.Bold)
	}
	if !e.modes.known || e.modes.size != l.Size {
		e.out = e.tongue.size(e.out, l.Size)
	}
	e.modes = modes{true, l.Align, l.Size, l.Bold}
}

// text adds one line of text, in two-byte mode when it holds anything but ASCII.
func (e *encoder) text(s string) error {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x80 {
			continue
		}
		e.line = append(e.line[:0], s...)
		out := slices.Grow(e.tongue.chinese(e.out, true), len(s)) // no character is longer in GBK than in UTF-8
		e.gbk.Reset()
		n, _, err := e.gbk.Transform(out[len(out):cap(out)], e.line, true)
		if err != nil {
			return err
		}
		e.out = e.tongue.chinese(out[:len(out)+n], false)
		e.out = append(e.out, lf)
		return nil
	}
	e.out = append(e.out, s...)
	e.out = append(e.out, lf)
	return nil
}
