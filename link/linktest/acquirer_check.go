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

// parseRequest reads a 0100 or a 0200. What undoes or follows another names it as its form says.
func parseRequest(m *iso8583.Message) (entry, error) {
	f := formOf(m)
	if m.MTI() != f.mti {
		return entry{}, fmt.Errorf("field 60: type %s does not travel in a %s", typeOf(m), m.MTI())
	}
	may := "2 14 23 26 35 36 52 53 55 " + f.may
	if scanned(m) {
		may = "59 " + f.may
	}
	if err := fields(m, "3 4 11 22 25 41 42 49 60 64 "+f.must, may); err != nil {
		return entry{}, err
	}
	e, err := parseCommon(m)
	if err == nil {
		err = e.readCard(m)
	}
	if err != nil {
		return e, err
	}
	return e, e.readOriginal(m)
}

// readCard reads the card as its entry mode brings it.
func (e *entry) readCard(m *iso8583.Message) error {
	way, pin := m.Get(22)[:2], m.Get(22)[2:]
	chip := way == "05" || way == "07"
	if scanned(m) {
		return e.readCode(m)
	}
	switch {
	case pin != "1" && pin != "2":
		return fmt.Errorf("field 22 does not say whether there is a PIN")
	case (pin == "1") != m.Has(52) || m.Has(52) != m.Has(26) || m.Has(52) && (m.Get(26) != "12" || m.Get(53) != "2600000000000000") || m.Has(53) && !m.Has(52):
		return fmt.Errorf("fields 26, 52 and 53 are not those that field 22 announces")
	case way == "01" && (!m.Has(2) || !m.Has(14) || m.Has(35) || m.Has(55)):
		return fmt.Errorf("keyed: fields 2 and 14, and no track")
	case (way == "02" || way == "91") && (m.Has(2) || !m.Has(35) || m.Has(55)):
		return fmt.Errorf("magnetic stripe: field 35, and the number is taken from it")
	case chip && (!m.Has(2) || !m.Has(14) || !m.Has(35) || !m.Has(55)):
		return fmt.Errorf("chip: fields 2, 14, 35 and 55")
	case !chip && way != "01" && way != "02" && way != "91":
		return fmt.Errorf("field 22: entry mode %s is not known", way)
	}
	e.pin = m.Bytes(52)
	if m.Has(35) {
		return e.readTrack(m)
	}
	return e.readNumber(m)
}

// readOriginal reads how a transaction calls another: a void and the cancellation of a completion by reference number, batch
// and STAN, what follows a pre-authorisation by its authorisation code and date behind twelve zeros, a refund by reference
// number and date.
func (e *entry) readOriginal(m *iso8583.Message) (err error) {
	e.rrn, e.auth = strings.TrimSpace(m.Get(37)), strings.TrimSpace(m.Get(38))
	original := m.Get(61)
	switch e.kind {
	case Void:
		e.of, err = parseVoucher(original)
	case CompletionCancel:
		if len(original) != 16 {
			return fmt.Errorf("field 61: want batch, STAN and date of the completion")
		}
		e.of, err = parseVoucher(original[:12])
	case OfflineSale:
		how, zeros := strings.CutPrefix(original, "0000000000000000")
		if !zeros || len(how) != 2 && len(how) != 13 || e.auth == "" {
			return fmt.Errorf("field 61: want sixteen zeros, how it was authorised, and perhaps by whom")
		}
	case PreAuthCancel, Completion, CompletionNotice, Refund:
		date, dated := strings.CutPrefix(original, "000000000000")
		if !dated || len(date) != 4 {
			return fmt.Errorf("field 61: want twelve zeros and the date of the original")
		}
		e.date = date
	}
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

// parseAdvice reads a 0220: the card's number and no track, and the original as its form says.
func parseAdvice(m *iso8583.Message) (entry, error) {
	f := formOf(m)
	if m.MTI() != f.mti {
		return entry{}, fmt.Errorf("field 60: type %s is no advice", typeOf(m))
	}
	card := "2 "
	if scanned(m) {
		card = ""
	}
	if err := fields(m, card+"3 4 11 22 25 41 42 49 60 64 "+f.must, "14 23 35 55 "+f.may); err != nil {
		return entry{}, err
	}
	e, err := parseCommon(m)
	switch {
	case err != nil:
		return entry{}, err
	case m.Get(22)[2:] != "2":
		return entry{}, fmt.Errorf("field 22 announces a PIN")
	case m.Has(63) && len(m.Get(63)) != 3:
		return entry{}, fmt.Errorf("field 63: want the card organisation")
	}
	if err := e.readOriginal(m); err != nil {
		return entry{}, err
	}
	return e, e.readNumber(m)
}

// parseReversal reads a 0400: what the request had, less track, PIN and reference, with the reason in field 39. That of a
// void names the void itself in field 61; that of what follows a pre-authorisation does the same, with the date that the
// answer gave or four zeros behind it.
func parseReversal(m *iso8583.Message) (entry, error) {
	must := "2 3 4 11 14 22 25 39 41 42 49 60 64"
	if scanned(m) {
		must = "3 4 11 22 25 39 41 42 49 60 64"
	}
	f := formOf(m)
	if f.must != "" {
		must += " 61"
	}
	if err := fields(m, must, "23 38 55"); err != nil {
		return entry{}, err
	}
	if !reversalReason(m.Get(39)) {
		return entry{}, fmt.Errorf("field 39: %s is not the reason of a reversal", m.Get(39))
	}
	e, err := parseCommon(m)
	if err == nil && f.mti == mtiAdvice {
		err = fmt.Errorf("field 60: an advice is never reversed")
	}
	if err == nil && f.must != "" {
		err = e.namesItself(m.Get(61))
	}
	if err != nil {
		return entry{}, err
	}
	return e, e.readNumber(m)
}

// namesItself holds field 61 of a reversal against the transaction that is reversed.
func (e *entry) namesItself(original string) error {
	length := 16
	if e.kind == Void {
		length = 12
	}
	if len(original) != length {
		return fmt.Errorf("field 61 of the reversal of a %s: want %d digits", e.kind, length)
	}
	if v, err := parseVoucher(original[:12]); err != nil || v != (Voucher{e.batch, e.stan}) {
		return fmt.Errorf("field 61: the reversal of a %s names the %s", e.kind, e.kind)
	}
	return nil
}

func parseCommon(m *iso8583.Message) (entry, error) {
	e := entry{currency: m.Get(49)}
	e.terminal = m.Get(41)
	amount, err := strconv.ParseInt(m.Get(4), 10, 64)
	if err != nil || !txn.Amount(amount).Valid() {
		return entry{}, fmt.Errorf("field 4 is no amount")
	}
	e.amount = txn.Amount(amount)
	f := formOf(m)
	e.kind = f.kind
	switch {
	case m.Get(3) != f.processing:
		return entry{}, fmt.Errorf("field 3: %s is no %s", m.Get(3), e.kind)
	case m.Get(25) != f.condition:
		return entry{}, fmt.Errorf("field 25: %s is no %s", m.Get(25), e.kind)
	case e.currency != "156":
		return entry{}, fmt.Errorf("field 49: currency %s is not served", e.currency)
	case m.Has(23) && m.Get(22)[:2] != "05" && m.Get(22)[:2] != "07":
		return entry{}, fmt.Errorf("field 23 without a chip")
	}
	if e.stan, err = number(m.Get(11)); err != nil || e.stan == 0 {
		return entry{}, fmt.Errorf("field 11 is no STAN")
	}
	private := typeOf(m)
	if _, known := forms[private]; !known {
		private = typeSale
	}
	e.batch, err = parsePrivate(m.Get(60), private, "000")
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
	if e.scanned = scanned(m); e.scanned {
		return nil
	}
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
	var allowed [129]bool
	for f := range strings.FieldsSeq(must) {
		n, err := strconv.Atoi(f)
		if err != nil || !m.Has(n) {
			return fmt.Errorf("field %s is missing", f)
		}
		allowed[n] = true
	}
	for f := range strings.FieldsSeq(may) {
		if n, err := strconv.Atoi(f); err == nil {
			allowed[n] = true
		}
	}
	for f := range m.Fields() {
		if !allowed[f] {
			return fmt.Errorf("field %d does not belong in a %s", f, m.MTI())
		}
	}
	return nil
}

func number(digits string) (uint32, error) {
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err
}
