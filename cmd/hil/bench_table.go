package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// row is one figure of the table. Ratio is to one bare write (bench_unit.go) of the same run unless its chapter says
// otherwise; it and the budget may be empty.
type row struct {
	what, measured, ratio, budget string
}

// chapter is a few rows that were measured together, and how.
type chapter struct {
	title string
	rows  []row
	table []string // lines that have columns of their own
	notes []string
}

// Widths of the columns. With the spaces between them a line has tableWidth columns, which is a terminal's.
const (
	whatWidth     = 43
	measuredWidth = 10
	ratioWidth    = 9
	budgetWidth   = 13
	tableWidth    = 2 + whatWidth + 1 + measuredWidth + 1 + ratioWidth + 1 + budgetWidth
)

func (r row) String() string {
	what := r.what + strings.Repeat(" ", max(0, whatWidth-utf8.RuneCountInString(r.what)))
	line := fmt.Sprintf("  %s %*s %*s %*s", what, measuredWidth, r.measured, ratioWidth, r.ratio, budgetWidth, r.budget)
	return strings.TrimRight(line, " ")
}

// print writes the chapter: its title, its rows, and its notes wrapped to the table's width.
func (c chapter) print(out io.Writer) {
	fmt.Fprintln(out, c.title)
	for _, r := range c.rows {
		fmt.Fprintln(out, r)
	}
	for _, line := range c.table {
		fmt.Fprintln(out, line)
	}
	for _, n := range c.notes {
		for _, line := range wrapped(n, tableWidth-4) {
			fmt.Fprintf(out, "    %s\n", line)
		}
	}
	fmt.Fprintln(out)
}

// wrapped breaks a text at spaces into lines of at most width characters; a longer word has a line of its own.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.2f MiB", float64(n)/(1<<20)) }

func kibibytes(n float64) string { return fmt.Sprintf("%.1f KiB", n/(1<<10)) }

// times writes a ratio with three figures that mean something, whatever its size.
func times(ratio float64) string {
	switch {
	case ratio < 0.01:
		return fmt.Sprintf("%.4f x", ratio)
	case ratio < 10:
		return fmt.Sprintf("%.2f x", ratio)
	default:
		return fmt.Sprintf("%.1f x", ratio)
	}
}

// span writes a duration in the unit that suits it, with three figures.
func span(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= unit.size {
			return fmt.Sprintf("%.3g %s", float64(d)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d ns", d)
}
