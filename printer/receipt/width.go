package receipt

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Substitute stands for a character that the printers' ROM does not have. It is in GB 2312 (A1F5h), takes two columns and
// cannot be taken for text.
const Substitute = '□'

// Width is how many columns s takes at normal size: one for ASCII, two for everything else.
func Width(s string) int {
	columns := 0
	for _, r := range s {
		columns += widthOf(r)
	}
	return columns
}

func widthOf(r rune) int {
	if r < 0x80 {
		return 1
	}
	return 2
}

// Printable makes s safe to print: control characters and any kind of space become a plain space, bytes that are not
// UTF-8 and characters without a GBK code become Substitute. What it returns consists of ASCII 20h-7Eh and of characters
// whose GBK code has two bytes, a lead of 81h or more and a trail of 40h or more. Printable text is returned unchanged.
func Printable(s string) string { return new(ROM).Printable(s) }

// ROM is the characters that a printer has. The zero ROM is ready; it is for one goroutine, and for many texts cheaper than
// Printable.
type ROM struct {
	gbk  *encoding.Encoder // nil until it was needed
	utf  [utf8.UTFMax]byte
	code [8]byte
}

// Printable is the function of that name.
func (m *ROM) Printable(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = s[i] >= 0x20 && s[i] < 0x7F
	}
	if clean {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x20 && r < 0x7F:
			return r
		case r < 0x20 || r == 0x7F || unicode.IsSpace(r) && r != '\u3000':
			return ' '
		case r == unicode.ReplacementChar || !m.has(r):
			return Substitute
		}
		return r
	}, s)
}

// has asks the encoder, and asks for two bytes: some GBK tables give the euro sign the single byte 80h, which printers
// do not know.
func (m *ROM) has(r rune) bool {
	if m.gbk == nil {
		m.gbk = simplifiedchinese.GBK.NewEncoder()
	}
	m.gbk.Reset()
	n, _, err := m.gbk.Transform(m.code[:], utf8.AppendRune(m.utf[:0], r), true)
	return err == nil && n == 2
}

// Wrap cuts text into lines of at most columns columns. It never splits a double-width character: a column may stay
// empty at the end of a line. Between words it breaks at the space; a word longer than a line is cut where it must be. No
// line begins with a Chinese comma or full stop.
func Wrap(text string, columns int) []string {
	columns = max(columns, 2)
	var lines []string
	for text = strings.TrimRight(text, " "); text != ""; {
		cut := fit(text, columns)
		if cut < len(text) {
			cut = atWord(text, cut)
			cut = beforeStop(text, cut)
		}
		lines = append(lines, strings.TrimRight(text[:cut], " "))
		text = strings.TrimLeft(text[cut:], " ")
	}
	return lines
}

// fit is the length in bytes of the longest beginning of text that takes at most columns columns.
func fit(text string, columns int) int {
	for i, r := range text {
		if columns -= widthOf(r); columns < 0 {
			return i
		}
	}
	return len(text)
}

// atWord moves a cut that would split an ASCII word back to the space before that word, when there is one.
func atWord(text string, cut int) int {
	wordByte := func(i int) bool { return text[i] > ' ' && text[i] < 0x80 }
	if !wordByte(cut) || !wordByte(cut-1) {
		return cut
	}
	start := cut
	for start > 0 && wordByte(start-1) {
		start--
	}
	if start == 0 {
		return cut
	}
	return start
}

// beforeStop moves a cut that would begin a line with a stop back before the character that the stop follows.
func beforeStop(text string, cut int) int {
	next, _ := utf8.DecodeRuneInString(text[cut:])
	_, size := utf8.DecodeLastRuneInString(text[:cut])
	if !strings.ContainsRune("，。、；：！？）》”", next) || size == cut {
		return cut
	}
	return cut - size
}

// clip shortens s to at most columns columns, marking that it did.
func clip(s string, columns int) string {
	if Width(s) <= columns {
		return s
	}
	return s[:fit(s, columns-2)] + "…"
}
