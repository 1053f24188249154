package linktest

import (
	"fmt"
	"strconv"
	"strings"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// This file reads requests as strictly as the description allows: what a lenient host forgives, a strict one in another
// province refuses. Every fault found is answered 30.

// parseRequest reads a 0200 without PIN: a sale, or the void of one, which names its sale by reference number, batch and
// STAN.
func parseRequest(m *iso8583.Message) (entry, error) {
	must, may := "3 4 11 22 25 41 42 49 60 64", "2 14 23 35 36 55"
	if typeOf(m) == typeVoid {
		must, may = must+" 37 61", may+" 38"
	}
	if err := fields(m, must, may); err != nil {
		return entry{}, err
	}
	e, err := parseCommon(m)
	if err == nil {
		err = e.readCard(m)
	}
	if err != nil || e.kind != Void {
		return e, err
	}
	return e, e.readOriginal(m)
}

// readCard reads the card as its entry mode brings it.
func (e *entry) readCard(m *iso8583.Message) error {
	way, pin := m.Get(22)[:2], m.Get(22)[2:]
	chip := way == "05" || way == "07"
	switch {
	case pin != "2":
		return fmt.Errorf("field 22 announces a PIN")
	case way == "01" && (!m.Has(2) || !m.Has(14) || m.Has(35) || m.Has(55)):
		return fmt.Errorf("keyed: fields 2 and 14, and no track")
	case (way == "02" || way == "91") && (m.Has(2) || !m.Has(35) || m.Has(55)):
		return fmt.Errorf("magnetic stripe: field 35, and the number is taken from it")
	case chip && (!m.Has(2) || !m.Has(14) || !m.Has(35) || !m.Has(55)):
		return fmt.Errorf("chip: fields 2, 14, 35 and 55")
	case !chip && way != "01" && way != "02" && way != "91":
		return fmt.Errorf("field 22: entry mode %s is not known", way)
	}
	if m.Has(35) {
		return e.readTrack(m)
	}
	return e.readNumber(m)
}

// readOriginal reads how a void calls its sale.
func (e *entry) readOriginal(m *iso8583.Message) (err error) {
	e.rrn, e.auth = strings.TrimSpace(m.Get(37)), strings.TrimSpace(m.Get(38))
	e.of, err = parseVoucher(m.Get(61))
	return err
}

// parseVoucher reads the batch and the STAN of field 61.
func parseVoucher(original string) (v Voucher, err error) {
	if len(original) != 12 {
		return v, fmt.Errorf("field 61: want a batch and a STAN of six digits each")
	}
	if v.Batch, err = number(original[:6]); err == nil {
		v.STAN, err = number(original[6:])
	}
	return v, err
}

// parseRefund reads a 0220 of type 25: the sale by reference number, and its date behind twelve zeros in field 61.
func parseRefund(m *iso8583.Message) (entry, error) {
	if err := fields(m, "2 3 4 11 22 25 37 41 42 49 60 61 63 64", "14 23 35 55"); err != nil {
		return entry{}, err
	}
	e, err := parseCommon(m)
	date, dated := strings.CutPrefix(m.Get(61), "000000000000")
	switch {
	case err != nil:
		return entry{}, err
	case e.kind != Refund:
		return entry{}, fmt.Errorf("field 60: type %s is no refund", typeOf(m))
	case m.Get(22)[2:] != "2":
		return entry{}, fmt.Errorf("field 22 announces a PIN")
	case !dated || len(date) != 4:
		return entry{}, fmt.Errorf("field 61: want twelve zeros and the date of the sale")
	case len(m.Get(63)) != 3:
		return entry{}, fmt.Errorf("field 63: want the card organisation")
	}
	e.rrn, e.date = strings.TrimSpace(m.Get(37)), date
	return e, e.readNumber(m)
}

// parseReversal reads the 0400 of a sale or of a void: what the request had, less track, PIN and reference, with the reason
// in field 39. That of a void names the void itself in field 61.
func parseReversal(m *iso8583.Message) (entry, error) {
	must := "2 3 4 11 14 22 25 39 41 42 49 60 64"
	if typeOf(m) == typeVoid {
		must += " 61"
	}
	if err := fields(m, must, "23 38 55"); err != nil {
		return entry{}, err
	}
	if !reversalReason(m.Get(39)) {
		return entry{}, fmt.Errorf("field 39: %s is not the reason of a reversal", m.Get(39))
	}
	e, err := parseCommon(m)
	if err == nil && e.kind == Refund {
		err = fmt.Errorf("field 60: a refund is never reversed")
	}
	if err == nil && e.kind == Void {
		e.of, err = parseVoucher(m.Get(61))
	}
	if err == nil && e.kind == Void && e.of != (Voucher{e.batch, e.stan}) {
		err = fmt.Errorf("field 61: the reversal of a void names the void")
	}
	e.of = Voucher{}
	if err != nil {
		return entry{}, err
	}
	return e, e.readNumber(m)
}

func parseCommon(m *iso8583.Message) (entry, error) {
	e := entry{currency: m.Get(49)}
	e.terminal = m.Get(41)
	amount, err := strconv.ParseInt(m.Get(4), 10, 64)
	if err != nil || !txn.Amount(amount).Valid() {
		return entry{}, fmt.Errorf("field 4 is no amount")
	}
	e.amount = txn.Amount(amount)
	kind, processing := kindOf(typeOf(m))
	e.kind = kind
	switch {
	case m.Get(3) != processing:
		return entry{}, fmt.Errorf("field 3: %s is no %s", m.Get(3), kind)
	case m.Get(25) != "00":
		return entry{}, fmt.Errorf("field 25: %s is no %s", m.Get(25), kind)
	case e.currency != "156":
		return entry{}, fmt.Errorf("field 49: currency %s is not served", e.currency)
	case m.Has(23) && m.Get(22)[:2] != "05" && m.Get(22)[:2] != "07":
		return entry{}, fmt.Errorf("field 23 without a chip")
	}
	if e.stan, err = number(m.Get(11)); err != nil || e.stan == 0 {
		return entry{}, fmt.Errorf("field 11 is no STAN")
	}
	kinds := map[Kind]string{Sale: typeSale, Void: typeVoid, Refund: typeRefund}
	e.batch, err = parsePrivate(m.Get(60), kinds[kind], "000")
	return e, err
}

// parsePrivate reads field 60: type 2, batch 6, network code 3, and of a financial message at least the reader's
// capability and the chip condition after them.
func parsePrivate(private, kind, network string) (batch uint32, err error) {
	least := 11
	if network == "000" {
		least = 13
	}
	if len(private) < least || private[:2] != kind || private[8:11] != network {
		return 0, fmt.Errorf("field 60: want type %s and network code %s in at least %d digits", kind, network, least)
	}
	if network == "000" && (!strings.Contains("0256", private[11:12]) || !strings.Contains("012", private[12:13])) {
		return 0, fmt.Errorf("field 60: capability %s or condition %s is not known", private[11:12], private[12:13])
	}
	return number(private[2:8])
}

func (e *entry) readNumber(m *iso8583.Message) (err error) {
	e.expiry = m.Get(14)
	if e.pan, err = txn.ParsePAN(m.Get(2)); err != nil {
		return fmt.Errorf("field 2: %w", err)
	}
	return nil
}

// readTrack takes number and expiry from track 2, and holds fields 2 and 14 against it where they are sent too.
func (e *entry) readTrack(m *iso8583.Message) error {
	track, err := txn.ParseTrack(m.Get(35))
	if err != nil {
		return fmt.Errorf("field 35: %w", err)
	}
	if e.pan, e.expiry, err = track.Card(); err != nil {
		return fmt.Errorf("field 35: %w", err)
	}
	if m.Has(2) && m.Get(2) != e.pan.DigitsInTheClear() || m.Has(14) && m.Get(14) != e.expiry {
		return fmt.Errorf("fields 2 and 14 differ from field 35")
	}
	return nil
}

// fields holds the message against what it must and may carry.
func fields(m *iso8583.Message, must, may string) error {
	allowed := map[string]bool{}
	for _, f := range strings.Fields(must) {
		if n, err := strconv.Atoi(f); err != nil || !m.Has(n) {
			return fmt.Errorf("field %s is missing", f)
		}
		allowed[f] = true
	}
	for _, f := range strings.Fields(may) {
		allowed[f] = true
	}
	for f := range m.Fields() {
		if !allowed[strconv.Itoa(f)] {
			return fmt.Errorf("field %d does not belong in a %s", f, m.MTI())
		}
	}
	return nil
}

func number(digits string) (uint32, error) {
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err
}
