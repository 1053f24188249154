package profile

import (
	"slices"

	"posagent/txnstore/txn"
)

// pins reads which kinds ask for a PIN of a card that wants one. Without the section it is as txn.Kind.AsksPIN has it.
//
//	[pin]
//	asked = ["sale", "preauth", "void"]
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
	if len(j.p.pins) > 0 && j.p.Dialect.Fields[52].Max == 0 && !j.broken[52] {
		j.found.at(j.rowOr(e, 52), "field 52: is not in the table, and carries the PIN; add it")
	}
}

// AsksPIN reports whether this acquirer wants the PIN of a card that asks for one with a transaction of that kind.
func (p *Profile) AsksPIN(k txn.Kind) bool {
	if p.pins == nil {
		return k.AsksPIN()
	}
	return slices.Contains(p.pins, k)
}
