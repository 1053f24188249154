package main

import (
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// usualColumns is what a serial console that does not know its size is taken for.
const usualColumns = 80

// columnsOf is the width of a terminal, or 0 for a file or a pipe: scripts get each text whole, on one line.
func columnsOf(w io.Writer) int {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || columns < usualColumns/4 {
		return usualColumns
	}
	return columns
}

// wide are the blocks whose characters take two columns of a terminal: CJK with its punctuation, and full-width forms.
// Arrows and dots are narrow there, although a receipt printer gives them two.
func wide(r rune) bool { return r >= 0x2E80 && r <= 0xFFE6 }

func widthOf(text string) int {
	columns := 0
	for _, r := range text {
		columns++
		if wide(r) {
			columns++
		}
	}
	return columns
}

// plain keeps what others wrote, a reference or a line's own words, from steering the terminal it is shown on.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// clip shortens text to a number of columns and marks that it did. 0 columns leave it whole.
func clip(text string, columns int) string {
	if columns <= 0 || widthOf(text) <= columns {
		return text
	}
	used := 0
	for i, r := range text {
		if used += widthOf(string(r)); used >= columns {
			return text[:i] + "…"
		}
	}
	return text
}

// wrap breaks text into lines of at most so many columns: at spaces, and between Chinese characters, but never before
// punctuation that closes. 0 columns leave it whole. A word longer than a line stands alone and overflows.
func wrap(text string, columns int) []string {
	if columns <= 0 {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, piece := range pieces(text) {
		if line != "" && widthOf(line+strings.TrimRight(piece, " ")) > columns {
			lines, line = append(lines, strings.TrimRight(line, " ")), ""
		}
		line += piece
	}
	return append(lines, strings.TrimRight(line, " "))
}

// pieces are the parts of a text between which a line may be broken.
func pieces(text string) []string {
	var all []string
	start, last := 0, rune(0)
	for i, r := range text {
		mayBreak := last == ' ' && r != ' ' || wide(last) && r != ' ' || wide(r)
		if i > start && mayBreak && !strings.ContainsRune("，。；：、！？）”", r) {
			all, start = append(all, text[start:i]), i
		}
		last = r
	}
	return append(all, text[start:])
}
