package profile

import (
	"strconv"
	"strings"

	"posagent/txnstore/txn"
)

// Sections that a message is made of, the later over the earlier:
//
//	a kind          every  financial  KIND
//	a sale by code  every  financial  sale  sale.code
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
		if k == txn.Sale && len(j.groups[SaleByCode]) > 0 {
			j.form(SaleByCode, asks|scans, class, "every", "financial", kind, SaleByCode)
			if !j.p.forms[SaleByCode].says("code") {
				delete(j.p.forms, SaleByCode)
			}
		}
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
