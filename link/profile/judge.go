package profile

import (
	"slices"
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
	j.pins()
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
	all := []string{"message", "frame", "mac", "timers", "answer", "reasons", "codes", "settlement", "tracks", "fields", "every", "financial", reversal, detail, SaleByCode}
	for _, k := range txn.Kinds() {
		all = append(all, string(k), string(k)+"."+reversal, string(k)+"."+detail)
	}
	for _, m := range others {
		all = append(all, m.name)
	}
	return all
}
