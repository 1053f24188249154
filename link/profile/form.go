package profile

import (
	"slices"
	"strconv"
	"strings"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// Sections that a message is made of, the later over the earlier:
//
//	a kind          every  financial  KIND
//	its reversal    every  financial  KIND  reversal  KIND.reversal
//	its detail      every  financial  KIND  detail    KIND.detail
//	balance         every  financial  balance
//	anything else   every  NAME
//
// A field that is set to "" is left out again.

// others are the messages that are no kind of transaction.
var others = []struct {
	name  string
	role  role
	class string // first digits of its type that make sense
}{
	{Balance, enquires, "01 02"},
	{SignIn, manages, "08"},
	{Echo, manages, "08"},
	{Settle, reconciles, "05"},
	{Block, blocks, "03"},
	{EndEven, ends, "03 05"},
	{EndOdd, ends, "03 05"},
}

func (j *judge) forms() {
	j.p.forms = map[string]Form{}
	for _, k := range txn.Kinds() {
		r, kind := undoes, string(k)
		if k == txn.Sale || k == txn.PreAuth {
			r = asks
		}
		class := "010 020"
		if k.Advice() {
			class = "022"
		}
		j.form(kind, r, class, "every", "financial", kind)
		if !k.Advice() {
			j.form(kind+"."+reversal, reverses, "040 042", "every", "financial", kind, reversal, kind+"."+reversal)
		} else {
			for _, e := range j.groups[kind+"."+reversal] {
				e.used = true
				j.found.at(*e, "[%s]: an advice is told again, never reversed; leave the section out", e.section)
			}
		}
		if k.Settled() && (!j.p.Blocks || k.Advice()) {
			j.form(kind+"."+detail, uploads|r, "03", "every", "financial", kind, detail, kind+"."+detail)
		}
	}
	for _, m := range others {
		if m.name == Block && !j.p.Blocks {
			continue
		}
		layers := []string{"every", m.name}
		if m.name == Balance {
			layers = []string{"every", "financial", m.name}
		}
		j.form(m.name, m.role, m.class, layers...)
	}
	j.distinct()
}

// form puts one message together and judges it.
func (j *judge) form(name string, r role, classes string, layers ...string) {
	f := Form{}
	var settings [129]*entry // by field
	last := entry{file: j.file, line: 1}
	repeat := entry{}
	for _, layer := range layers {
		typed := layer != "every" && layer != "financial"
		for _, e := range j.groups[layer] {
			switch {
			case e.number >= len(settings):
				e.used = true
				j.found.at(*e, "%v", placeOf(e.number))
			case e.number >= 0:
				e.used, settings[e.number] = true, e
			case e.key == "type" && typed:
				e.used, f.Type, f.Repeat, last, repeat = true, e.value.text, "", *e, entry{}
			}
		}
		if e, there := j.get(layer, "repeat"); there && typed {
			f.Repeat, repeat = e.value.text, e
		}
	}
	if f.Type == "" {
		j.found.at(last, "[%s] has no type; write one like type = \"0200\"", layers[len(layers)-1])
		return
	}
	if !messageType(f.Type, classes) {
		j.found.at(last, "type: %q does not fit %s; want four digits that begin with %s", f.Type, name, strings.ReplaceAll(classes, " ", " or "))
	}
	switch {
	case repeat.line == 0:
		f.Repeat = f.Type
	case f.Repeat != f.Type && (len(f.Type) != 4 || f.Repeat != f.Type[:3]+"1"):
		j.found.at(repeat, "repeat: %q is no repetition of a %s; want %s1, or the type itself", f.Repeat, f.Type, f.Type[:min(3, len(f.Type))])
	}
	for number, e := range settings {
		if e == nil {
			continue
		}
		if e.value.kind != aString {
			j.found.at(*e, "field %d: want a \"text\", with facts in braces", number)
		} else if e.value.text != "" {
			j.setting(&f, r, number, e)
		}
	}
	for _, layer := range layers { // what the file itself says is more likely the reason of a fault than its base
		for _, e := range j.groups[layer] {
			if e.file == j.file && (last.file != j.file || e.line > last.line) && e.value.text == "" {
				last = *e
			}
		}
	}
	j.complete(f, r, name, last)
	j.p.forms[name] = f
}

// messageType holds a type against the digits with which it may begin.
func messageType(mti, classes string) bool {
	n, err := strconv.Atoi(mti)
	if err != nil || len(mti) != 4 || n < 0 || mti[3] != '0' || (mti[2]-'0')%2 != 0 {
		return false
	}
	for _, begin := range strings.Fields(classes) {
		if strings.HasPrefix(mti, begin) {
			return true
		}
	}
	return false
}

// setting compiles what one field says, and holds it against the table.
func (j *judge) setting(f *Form, r role, number int, from *entry) {
	e := *from
	if err := placeOf(number); err != nil {
		j.found.at(e, "%v", err)
		return
	}
	row := j.p.Dialect.Fields[number]
	at := j.cause(e, number)
	if row.Max == 0 && j.broken[number] {
		return // which has been told
	}
	if from.parts == nil && from.wrong == nil {
		from.parts, from.wrong = parseParts(e.value.text)
	}
	switch err := from.wrong; {
	case err != nil:
		j.found.at(at, "field %d: %v", number, err)
		return
	case number == 64 || number == 128:
		j.found.at(at, "field %d: is the MAC, 64 or 128 as the message has a second bitmap or not, and is put in by itself", number)
		return
	case slices.Contains([]int{2, 14, 22, 23, 35, 36, 52, 53, 55}, number):
		j.found.at(at, "field %d: is put in from the card; leave it out", number)
		return
	case row.Max == 0:
		j.found.at(at, "field %d: is not in the table, and line %d of %s puts something in it; add it to [fields], or leave it out there with \"\"", number, from.line, from.file)
		return
	}
	s := Setting{Field: number, Parts: from.parts, from: from}
	least, most := 0, 0
	for _, p := range s.Parts {
		fact := p.fact
		low, high := p.width(j.reasons)
		least, most = least+low, most+high
		switch {
		case p.Text != "" && !suitsText(row.Class, p.Text):
			j.found.at(at, "field %d: %q is not of its class", number, p.Text)
		case p.Text != "":
		case fact.in&r == 0:
			j.found.at(at, "field %d: {%s} is not known to a message of this kind; it is %s", number, p.Name, fact.means)
		case fact.maybe&r != 0 && !p.Optional:
			j.found.at(at, "field %d: {%s} is not known without an answer; write {%s?}, or \"\" to leave the field out", number, p.Name, p.Name)
		case row.Class == iso8583.N && !fact.digits && p.Name != "reason" && p.Name != "net.side":
			j.found.at(at, "field %d: {%s} is text, and the field holds digits", number, p.Name)
		case row.Class == iso8583.B || row.Class == iso8583.Z:
			if fact.name != "serial" {
				j.found.at(at, "field %d: {%s} does not go into a field of this class", number, p.Name)
			}
		}
		if p.Name == "reason" {
			for _, code := range j.p.Reasons {
				if !suitsText(row.Class, code) {
					j.found.at(at, "field %d: reason %q is not of its class; change it in [reasons]", number, code)
				}
			}
		}
	}
	switch {
	case row.Length == iso8583.Fixed && (least != row.Max || most != row.Max):
		j.found.at(at, "field %d: comes to %s, and has a fixed length of %d", number, between(least, most), row.Max)
	case most > row.Max:
		j.found.at(at, "field %d: comes to %s, and holds %d", number, between(least, most), row.Max)
	}
	f.Settings = append(f.Settings, s)
}

// cause is where a fault of a message is mended: in the message itself, if the file says it, or else in what the file says of
// the field or of reasons.
func (j *judge) cause(e entry, number int) entry {
	if e.file == j.file {
		return e
	}
	for _, o := range j.groups["fields"] {
		if o.number == number && o.file == j.file {
			return *o
		}
	}
	for _, o := range j.groups["reasons"] {
		if o.file == j.file {
			return *o
		}
	}
	return e
}

func between(least, most int) string {
	if least == most {
		return strconv.Itoa(most)
	}
	return strconv.Itoa(least) + " to " + strconv.Itoa(most)
}

// suitsText reports whether a text may stand in a field of that class.
func suitsText(c iso8583.Class, text string) bool {
	for i := range len(text) {
		char := text[i]
		digit, letter := char-'0' <= 9, (char|0x20)-'a' <= 25
		switch c {
		case iso8583.N:
			if !digit {
				return false
			}
		case iso8583.AN:
			if !digit && !letter && char != ' ' {
				return false
			}
		default:
			if char < ' ' || char > '~' {
				return false
			}
		}
	}
	return true
}

// complete refuses a message without what its answer is matched by, or without what it is about.
func (j *judge) complete(f Form, r role, name string, at entry) {
	holds := func(field int, fact string) bool {
		i := slices.IndexFunc(f.Settings, func(s Setting) bool { return s.Field == field })
		return i >= 0 && len(f.Settings[i].Parts) == 1 && f.Settings[i].Parts[0].Name == fact
	}
	want := []struct {
		field int
		fact  string
		in    role
	}{{41, "terminal", always}, {4, "amount", trades}, {11, "stan", always &^ manages}, {42, "merchant", trades | enquires}}
	for _, w := range want {
		if w.in&r != 0 && !holds(w.field, w.fact) {
			j.found.at(at, "%s: field %d must be \"{%s}\"; answers are held against it", name, w.field, w.fact)
		}
	}
	if r == reverses && j.p.FreshSTAN && !f.says("of.stan") {
		j.found.at(at, "%s: a reversal with a STAN of its own names its original nowhere; put {of.stan} into a field, as in 90", name)
	}
	if r == blocks && !slices.ContainsFunc(f.Settings, func(s Setting) bool { return len(s.Parts) == 1 && s.Parts[0].Name == "details" }) {
		j.found.at(at, "%s: want a field that is \"{details}\" and nothing else", name)
	}
	if name == SignIn && !f.says("stan") {
		j.found.at(at, "%s: has no {stan}", name)
	}
}

// says reports whether a fact is in the message.
func (f Form) says(fact string) bool {
	return slices.ContainsFunc(f.Settings, func(s Setting) bool {
		return slices.ContainsFunc(s.Parts, func(p Part) bool { return p.Name == fact })
	})
}

// distinct refuses two messages that the far end, or an answer to them, could be taken for one another.
func (j *judge) distinct() {
	if len(j.broken) > 0 {
		return // what a field would have told apart is not known
	}
	names := []string{Balance, SignIn, Echo, Settle, Block, EndEven}
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
