package linktest

import (
	"fmt"
	"slices"

	"posagent/link/iso8583"
	"posagent/link/profile"
)

// say turns the books' answer back into the profile's words. What an answer repeats is as the request had it, unless a fault
// has changed it meanwhile. It is written into m.
func (g *tongue) say(m *iso8583.Message, h heard, out *iso8583.Message) *iso8583.Message {
	m.Reset()
	mti := []byte(h.outer.MTI())
	mti[2], mti[3] = mti[2]+1, '0'
	m.SetMTI(string(mti))
	d := g.p.Dialect
	for _, field := range []int{3, 7, 25} {
		if h.outer.Has(field) {
			m.Set(field, h.outer.Get(field))
		}
	}
	for _, field := range []int{4, 11, 12, 13, 15, 32, 37, 38, 39, 41, 42, 49, 54, 66, 74, 75, 76, 77, 86, 87, 88, 89} {
		if out.Has(field) && d.Has(field) {
			m.SetBytes(field, out.Bytes(field))
		}
	}
	if g.p.Institutions && out.Has(44) {
		m.SetBytes(44, out.Bytes(44))
	}
	if g.p.Texts && out.Has(63) {
		m.SetBytes(63, out.Bytes(63))
	}
	if g.p.Flags && out.Has(48) {
		m.SetBytes(48, out.Bytes(48))
	}
	if h.name == profile.SignIn && out.Has(62) {
		m.SetBytes(g.p.Keys, out.Bytes(62))
	}
	if field, at := h.form.Place("batch"); field != 0 && h.outer.Has(field) {
		text := []byte(h.outer.Get(field))
		if private := out.Get(60); len(private) >= 8 && at+6 <= len(text) {
			copy(text[at:at+6], private[2:8])
		}
		m.SetBytes(field, text)
	}
	return m
}

// reconcileLocked compares totals that know one organisation (ISO 8583:1987, 0500): 66 is 1 where they agree, 2 where the
// host's own stand in the answer.
func (a *Acquirer) reconcileLocked(h heard, out *iso8583.Message) {
	terminal := h.outer.Get(41)
	book := a.books.Terminals[terminal]
	batch := book.Batch
	if said := h.facts["batch"]; said != "" {
		batch, _ = number(said)
	}
	if batch != book.Batch {
		out.Set(39, codeBatch)
		return
	}
	read := func(count, amount string) Sum {
		return parseSums(fmt.Sprintf("%012s%03s", lastDigits(h.facts[amount], 12), lastDigits(h.facts[count], 3)) + "000000000000000").Debit
	}
	theirs := Sums{read("debit.count", "debit.amount"), read("credit.count", "credit.amount")}
	totals := a.books.totals(terminal, batch)
	own := Sums{totals.Domestic.Debit.plus(totals.Foreign.Debit), totals.Domestic.Credit.plus(totals.Foreign.Credit)}
	closing := book.closing(batch)
	closing.Asked++
	closing.Host, closing.Terminal = Totals{Domestic: own}, Totals{Domestic: theirs}
	closing.Equal = own == theirs
	a.books.keep(terminal, closing)
	a.keepLocked("")
	out.Set(39, codeApproved)
	out.Set(66, map[bool]string{true: "1", false: "2"}[closing.Equal])
	for field, n := range map[int]int64{74: int64(own.Credit.Count), 76: int64(own.Debit.Count), 75: 0, 77: 0} {
		out.Set(field, fmt.Sprintf("%010d", n))
	}
	for field, n := range map[int]int64{86: int64(own.Credit.Amount), 88: int64(own.Debit.Amount), 87: 0, 89: 0} {
		out.Set(field, fmt.Sprintf("%016d", n))
	}
}

func (s Sum) plus(o Sum) Sum { return Sum{s.Count + o.Count, s.Amount + o.Amount} }

func lastDigits(digits string, n int) string { return digits[max(0, len(digits)-n):] }

// checkProfile refuses a profile that this host could not speak.
func checkProfile(p *profile.Profile) error {
	if p != nil && !slices.Contains([]string{"ecb", "x9.9"}, p.MAC) {
		return fmt.Errorf("profile %s asks for MAC %s; this host computes ecb and x9.9", p.Name, p.MAC)
	}
	return nil
}
