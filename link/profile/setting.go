package profile

import (
	"slices"
	"strconv"

	"posagent/link/iso8583"
)

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
		case fact.name == "code" && iso8583.Printable(number) && !row.Hidden:
			j.found.at(at, "field %d: {code} is money, and the field is shown in logs; leave out show there, or name another field", number)
		case fact.in&r == 0:
			j.found.at(at, "field %d: {%s} is not known to a message of this kind; it is %s", number, p.Name, fact.means)
		case fact.maybe&r != 0 && !p.Optional:
			j.found.at(at, "field %d: {%s} is not known without an answer; write {%s?}, or \"\" to leave the field out", number, p.Name, p.Name)
		case row.Class == iso8583.N && !fact.digits && p.Name != "reason" && p.Name != "net.side":
			j.found.at(at, "field %d: {%s} is text, and the field holds digits", number, p.Name)
		case row.Class == iso8583.B || row.Class == iso8583.Z:
			if fact.name != "serial" && fact.in != scans {
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
