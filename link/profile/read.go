package profile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a file.
const (
	maxFile    = 64 << 10 // bytes
	maxEntries = 1000
)

// entry is one key with its value, and where it stands.
type entry struct {
	section, key string
	value        value
	file         string
	line         int
	number       int    // of the field that the key names, or -1
	used         bool   // somebody has read it
	parts        []Part // of a field of a message, once parsed
	wrong        error  // why it could not be
}

// value is exactly one of a string, a list of strings, a number or a truth.
type value struct {
	kind  valueKind
	text  string
	list  []string
	count int
	truth bool
}

type valueKind byte

const (
	aString valueKind = iota
	aList
	aNumber
	aTruth
)

// fault is one thing that is wrong, at its line.
type fault struct {
	file string
	line int
	what string
}

// Error lists every fault of a file, in the order of its lines.
type Error struct{ faults []fault }

func (e *Error) Error() string {
	lines := make([]string, len(e.faults))
	for i, f := range e.faults {
		lines[i] = fmt.Sprintf("%s:%d: %s", f.file, f.line, f.what)
	}
	return strings.Join(lines, "\n")
}

// faults collects.
type faults struct{ list []fault }

func (f *faults) at(e entry, what string, args ...any) { f.add(e.file, e.line, what, args...) }

func (f *faults) add(file string, line int, what string, args ...any) {
	f.list = append(f.list, fault{file, line, fmt.Sprintf(what, args...)})
}

func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	for i := range f.list {
		for ; i > 0 && f.list[i-1].line > f.list[i].line; i-- {
			f.list[i-1], f.list[i] = f.list[i], f.list[i-1]
		}
	}
	kept := f.list[:1]
	for _, one := range f.list[1:] {
		if one != kept[len(kept)-1] {
			kept = append(kept, one)
		}
	}
	return &Error{kept}
}

// scan reads the part of TOML that a profile is written in: [section], key = value on one line, and comments. Everything
// that it accepts means the same to a TOML library; what it does not is refused with the line, because only with lines
// of their own can faults be told where they stand.
func scan(file, text string) ([]entry, error) {
	var found faults
	var all []entry
	if len(text) > maxFile || !utf8.ValidString(text) {
		found.add(file, 1, "want UTF-8 text of at most %d bytes", maxFile)
		return nil, found.err()
	}
	section := ""
	seen, sections := map[string]int{}, map[string]int{}
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		line = strings.Trim(line, " \t")
		at := entry{section: section, file: file, line: i + 1}
		switch {
		case line == "" || line[0] == '#':
			if badComment(line) {
				found.at(at, "a control character is in the comment; take it out")
			}
		case line[0] == '[':
			name, rest, closed := strings.Cut(line[1:], "]")
			section = name
			switch {
			case !closed || !blank(rest) || !words(name):
				found.at(at, "is no [section]; a name is letters, digits and -, in two parts at most: [void.reversal]")
			case sections[name] > 0:
				found.at(at, "[%s] stands in line %d already; put both together", name, sections[name])
			}
			sections[name] = i + 1
		default:
			key, rest, both := strings.Cut(line, "=")
			at.key = strings.Trim(key, " \t")
			var err error
			if !both || !word(at.key) {
				err = errors.New("is neither [section] nor key = value; a key is letters, digits and -")
			} else if at.value, err = scanValue(strings.Trim(rest, " \t")); err != nil {
				err = fmt.Errorf("%s: %w", at.key, err)
			} else if before := seen[section+"\n"+at.key]; before > 0 {
				err = fmt.Errorf("%s stands in line %d already; leave one of them out", at.key, before)
			}
			if err != nil {
				found.at(at, "%v", err)
				continue
			}
			at.number = -1
			if n, isNumber := fieldNumber(at.key); isNumber {
				at.number = n
			}
			seen[section+"\n"+at.key] = i + 1
			if all = append(all, at); len(all) > maxEntries {
				found.at(at, "there are more than %d entries", maxEntries)
				return nil, found.err()
			}
		}
	}
	for name, line := range sections {
		outer, inner, _ := strings.Cut(name, ".")
		if before := max(seen["\n"+outer], seen[outer+"\n"+inner]); before > 0 {
			found.add(file, line, "[%s] is a key in line %d; it cannot be both", name, before)
		}
	}
	return all, found.err()
}

func badComment(line string) bool {
	return strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F })
}

func blank(rest string) bool {
	rest = strings.Trim(rest, " \t")
	return rest == "" || rest[0] == '#' && !badComment(rest)
}

func word(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && (c|0x20)-'a' > 25 && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func words(s string) bool {
	first, second, two := strings.Cut(s, ".")
	return word(first) && (!two || word(second))
}

var errValue = errors.New(`its value is none; write "text", ["text", "text"], a number, true or false, on one line`)

func scanValue(text string) (v value, err error) {
	switch {
	case text == "":
		return v, errValue
	case text[0] == '"':
		var rest string
		if v.text, rest, err = scanString(text); err != nil || !blank(rest) {
			return v, errors.Join(err, after(rest, err))
		}
		return v, nil
	case text[0] == '[':
		return scanList(text[1:])
	}
	plain, comment, noted := strings.Cut(text, "#")
	if noted && badComment(comment) {
		return v, errValue
	}
	plain = strings.Trim(plain, " \t")
	if plain == "true" || plain == "false" {
		return value{kind: aTruth, truth: plain == "true"}, nil
	}
	n, err := strconv.ParseUint(plain, 10, 31)
	if err != nil || len(plain) > 1 && plain[0] == '0' || plain[0] == '+' {
		return v, errValue
	}
	return value{kind: aNumber, count: int(n)}, nil
}

func after(rest string, err error) error {
	if err != nil || blank(rest) {
		return nil
	}
	return errors.New("something follows the value; only a comment may")
}

// scanString reads a string without escapes.
func scanString(text string) (s, rest string, err error) {
	s, rest, closed := strings.Cut(text[1:], `"`)
	if !closed || strings.HasPrefix(text, `"""`) {
		return "", "", errors.New("the string does not end on its line")
	}
	if strings.Contains(s, `\`) || badComment(s) {
		return "", "", errors.New("the string has a backslash or a control character; take it out")
	}
	return s, rest, nil
}

func scanList(text string) (v value, err error) {
	v.kind, v.list = aList, []string{}
	for {
		text = strings.TrimLeft(text, " \t")
		switch {
		case strings.HasPrefix(text, "]"):
			if !blank(text[1:]) {
				return v, after(text[1:], nil)
			}
			return v, nil
		case !strings.HasPrefix(text, `"`):
			return v, errValue
		}
		var s string
		if s, text, err = scanString(text); err != nil {
			return v, err
		}
		v.list = append(v.list, s)
		text = strings.TrimLeft(text, " \t")
		if strings.HasPrefix(text, ",") {
			text = text[1:]
		} else if !strings.HasPrefix(text, "]") {
			return v, errValue
		}
	}
}
