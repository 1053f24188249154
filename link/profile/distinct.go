package profile

import (
	"slices"
	"strings"

	"posagent/txnstore/txn"
)

// distinct refuses two messages that the far end, or an answer to them, could be taken for one another.
func (j *judge) distinct() {
	if len(j.broken) > 0 {
		return // what a field would have told apart is not known
	}
	names := []string{SaleByCode, Balance, SignIn, Echo, Settle, Block, EndEven}
	var reversals []string
	for _, k := range txn.Kinds() {
		names = append(names, string(k))
		if !k.Advice() {
			reversals = append(reversals, string(k)+"."+reversal)
		}
	}
	for _, group := range [][]string{names, reversals} {
		for i, a := range group {
			for _, b := range group[i+1:] {
				f, g := j.named(a), j.named(b)
				if f.Type != "" && f.Type == g.Type && !differ(f, g) {
					at := last(f, g)
					for _, section := range []string{a, b, reversal} { // or what was taken out made them alike
						for _, e := range j.groups[section] {
							if at.file != j.file && e.file == j.file {
								at = *e
							}
						}
					}
					j.found.at(at, "%s and %s are both a %s and say the same in every field: nobody could tell them apart; "+
						"change a processing code or a condition", a, b, f.Type)
				}
			}
		}
	}
}

// named is a form in which a reversal's {of.type} is the text that it comes to.
func (j *judge) named(name string) Form {
	f := j.p.forms[name]
	kind, isReversal := strings.CutSuffix(name, "."+reversal)
	if !isReversal || !f.says("of.type") {
		return f
	}
	f.Settings = slices.Clone(f.Settings)
	for i, s := range f.Settings {
		f.Settings[i].Parts = slices.Clone(s.Parts)
		for at, p := range s.Parts {
			if p.Name == "of.type" {
				f.Settings[i].Parts[at] = Part{Text: j.p.forms[kind].Type}
			}
		}
	}
	return f
}

// last is the entry of two messages that stands furthest down in the file itself, which is what its writer changed.
func last(f, g Form) entry {
	at := &entry{}
	for _, s := range append(slices.Clone(f.Settings), g.Settings...) {
		_, builtInBase := builtIn(strings.TrimSuffix(s.from.file, ".toml"))
		_, oldBase := builtIn(strings.TrimSuffix(at.file, ".toml"))
		if at.line == 0 || oldBase && !builtInBase || oldBase == builtInBase && s.from.line > at.line {
			at = s.from
		}
	}
	return *at
}

// differ reports whether some field tells two messages apart whatever the transaction: it has another text at the same
// place, or it is in one of them alone and always.
func differ(f, g Form) bool {
	for _, s := range f.Settings {
		i := slices.IndexFunc(g.Settings, func(o Setting) bool { return o.Field == s.Field })
		if i < 0 {
			if !s.Optional() {
				return true
			}
			continue
		}
		if clash(s.Parts, g.Settings[i].Parts) {
			return true
		}
	}
	return slices.ContainsFunc(g.Settings, func(s Setting) bool {
		return !s.Optional() && !slices.ContainsFunc(f.Settings, func(o Setting) bool { return o.Field == s.Field })
	})
}

// clash compares the texts of two templates as far as places are certain: up to the first part of unknown width.
func clash(a, b []Part) bool {
	x, y := fixedText(a), fixedText(b)
	for i := range min(len(x), len(y)) {
		if x[i] != 0 && y[i] != 0 && x[i] != y[i] {
			return true
		}
	}
	return false
}

// fixedText is the text of a template with a zero byte for each character that a transaction decides.
func fixedText(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		least, most := p.width([2]int{0, 1})
		switch {
		case p.Text != "":
			b.WriteString(p.Text)
		case least != most:
			return b.String()
		default:
			b.WriteString(strings.Repeat("\x00", most))
		}
	}
	return b.String()
}
