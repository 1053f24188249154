package linktest

import (
	"fmt"
	"slices"
	"strings"

	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// A host that is spoken to in another profile than the direct connection's has a switch before its books, as banks have:
// what comes in is held against the profile and turned into what the books understand, and their answer is turned back.
//
//	terminal ──► hear ──► the same judges, the same ledger ──► say ──► terminal
//	              │ whatever is not exactly as the profile has it: 30
//
// Of the profile it takes what both sides have agreed on paper: types, texts and the places of facts. How these are read,
// and what they come to, is written here once more.

// heard is the message that is being answered.
type heard struct {
	outer *iso8583.Message // as it came
	name  string           // of its form
	form  profile.Form
	facts map[string]string // what it says
}

// tongue is the profile of a host that has one.
type tongue struct{ p *profile.Profile }

// kinds are the types of the books' own dialect (field 60.1) by the kind of transaction.
var kinds = map[txn.Kind]string{
	txn.Sale: typeSale, txn.Void: typeVoid, txn.Refund: typeRefund, txn.PreAuth: typePreAuth, txn.PreAuthCancel: typePreAuthCancel,
	txn.Completion: typeCompletion, txn.CompletionCancel: typeCompletionCancel, txn.CompletionNotice: typeCompletionNotice,
	txn.OfflineSale: typeOfflineSale,
}

// undone are the kinds whose message type an original must have.
var undone = map[txn.Kind]txn.Kind{txn.Void: txn.Sale, txn.Refund: txn.Sale, txn.PreAuthCancel: txn.PreAuth, txn.Completion: txn.PreAuth,
	txn.CompletionNotice: txn.PreAuth, txn.CompletionCancel: txn.Completion}

// hear finds the form that a message is in, and what it says.
func (g *tongue) hear(m *iso8583.Message) (heard, error) {
	type candidate struct {
		name string
		form profile.Form
		of   string // the type that a reversal's original must have
	}
	var all []candidate
	for _, name := range []string{profile.Balance, profile.SignIn, profile.Echo, profile.Settle, profile.Block, profile.EndEven, profile.EndOdd} {
		all = append(all, candidate{name, g.p.Form(name), ""})
	}
	all = append(all, candidate{profile.SaleByCode, g.p.Form(profile.SaleByCode), ""})
	for _, k := range txn.Kinds() {
		own := g.p.Form(string(k))
		all = append(all, candidate{string(k), own, ""}, candidate{string(k) + " reversal", g.p.Reversal(k), own.Type},
			candidate{string(k) + " detail", g.p.Detail(k), ""})
	}
	why := fmt.Errorf("no form has type %s", m.MTI())
	for _, c := range all {
		if c.form.Type == "" || m.MTI() != c.form.Type && m.MTI() != c.form.Repeat {
			continue
		}
		facts, err := match(c.form, m, g.p)
		if said := facts["of.type"]; err == nil && c.of != "" && said != "" && said != c.of {
			err = fmt.Errorf("its original is a %s", said)
		}
		if err == nil {
			return heard{m, c.name, c.form, facts}, nil
		}
		why = fmt.Errorf("%s: %w", c.name, err)
	}
	return heard{}, why
}

// match holds a message against a form: every field of it, and no other but the card's, a track's serial number and the MAC.
func match(f profile.Form, m *iso8583.Message, p *profile.Profile) (map[string]string, error) {
	facts := map[string]string{}
	own := []int{2, 14, 22, 23, 26, 35, 36, 52, 53, 55, m.MACField()}
	if m.Has(35) {
		own = append(own, p.Serial)
	}
	if m.Has(52) {
		own = append(own, p.PINSerial)
	}
	for _, s := range f.Settings {
		own = append(own, s.Field)
		if !m.Has(s.Field) {
			if !s.Optional() {
				return nil, fmt.Errorf("field %d is missing", s.Field)
			}
			continue
		}
		rest := m.Get(s.Field)
		for _, p := range s.Parts {
			size := len(rest)
			if least, most := p.Size(); least == most {
				size = most
			}
			if size > len(rest) || p.Text != "" && rest[:size] != p.Text {
				return nil, fmt.Errorf("field %d does not say what it should", s.Field)
			}
			if before, said := facts[p.Name]; said && p.Name != "" && before != rest[:size] {
				return nil, fmt.Errorf("field %d contradicts another", s.Field)
			}
			facts[p.Name], rest = rest[:size], rest[size:]
		}
		if rest != "" {
			return nil, fmt.Errorf("field %d says more than it should", s.Field)
		}
	}
	for field := range m.Fields() {
		if !slices.Contains(own, field) {
			return nil, fmt.Errorf("field %d does not belong there", field)
		}
	}
	delete(facts, "")
	return facts, nil
}

// translateLocked is the message in the books' own words.
func (a *Acquirer) translateLocked(h heard) (*iso8583.Message, error) {
	m := &a.inner
	m.Reset()
	m.Set(41, h.outer.Get(41))
	m.Set(42, h.outer.Get(42))
	if stan, said := h.facts["stan"]; said {
		m.Set(11, stan)
	}
	batch, said := h.facts["batch"]
	if !said {
		batch = fmt.Sprintf("%06d", a.books.Terminals[h.outer.Get(41)].Batch)
	}
	set := func(mti, private string) {
		m.SetMTI(mti)
		m.Set(60, private)
	}
	name, as, _ := strings.Cut(h.name, " ")
	switch name {
	case profile.SignIn:
		set(mtiSignIn, "00"+batch+"003")
		m.Set(62, "Sequence No12000000000000")
		m.Set(63, "01 ")
	case profile.Echo:
		set(mtiManage, "00"+batch+"301")
		m.Clear(11)
	case profile.Settle:
		set(mtiSettle, "00"+batch+networkDetail)
		m.Set(48, h.facts["totals"])
		m.Set(49, orYuan(h.facts["currency"]))
		m.Set(63, "01 ")
	case profile.Block:
		set(mtiUpload, "00"+batch+networkDetail)
		m.Set(48, h.facts["details"])
	case profile.EndEven, profile.EndOdd:
		network, told := networkOpen, h.facts["told"]
		n, _ := number(batch)
		closing := a.books.Terminals[h.outer.Get(41)].closing(n)
		if closing.Equal {
			network = networkEqual
		}
		if told == "" {
			told = fmt.Sprintf("%04d", len(closing.Details))
		}
		set(mtiUpload, "00"+batch+network)
		m.Set(48, told)
	case profile.Balance:
		set(mtiRequest, typeBalance+batch+"000600")
		m.Set(3, "310000")
		m.Set(25, "00")
		m.Set(49, orYuan(h.facts["currency"]))
		copyCard(m, h.outer, 2, 14, 22, 23, 35, 36, 55, 64)
		copyPIN(m, h.outer)
	case profile.SaleByCode:
		m.Set(59, fmt.Sprintf("A3%03d%s", len(h.facts["code"]), h.facts["code"]))
		return m, a.translateTradeLocked(m, h, txn.Sale, false, batch)
	default:
		if as == "detail" {
			return m, a.translateDetail(m, h, batch)
		}
		return m, a.translateTradeLocked(m, h, txn.Kind(name), as == "reversal", batch)
	}
	return m, nil
}

// copyPIN takes what belongs to a PIN, where there is one: field 53 may speak of tracks alone.
func copyPIN(to, from *iso8583.Message) {
	if from.Has(52) || from.Has(26) {
		copyCard(to, from, 26, 52, 53)
	}
}

// translateTradeLocked is that of a transaction, or of its reversal.
func (a *Acquirer) translateTradeLocked(m *iso8583.Message, h heard, k txn.Kind, reversal bool, batch string) error {
	code := kinds[k]
	f := forms[code]
	m.SetMTI(f.mti)
	m.Set(3, f.processing)
	m.Set(4, h.facts["amount"])
	m.Set(25, f.condition)
	m.Set(49, orYuan(h.facts["currency"]))
	m.Set(60, code+batch+"000600")
	copyCard(m, h.outer, 2, 14, 22, 23, 35, 36, 55, 64)
	copyPIN(m, h.outer)
	if reversal {
		return a.translateReversalLocked(m, h, k, f, batch)
	}
	if of, named := undone[k]; named {
		if said := h.facts["of.type"]; said != "" && said != a.tongue.p.Form(string(of)).Type {
			return fmt.Errorf("the original of a %s is no %s", k, said)
		}
	}
	date := h.facts["of.date"]
	if sent := h.facts["of.sent"]; date == "" && sent != "" {
		date = sent[:4]
		for _, row := range a.books.Terminals[h.outer.Get(41)].Rows {
			if row.Sent == sent && fmt.Sprintf("%06d", row.STAN) == h.facts["of.stan"] {
				date = row.Day
			}
		}
	}
	words := strings.Fields(f.must + " " + f.may)
	if slices.Contains(words, "37") {
		m.Set(37, h.facts["of.reference"])
	}
	if auth := h.facts["of.auth"]; slices.Contains(words, "38") && auth != "" {
		m.Set(38, auth)
	}
	if slices.Contains(words, "63") {
		m.Set(63, ownScheme)
	}
	ofBatch := h.facts["of.batch"]
	if ofBatch == "" {
		ofBatch = batch
	}
	switch k {
	case txn.Void:
		m.Set(61, ofBatch+h.facts["of.stan"])
	case txn.CompletionCancel:
		m.Set(61, ofBatch+h.facts["of.stan"]+date)
	case txn.OfflineSale:
		m.Set(61, "000000000000000001")
	case txn.Sale, txn.PreAuth:
	default:
		m.Set(61, "000000000000"+date)
	}
	return nil
}

// translateReversalLocked finds what is reversed by what the reversal calls it, and holds its names against the books.
func (a *Acquirer) translateReversalLocked(m *iso8583.Message, h heard, k txn.Kind, f form, batch string) error {
	m.SetMTI(mtiReversal)
	m.Clear(35)
	stan := h.facts["stan"]
	if said := h.facts["of.stan"]; said != "" {
		if !a.tongue.p.FreshSTAN && said != stan {
			return fmt.Errorf("a reversal with STAN %s names STAN %s", stan, said)
		}
		stan = said
	}
	m.Set(11, stan)
	b, _ := number(batch)
	n, _ := number(stan)
	if row, found := a.books.row(rowKey{h.outer.Get(41), b, n}); found && row.Sent != "" && h.facts["of.sent"] != "" && h.facts["of.sent"] != row.Sent {
		return fmt.Errorf("STAN %s was not sent at %s", stan, h.facts["of.sent"])
	}
	reason := ""
	for _, one := range []txn.Reason{txn.NoAnswer, txn.NotDone, txn.BadMAC, txn.OtherCause} {
		if said, does := h.facts["reason"]; !does || said == a.tongue.p.Reasons[one] {
			reason = string(one)
			break
		}
	}
	if reason == "" {
		return fmt.Errorf("%s is not the reason of a reversal", h.facts["reason"])
	}
	m.Set(39, reason)
	if auth := h.facts["of.auth"]; auth != "" {
		m.Set(38, auth)
	}
	if f.must != "" {
		m.Set(61, batch+stan)
		if k != txn.Void {
			m.Set(61, batch+stan+"0000")
		}
	}
	return nil
}

// translateDetail is one record in a block of its own.
func (a *Acquirer) translateDetail(m *iso8583.Message, h heard, batch string) error {
	number := h.outer.Get(2)
	if a.o.Profile.Tracks == profile.ReaderTracks && !scanned(h.outer) {
		number, _ = a.accountLocked(h.outer.Get(41), func(r Row) bool { return fmt.Sprintf("%06d", r.STAN) == h.facts["stan"] })
	}
	pan, err := txn.ParsePAN(number)
	if err != nil && !scanned(h.outer) {
		return err
	}
	organisation := "01"
	if scanned(h.outer) || schemeOf(pan) == ownScheme {
		organisation = "00"
	}
	m.SetMTI(mtiUpload)
	m.Set(48, fmt.Sprintf("01%s%s%020s%s", organisation, h.facts["stan"], pan.DigitsInTheClear(), h.facts["amount"]))
	m.Set(60, "00"+batch+networkDetail)
	return nil
}

func orYuan(currency string) string {
	if currency == "" {
		return "156"
	}
	return currency
}

func copyCard(to, from *iso8583.Message, fields ...int) {
	for _, field := range fields {
		switch {
		case field == 64 && from.Has(from.MACField()):
			to.SetBytes(64, from.Bytes(from.MACField()))
		case field != 64 && from.Has(field):
			to.SetBytes(field, from.Bytes(field))
		}
	}
}
