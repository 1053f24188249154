package profile

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// judge turns entries into a profile and notes what is wrong with them.
type judge struct {
	groups  map[string][]*entry // by section; a file's own entries replace its base's
	p       *Profile
	file    string
	found   faults
	broken  map[int]bool // fields whose row could not be read
	reasons [2]int       // the shortest and the longest of them
}

// base takes over the entries of the profile that a file is based on.
func (j *judge) base(e entry) {
	text, known := builtIn(e.value.text)
	if !known {
		j.found.at(e, "base: %q is not built in; name %s or %s", e.value.text, UnionPayName, ISO87Name)
		return
	}
	from, err := scan(e.value.text+".toml", text)
	if err != nil {
		j.found.at(e, "base: %v", err)
	}
	j.take(from)
}

// take adds entries, over those of the same name.
func (j *judge) take(list []entry) {
	for i := range list {
		e := &list[i]
		group := j.groups[e.section]
		if at := slices.IndexFunc(group, func(o *entry) bool { return o.key == e.key }); at >= 0 {
			group[at] = e
		} else {
			j.groups[e.section] = append(group, e)
		}
	}
}

// sort brings every section into the order in which it is read and shown.
func (j *judge) sort() {
	for _, group := range j.groups {
		for i := range group { // which are in order nearly always
			for ; i > 0 && order(group[i-1], group[i]) > 0; i-- {
				group[i-1], group[i] = group[i], group[i-1]
			}
		}
	}
}

// choice reads one text that must be one of a few, and tells which.
func (j *judge) choice(section, key string, words ...string) int {
	e, there := j.need(section, key, aString)
	if !there {
		return 0
	}
	for i, one := range words {
		if e.value.text == one {
			return i
		}
	}
	j.found.at(e, "%s: %q is not known; write one of %s", key, e.value.text, strings.Join(words, ", "))
	return 0
}

// get finds an entry and marks it as understood.
func (j *judge) get(section, key string) (entry, bool) {
	for _, e := range j.groups[section] {
		if e.key == key {
			e.used = true
			return *e, true
		}
	}
	return entry{}, false
}

// need is get for what must be there, as the kind of value that it must be.
func (j *judge) need(section, key string, kind valueKind) (entry, bool) {
	e, there := j.get(section, key)
	switch {
	case !there && section == "":
		j.found.add(j.file, 1, "%s is missing; add it, or name a base", key)
	case !there:
		j.found.add(j.file, 1, "[%s] has no %s; add it, or name a base", section, key)
	case e.value.kind != kind:
		j.found.at(e, "%s: want %s", key, [...]string{aString: `a "text"`, aList: `a list like ["3", "4"]`, aNumber: "a number", aTruth: "true or false"}[kind])
		return e, false
	}
	return e, there
}

func (j *judge) judge() {
	j.sort()
	p := j.p
	j.get("", "base")
	if e, there := j.need("", "name", aString); there {
		p.Name = e.value.text
		_, taken := builtIn(p.Name)
		if taken = taken && e.file != p.Name && j.file != p.Name; taken || len(p.Name) < 1 || len(p.Name) > 12 || !word(p.Name) || e.file != j.file {
			e.line = max(1, e.line)
			if e.file != j.file {
				e.file, e.line = j.file, 1
			}
			j.found.at(e, "name: give the profile a name of its own, 1 to 12 letters, digits and -; it stands in every record")
		}
	}
	d := p.Dialect
	d.Name = p.Name
	notation := func(section, key string) iso8583.Notation {
		return iso8583.Notation(j.choice(section, key, "compact", "readable"))
	}
	d.Type, d.Bitmap, d.Lengths = notation("message", "type"), notation("message", "bitmap"), notation("message", "lengths")
	p.Frame.Length = notation("frame", "length")
	p.Frame.Head = Head(j.choice("frame", "head", "full", "tpdu", "none"))
	schemes := []string{"ecb", "x9.9", "x9.19", "cmac"}
	p.MAC = schemes[j.choice("mac", "scheme", schemes...)]
	p.Whole = j.choice("mac", "value", "characters", "bytes") == 1
	p.Flags = j.choice("settlement", "totals", "code", "flags") == 1
	p.Blocks = j.choice("settlement", "details", "messages", "blocks") == 1
	p.Certificates = j.choice("settlement", "certificates", "kept", "told") == 1
	p.FreshSTAN = j.choice("reversal", "stan", "same", "fresh") == 1
	j.timers()
	j.answers()
	j.codes()
	j.fields()
	j.forms()
	j.tracks()
	j.unknown()
	names := make([]string, 0, len(j.groups))
	for name := range j.groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p.entries = append(p.entries, j.groups[name]...)
	}
}

// order is that in which a section is shown, and signed: fields by number.
func order(a, b *entry) int {
	if a.number >= 0 && b.number >= 0 {
		return a.number - b.number
	}
	return strings.Compare(a.key, b.key)
}

func (j *judge) timers() {
	if e, there := j.need("timers", "answer", aString); there {
		var err error
		if j.p.Answer, err = time.ParseDuration(e.value.text); err != nil || j.p.Answer < time.Second || j.p.Answer > 10*time.Minute {
			j.found.at(e, "answer: want 1s to 10m, like 60s")
		}
	}
	if e, there := j.need("timers", "reversal-tries", aNumber); there {
		if j.p.ReversalTries = e.value.count; j.p.ReversalTries < 1 || j.p.ReversalTries > 99 {
			j.found.at(e, "reversal-tries: want 1 to 99; what is owed must be tried")
		}
	}
}

func (j *judge) answers() {
	p := j.p
	if e, there := j.need("answer", "repeats", aList); there {
		for _, text := range e.value.list {
			n, isNumber := fieldNumber(text)
			if !isNumber || placeOf(n) != nil {
				j.found.at(e, "repeats: %q is no field", text)
			}
			p.Repeats = append(p.Repeats, n)
		}
		if !slices.Contains(p.Repeats, 4) {
			j.found.at(e, "repeats: leaves out field 4; an approval of another amount must not count")
		}
	}
	if e, there := j.need("answer", "downloads", aTruth); there {
		p.Downloads = e.value.truth
	}
	if e, there := j.need("answer", "institutions", aTruth); there {
		p.Institutions = e.value.truth
	}
	if e, there := j.need("answer", "texts", aTruth); there {
		p.Texts = e.value.truth
	}
	if e, there := j.need("answer", "keys", aString); there {
		n, isNumber := fieldNumber(e.value.text)
		if p.Keys = n; !isNumber || placeOf(n) != nil {
			j.found.at(e, "keys: %q is no field", e.value.text)
		}
	}
	p.Reasons = map[txn.Reason]string{}
	for key, reason := range map[string]txn.Reason{"no-answer": txn.NoAnswer, "not-done": txn.NotDone, "bad-mac": txn.BadMAC, "other": txn.OtherCause} {
		if e, there := j.need("reasons", key, aString); there {
			if p.Reasons[reason] = e.value.text; !word(e.value.text) || len(e.value.text) > 12 {
				j.found.at(e, "%s: want 1 to 12 letters and digits", key)
			}
			if n := len(e.value.text); j.reasons[1] == 0 {
				j.reasons = [2]int{n, n}
			} else {
				j.reasons = [2]int{min(j.reasons[0], n), max(j.reasons[1], n)}
			}
		}
	}
}

// sure are the codes that no profile may turn into approvals, nor approvals into something else (ISO 8583:1987, field 39).
// 08, 11 and their like are an acquirer's own to define; what the standard calls a refusal is one.
var sure = map[string]bool{"00": true, "08": true, "11": true, "16": true, "A2": true, "A4": true, "A5": true, "A6": true}

func (j *judge) codes() {
	j.p.Codes = map[string]Code{}
	means := []string{"approved", "retry", "refused", "operator", "network"} // classes A to E
	for _, held := range j.groups["codes"] {
		held.used = true
		e := *held
		if e.value.kind != aString || len(e.key) != 2 {
			j.found.at(e, `%s: want a response code of two characters and what it means, like A8 = "refused"`, e.key)
			continue
		}
		what, signIn := strings.CutSuffix(e.value.text, " sign-in")
		at := slices.Index(means, what)
		class := 'A' + byte(at)
		switch {
		case at < 0:
			j.found.at(e, "%s: %q is not known; write approved, retry, refused, operator or network, and sign-in behind it where a sign-in must come first", e.key, e.value.text)
		case e.key == "09" || e.key == "10":
			j.found.at(e, "%s: is neither approved nor refused for a sale of one amount, which is reversed; leave it out", e.key)
		case class == 'A' && !sure[e.key] && standard(e.key):
			j.found.at(e, "%s: is a refusal by the standard and cannot be approved; ask the acquirer for another code", e.key)
		case class != 'A' && sure[e.key] && e.key != "08" && e.key != "16":
			j.found.at(e, "%s: is an approval and cannot be refused here; the acquirer holds the money", e.key)
		case class == 'A' && signIn:
			j.found.at(e, "%s: an approval asks for no sign-in", e.key)
		}
		j.p.Codes[e.key] = Code{class, signIn}
	}
	if e, there := j.need("reversal", "ends", aList); there {
		j.p.ReversalEnds = e.value.list
		for _, code := range e.value.list {
			if len(code) != 2 {
				j.found.at(e, "ends: %q is no response code of two characters", code)
			}
		}
		if !slices.Contains(e.value.list, "00") {
			j.found.at(e, `ends: leaves out "00"; a reversal that was done would be repeated for ever`)
		}
	}
}

// standard reports whether a code is defined by the standard or by the direct-connection dialect, and not as an approval.
func standard(code string) bool {
	n, err := strconv.Atoi(code)
	return err == nil && n <= 99 && !sure[code] && (n < 80 || n >= 90) || len(code) == 2 && code[0] == 'A' && code[1]-'0' <= 9
}

// cards are the fields that package acquirer fills in by itself, with the least that they must hold.
var cards = []struct {
	field int
	class iso8583.Class
	least int
}{{2, iso8583.N, 19}, {14, iso8583.N, 4}, {22, iso8583.N, 3}, {23, iso8583.N, 3}, {35, iso8583.Z, 37}, {55, iso8583.B, 255}}

func (j *judge) fields() {
	d := j.p.Dialect
	for _, held := range j.groups["fields"] {
		held.used = true
		e := *held
		number := e.number
		if number < 0 || e.value.kind != aString {
			j.found.at(e, `%s: want a field's number and its format, like 3 = "n6 bcd"`, e.key)
			continue
		}
		err := placeOf(number)
		var row iso8583.Field
		if err == nil && e.value.text != "" {
			row, err = parseField(number, e.value.text)
		}
		if err != nil {
			j.found.at(e, "field %d: %v", number, err)
			j.broken[number] = true
			continue
		}
		d.Fields[number] = row
		if mac := number == 64 || number == 128; mac && row.Max > 0 && (row.Class != iso8583.B || row.Length != iso8583.Fixed || row.Max != 8) {
			j.found.at(e, `field %d: is the MAC, and must be "b8" or "b8 hex"`, number)
		}
	}
	for _, c := range cards {
		row := d.Fields[c.field]
		if !j.broken[c.field] && (row.Class != c.class || row.Max < c.least || row.Length == iso8583.Fixed && row.Max != c.least) {
			j.found.at(j.where("fields", strconv.Itoa(c.field)), "field %d: a card is told in it; it must hold %d of class %s",
				c.field, c.least, className(c.class))
		}
	}
	for field, why := range map[int]string{39: "a response code is read from it", 64: "it is the MAC of a message without a second bitmap", j.p.Keys: "the working keys come in it"} {
		if placeOf(field) == nil && d.Fields[field].Max == 0 && !j.broken[field] {
			j.found.at(j.where("fields", strconv.Itoa(field)), "field %d: is not in the table, and %s", field, why)
		}
	}
	if d.Secondary() && d.Fields[128].Max == 0 && !j.broken[128] {
		j.found.at(j.where("fields", "128"), "field 128: is not in the table, and it is the MAC of a message with a second bitmap")
	}
}

func className(c iso8583.Class) string {
	for name, class := range classes {
		if class == c {
			return name
		}
	}
	return "?"
}

// where is the entry that a fault is about, or the head of the file where there is none.
func (j *judge) where(section, key string) entry {
	if e, there := j.get(section, key); there {
		return e
	}
	return entry{file: j.file, line: 1}
}

// unknown tells of every entry that nobody asked for.
func (j *judge) unknown() {
	sections := j.sections()
	for name, group := range j.groups {
		for _, e := range group {
			switch {
			case e.used, e.file != j.file: // a base may say what this profile has no use for
			case name == "":
				j.found.at(*e, "%s: unknown key; before the first section stand name and base", e.key)
			case !slices.Contains(sections, name):
				j.found.at(*e, "[%s]: unknown section; profile show lists those there are", name)
			default:
				j.found.at(*e, "%s: unknown key in [%s]; remove it or correct its spelling", e.key, name)
			}
		}
	}
}

func (j *judge) sections() []string {
	all := []string{"message", "frame", "mac", "timers", "answer", "reasons", "codes", "settlement", "tracks", "fields", "every", "financial", reversal, detail}
	for _, k := range txn.Kinds() {
		all = append(all, string(k), string(k)+"."+reversal, string(k)+"."+detail)
	}
	for _, m := range others {
		all = append(all, m.name)
	}
	return all
}
