package receipt

import (
	"fmt"
	"strings"
	"time"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Limits of a layout, in columns. Every amount fits the narrowest paper at single width.
const (
	MinColumns = 24
	MaxColumns = 64

	maxField   = 120 // columns of any text that comes from outside; the rest is cut, with a mark
	usualLines = 40  // of a slip, which there is room for at first
)

// Layout is what a slip needs to know beside the transaction.
type Layout struct {
	Columns      int            // 32 for 58 mm paper, 48 for 80 mm
	Language     words.Language // of everything but names that come from outside
	MerchantName string         // at the head of every slip
	Thanks       string         // last words on the customer's copy of a sale; may be empty
	Zone         *time.Location // for the record's stamps; nil leaves each in the zone it carries
	Logo         *Picture       // at the head of a slip for what was approved; nil prints none
	Signature    *Picture       // of the cardholder, where the terminal has taken it; nil leaves room for the pen
	Code         bool           // such a slip ends with a QR code that names the transaction
}

// Check refuses a width on which slips cannot be laid out.
func (l Layout) Check() error {
	if l.Columns < MinColumns || l.Columns > MaxColumns {
		return fmt.Errorf("receipt: %d columns: use %d to %d (32 for 58 mm paper, 48 for 80 mm)", l.Columns, MinColumns, MaxColumns)
	}
	for name, picture := range map[string]*Picture{"logo": l.Logo, "signature": l.Signature} {
		if picture == nil {
			continue
		}
		if err := picture.Check(l.Columns); err != nil {
			return fmt.Errorf("receipt: %s: %w", name, err)
		}
	}
	return nil
}

// page collects the lines of a slip.
type page struct {
	columns  int
	language words.Language
	lines    []Line
	rom      ROM
}

func (l Layout) page() page {
	return page{columns: l.Columns, language: l.Language, lines: make([]Line, 0, usualLines)}
}

func (p *page) slip() Slip {
	return Slip{Columns: p.columns, Lines: append(p.lines, Line{Op: Cut})}
}

func (p *page) rule()          { p.lines = append(p.lines, Line{Op: Rule}) }
func (p *page) feed(lines int) { p.lines = append(p.lines, Line{Op: Feed, Feed: lines}) }

func (p *page) image(picture *Picture) {
	if picture != nil {
		p.lines = append(p.lines, Line{Op: Image, Image: picture, Align: Centre})
	}
}

// text adds a text in a style, wrapped to the paper. A big text that does not fit one line at double width is printed
// tall instead.
func (p *page) text(s string, style Line) {
	s = clip(p.rom.Printable(s), maxField)
	if style.Size == Big && 2*Width(s) > p.columns {
		style.Size = Tall
	}
	for _, part := range Wrap(s, p.columns) {
		style.Op, style.Text = Text, part
		p.lines = append(p.lines, style)
	}
}

// say adds a wording on one line, as far as it fits.
func (p *page) say(w words.Pair, style Line) { p.text(w.Line(p.language), style) }

// sentence adds a wording in each language that is wanted, on lines of their own.
func (p *page) sentence(w words.Pair, style Line) {
	for _, s := range w.In(p.language) {
		p.text(s, style)
	}
}

// title adds a wording whose first language is as large as the paper takes, the second below it in ordinary letters.
func (p *page) title(w words.Pair) {
	all := w.In(p.language)
	p.loudly(all[0])
	for _, s := range all[1:] {
		p.text(s, strong)
	}
}

// again closes a notice with its title's first language.
func (p *page) again(w words.Pair) { p.loudly(w.In(p.language)[0]) }

// loudly adds a text in the largest letters, on two lines where that keeps them and breaks no word.
func (p *page) loudly(s string) {
	halves := Wrap(s, p.columns/2)
	if len(halves) != 2 || halves[0]+" "+halves[1] != s {
		halves = []string{s}
	}
	for _, half := range halves {
		p.text(half, loud)
	}
}

func (p *page) mark(reprint bool) {
	if reprint {
		p.text("*** "+words.DuplicateMark.Line(p.language)+" ***", Line{Align: Centre, Bold: true, Size: Tall})
	}
}

// row adds a label on the left and its value on the right; a value that does not fit beside its label goes below it. An
// empty value adds nothing.
func (p *page) row(label words.Pair, value string) { p.rowStyled(label, value, false) }

func (p *page) rowStyled(label words.Pair, value string, bold bool) {
	value = strings.TrimSpace(clip(p.rom.Printable(value), maxField))
	if value == "" {
		return
	}
	name := label.Line(p.language)
	if gap := p.columns - Width(name) - Width(value); gap >= 1 {
		p.lines = append(p.lines, Line{Text: name + strings.Repeat(" ", gap) + value, Bold: bold})
		return
	}
	p.text(name, Line{Bold: bold})
	p.text(value, Line{Align: Right, Bold: bold})
}

// amount adds money on a line of its own, never wrapped and never shortened: big when asked and when it fits, else tall,
// else refused.
func (p *page) amount(t txn.Txn, size Size) error {
	if t.Currency.Letters == "" || !t.Amount.Valid() {
		return fmt.Errorf("receipt: transaction %d has no amount that can be printed (%d in currency %q)", t.ID, t.Amount, t.Currency.Letters)
	}
	line := Line{Text: currencyMark(t.Currency) + " " + t.Currency.Format(t.Amount), Align: Right, Size: size, Bold: true}
	if line.Columns() > p.columns && line.Size == Big {
		line.Size = Tall
	}
	if line.Columns() > p.columns {
		return fmt.Errorf("receipt: amount of transaction %d does not fit %d columns", t.ID, p.columns)
	}
	p.lines = append(p.lines, line)
	return nil
}
