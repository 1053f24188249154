package acquirer

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// content is what a message may say, beside what the card gives: the facts of package profile, each where it is known.
type content struct {
	host  *Host
	what  string // for errors
	stan  uint32
	batch uint32
	sent  time.Time // field 7
	at    time.Time // fields 12 and 13

	amount   txn.Amount
	currency txn.Currency
	scheme   string
	entry    txn.Entry
	reason   string
	of       original
	answer   txn.Answer
	code     txn.PayCode // of a sale by payment code

	own    txn.Sums // of a settlement
	totals string
	told   int
}

// original is the transaction that another names; a reversal names the one that it reverses.
type original struct {
	kind        txn.Kind
	stan, batch uint32
	sent, date  string
	rrn, auth   string
	mode, unit  string
}

// write puts the settings of a form into a new message. A setting that is optional is left out where its fact is not known.
func (h *Host) write(f profile.Form, c content) (*iso8583.Message, error) {
	m := new(iso8583.Message)
	m.SetMTI(f.Type)
	for _, s := range f.Settings {
		var text strings.Builder
		unknown := false
		for _, part := range s.Parts {
			if part.Name == "" {
				text.WriteString(part.Text)
				continue
			}
			value, err := c.fact(part)
			if err != nil {
				return nil, err
			}
			unknown = unknown || value == "" && part.Optional
			text.WriteString(value)
		}
		if !unknown {
			m.Set(s.Field, text.String())
		}
	}
	return m, nil
}

// fact is one of them as it travels; "" is one that is not known.
func (c *content) fact(p profile.Part) (string, error) {
	o := &c.host.o
	switch p.Name {
	case "stan":
		return six(c.stan), nil
	case "batch":
		return six(c.batch), nil
	case "terminal":
		return o.Terminal, nil
	case "merchant":
		return o.Merchant, nil
	case "operator":
		return fmt.Sprintf("%-*s", operatorLength, orElse(o.Operator, "01")), nil
	case "serial":
		return orElse(o.Serial, strings.Repeat("0", serialLength)), nil
	case "keys":
		if o.EncryptTracks {
			return networkSignInTracks, nil
		}
		return networkSignIn, nil
	case "sent":
		return c.sent.UTC().Format(sentLayout), nil
	case "time":
		return c.at.In(c.host.zone()).Format("150405"), nil
	case "date":
		return c.at.In(c.host.zone()).Format("0102"), nil
	case "amount":
		return fmt.Sprintf("%012d", int64(c.amount)), nil
	case "currency":
		return c.currency.Number, nil
	case "scheme":
		return c.scheme, nil
	case "chip":
		if c.entry == txn.Fallback {
			return chipFailed, nil
		}
		return chipOrdinary, nil
	case "code":
		return c.code.DigitsInTheClear(), nil
	case "code.length":
		return fmt.Sprintf("%03d", len(c.code.DigitsInTheClear())), nil
	case "reason":
		return c.reason, nil
	case "answer.reference":
		return padded(c.answer.RRN, 12), nil
	case "answer.auth":
		return padded(c.answer.AuthCode, 6), nil
	case "totals":
		return c.totals, nil
	case "details":
		return "", nil // card numbers, which no string holds: they are put in as bytes
	case "told":
		return fmt.Sprintf("%04d", min(c.told, mostTold)), nil
	}
	if value, known, err := c.named(p); known {
		return value, err
	}
	return c.sum(p)
}

// named is a fact of the original.
func (c *content) named(p profile.Part) (value string, known bool, err error) {
	need := func(value string, length int, what string) (string, bool, error) {
		if value == "" && !p.Optional || value != "" && length > 0 && len(value) != length {
			return "", true, fmt.Errorf("the %s names no %s of its original", c.what, what)
		}
		return value, true, nil
	}
	switch p.Name {
	case "of.type":
		return c.host.o.Profile.Form(string(c.of.kind)).Type, true, nil
	case "of.stan":
		return six(c.of.stan), true, nil
	case "of.batch":
		return six(c.of.batch), true, nil
	case "of.sent":
		switch {
		case c.of.sent != "":
			return c.of.sent, true, nil
		case len(c.of.date) == 4:
			return c.of.date + "000000", true, nil
		}
		return "0000000000", true, nil
	case "of.date":
		return need(c.of.date, 4, "date")
	case "of.reference":
		return need(padded(c.of.rrn, 12), 0, "reference number")
	case "of.auth":
		return need(padded(c.of.auth, 6), 0, "authorisation code")
	case "of.mode":
		return need(c.of.mode, 2, "way in which it was authorised")
	case "of.unit":
		return c.of.unit, true, nil
	}
	return "", false, nil
}

// sum is a total of a settlement, as wide as the profile has it.
func (c *content) sum(p profile.Part) (string, error) {
	net := int64(c.own.Debit.Amount) - int64(c.own.Credit.Amount)
	var n int64
	switch p.Name {
	case "debit.count":
		n = int64(c.own.Debit.Count)
	case "debit.amount":
		n = int64(c.own.Debit.Amount)
	case "credit.count":
		n = int64(c.own.Credit.Count)
	case "credit.amount":
		n = int64(c.own.Credit.Amount)
	case "net.amount":
		n = max(net, -net)
	case "net.side":
		if net < 0 {
			return "C", nil
		}
		return "D", nil
	default:
		return "", fmt.Errorf("this version does not know {%s}", p.Name)
	}
	text := fmt.Sprintf("%0*d", p.Width, n)
	if len(text) > p.Width {
		return "", fmt.Errorf("a total of the batch has more than %d digits", p.Width)
	}
	return text, nil
}

const sentLayout = txn.SentLayout

func six(n uint32) string { return fmt.Sprintf("%06d", n) }

func padded(value string, width int) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf("%-*s", width, value)
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// originals are the kinds that each kind names.
var originals = map[txn.Kind]txn.Kind{txn.Void: txn.Sale, txn.Refund: txn.Sale, txn.PreAuthCancel: txn.PreAuth,
	txn.Completion: txn.PreAuth, txn.CompletionNotice: txn.PreAuth, txn.CompletionCancel: txn.Completion, txn.OfflineSale: txn.OfflineSale}

// contentOf is what a transaction's own message says, in its first copy and in every other.
func (h *Host) contentOf(t txn.Txn) content {
	o := t.Original
	return content{host: h, what: string(t.Kind), stan: t.STAN, batch: t.Batch, sent: t.Began, at: t.Began, amount: t.Amount,
		currency: t.Currency, scheme: organisationOf(t.Card.PAN), entry: t.Card.Entry, answer: t.Answer,
		of: original{kind: originals[t.Kind], stan: o.STAN, batch: o.Batch, sent: o.Sent, date: o.Date, rrn: o.RRN, auth: o.AuthCode, mode: o.Mode, unit: o.Unit}}
}

// message writes what a transaction and its reversal share, which is how the acquirer finds the one from the other.
func (h *Host) message(t txn.Txn, f profile.Form, c content) (*iso8583.Message, error) {
	switch {
	case !t.Kind.Known() || f.Type == "":
		return nil, fmt.Errorf("kind %q cannot be sent by this version", t.Kind)
	case !t.Amount.Valid():
		return nil, fmt.Errorf("%w: %d minor units", txn.ErrAmount, t.Amount)
	case t.STAN == 0 || t.Batch == 0:
		return nil, errors.New("the record has no STAN or no batch")
	}
	m, err := h.write(f, c)
	if err != nil {
		return nil, err
	}
	m.Set(41, t.Terminal)
	m.Set(42, t.Merchant)
	return m, setEntry(m, t.Card)
}

// requestMessage asks for a decision.
func (h *Host) requestMessage(t txn.Txn, p txn.Presented) (*iso8583.Message, error) {
	if t.Kind.Advice() {
		return nil, fmt.Errorf("a %s is an advice, no request", t.Kind)
	}
	form, said := string(t.Kind), h.contentOf(t)
	if t.Code.Print() != p.Code.Fingerprint() {
		return nil, errors.New("the record and the request differ about a payment code")
	}
	if !p.Code.IsZero() {
		form, said.code = profile.SaleByCode, p.Code
	}
	m, err := h.message(t, h.o.Profile.Form(form), said)
	if err != nil {
		return nil, err
	}
	h.setPINSerial(m, p.PIN)
	return m, h.setCard(m, t.Card, p)
}

// adviceMessage tells what is done. It says nothing that is not on record, no track and no chip data, so that each copy of it,
// also one after a power cut, is the same message; where the profile has it so, every copy but the first says so in its type.
func (h *Host) adviceMessage(t txn.Txn, again bool) (*iso8583.Message, error) {
	if !t.Kind.Advice() {
		return nil, fmt.Errorf("a %s is no advice", t.Kind)
	}
	f := h.o.Profile.Form(string(t.Kind))
	m, err := h.message(t, f, h.contentOf(t))
	if err != nil {
		return nil, err
	}
	if again {
		m.SetMTI(f.Repeat)
	}
	h.setNumber(m, t.Card)
	return m, nil
}

// reversalMessage is the request again as the profile's reversal has it: less track and PIN, with number and expiry whatever
// the entry mode, the authorisation code if one was seen, and the reason. That of what undoes or follows another names
// itself.
func (h *Host) reversalMessage(t txn.Txn, again bool) (*iso8583.Message, error) {
	if t.Kind.Advice() {
		return nil, errors.New("an advice is repeated, never reversed")
	}
	c := h.contentOf(t)
	c.of = original{kind: t.Kind, stan: t.STAN, batch: t.Batch, sent: t.Began.UTC().Format(sentLayout), date: "0000",
		rrn: t.Answer.RRN, auth: orElse(t.Answer.AuthCode, t.Original.AuthCode)}
	if len(t.Answer.HostDate) == 4 {
		c.of.date = t.Answer.HostDate
	}
	if !t.Tries.Last.IsZero() {
		c.sent = t.Tries.Last
	}
	c.reason = h.o.Profile.Reasons[t.Reason]
	if h.o.Profile.FreshSTAN {
		stan, err := h.o.STAN()
		if err != nil {
			return nil, fmt.Errorf("no STAN: %w", err)
		}
		c.stan = stan
	}
	f := h.o.Profile.Reversal(t.Kind)
	m, err := h.message(t, f, c)
	if err != nil {
		return nil, err
	}
	if again {
		m.SetMTI(f.Repeat)
	}
	h.setNumber(m, t.Card)
	if chip(t.Card.Entry) && !t.Card.Chip.IsZero() {
		setChip(m, t.Card.Chip)
	}
	return m, nil
}
