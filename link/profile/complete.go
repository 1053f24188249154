package profile

import (
	"slices"
)

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
