package profile

import (
	"slices"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// pins reads which kinds ask for a PIN of a card that wants one. Without the section it is as txn.Kind.AsksPIN has it.
//
//	[pin]
//	asked = ["sale", "preauth", "void"]
//	cipher = "dukpt"              # session, dukpt
//	serial = "62"                 # of dukpt: the field of the key serial number
//
// A PIN goes under the working key of the sign-in, or under a DUKPT key that the PIN pad derives from its own (ANSI X9.24-1).
func (j *judge) pins() {
	if len(j.groups["pin"]) == 0 {
		return
	}
	e, there := j.need("pin", "asked", aList)
	if !there {
		return
	}
	j.p.pins = []txn.Kind{}
	for _, name := range e.value.list {
		switch k := txn.Kind(name); {
		case !k.Known():
			j.found.at(e, "asked: %q is no kind of transaction", name)
		case k.Advice():
			j.found.at(e, "asked: a %s is told until the acquirer has heard of it, and a PIN is kept nowhere; leave it out", k)
		default:
			j.p.pins = append(j.p.pins, k)
		}
	}
	j.pinCipher()
	if len(j.p.pins) > 0 && j.p.Dialect.Fields[52].Max == 0 && !j.broken[52] {
		j.found.at(j.rowOr(e, 52), "field 52: is not in the table, and carries the PIN; add it")
	}
}

// pinCipher reads under which key a PIN goes, and where the serial number of a DUKPT key stands.
func (j *judge) pinCipher() {
	dukpt := false
	if e, said := j.get("pin", "cipher"); said {
		switch e.value.text {
		case "dukpt":
			dukpt = true
		case "session":
		default:
			j.found.at(e, "cipher: %q is not known; write one of session, dukpt", e.value.text)
			return
		}
	}
	e, named := j.get("pin", "serial")
	number, isNumber := fieldNumber(e.value.text)
	row, want := iso8583.Field{}, 2*SerialLength
	if isNumber && placeOf(number) == nil {
		row = j.p.Dialect.Fields[number]
	}
	if row.Class == iso8583.B {
		want = SerialLength
	}
	switch {
	case dukpt != named:
		j.found.at(j.where("pin", "cipher"), "cipher: dukpt and the field of its serial number belong together; write both, or neither")
	case !dukpt:
	case row.Max < want || row.Length == iso8583.Fixed && row.Max != want || row.Class != iso8583.B && row.Class != iso8583.AN && row.Class != iso8583.ANS:
		j.found.at(e, "serial: field %.20q does not hold a key serial number; add it to [fields] as \"b%d\", \"b%d hex\" or \"an%d\"",
			e.value.text, SerialLength, SerialLength, 2*SerialLength)
	case number == j.p.Serial, number == 64, number == 128, slices.Contains([]int{2, 14, 22, 23, 26, 35, 36, 39, 52, 53, 55}, number), j.says(number):
		j.found.at(e, "serial: field %d has another use; name one that is free", number)
	default:
		j.p.PINSerial = number
	}
}

// says reports whether a message that may carry a PIN has the field anyway.
func (j *judge) says(number int) bool {
	return slices.ContainsFunc(j.requests(), func(name string) bool {
		return slices.ContainsFunc(j.p.forms[name].Settings, func(s Setting) bool { return s.Field == number })
	})
}

// AsksPIN reports whether this acquirer wants the PIN of a card that asks for one with a transaction of that kind.
func (p *Profile) AsksPIN(k txn.Kind) bool {
	if p.pins == nil {
		return k.AsksPIN()
	}
	return slices.Contains(p.pins, k)
}
