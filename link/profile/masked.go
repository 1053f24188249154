package profile

import (
	"slices"

	"posagent/txnstore/txn"
)

// masked refuses what cannot be where the card reader keeps the number to itself. What is only told of, a reversal, a refund, a
// record of a batch, has no ciphertext either, and names its original by STAN, reference number or authorisation code. An offline
// sale has no original: there is none, and a form that a base has for it is dropped.
func (j *judge) masked(at entry) {
	offline := string(txn.OfflineSale)
	for _, section := range []string{offline, offline + "." + detail} {
		delete(j.p.forms, section)
		for _, e := range j.groups[section] {
			if e.file == j.file && !j.whole() {
				j.found.at(*e, "[%s]: names its card by number alone, and the card reader keeps that to itself; leave the section out", section)
				break
			}
		}
	}
	for _, told := range []struct {
		kind  txn.Kind
		facts []string
	}{{txn.Refund, []string{"of.reference", "of.stan"}}, {txn.CompletionNotice, []string{"of.auth", "of.reference", "of.stan"}}} {
		f := j.p.forms[string(told.kind)]
		if f.Type != "" && !slices.ContainsFunc(told.facts, f.says) {
			j.found.at(j.mine(string(told.kind), at), "[%s]: names its original nowhere, and the card's number stays in the reader; put {%s} into a field", told.kind, told.facts[0])
		}
	}
	if j.p.Blocks {
		j.found.at(j.mine("settlement", at), "[settlement]: details = \"blocks\" names each record by its card's number, which stays in the reader; "+
			"write details = \"messages\", if the acquirer takes records by their STAN")
	}
	if j.p.Certificates {
		j.found.at(j.mine("settlement", at), "[settlement]: certificates = \"told\" names each by its card's number, which stays in the reader; write certificates = \"kept\"")
	}
	if len(j.p.pins) > 0 {
		j.found.at(j.mine("pin", at), "[pin]: a PIN block is made with the card's number, which stays in the reader; write asked = [], or leave the section out")
	}
	j.p.pins = []txn.Kind{}
}

// whole reports whether the file is one without a base, as profile show writes it: it has what its base had.
func (j *judge) whole() bool { _, based := j.get("", "base"); return !based }

// mine is where the file itself speaks of a section, or else the entry that does not go with it.
func (j *judge) mine(section string, at entry) entry {
	for _, e := range j.groups[section] {
		if e.file == j.file {
			return *e
		}
	}
	return at
}
