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

// parseSale reads a 0200 of a sale without PIN.
func parseSale(m *iso8583.Message) (entry, error) {
	if err := fields(m, "3 4 11 22 25 41 42 49 60 64", "2 14 23 35 36 55"); err != nil {
		return entry{}, err
	}
	e, err := parseCommon(m)
	if err != nil {
		return entry{}, err
	}
	way, pin := m.Get(22)[:2], m.Get(22)[2:]
	chip := way == "05" || way == "07"
	switch {
	case pin != "2":
		return entry{}, fmt.Errorf("field 22 announces a PIN")
	case way == "01" && (!m.Has(2) || !m.Has(14) || m.Has(35) || m.Has(55)):
		return entry{}, fmt.Errorf("keyed: fields 2 and 14, and no track")
	case (way == "02" || way == "91") && (m.Has(2) || !m.Has(35) || m.Has(55)):
		return entry{}, fmt.Errorf("magnetic stripe: field 35, and the number is taken from it")
	case chip && (!m.Has(2) || !m.Has(14) || !m.Has(35) || !m.Has(55)):
		return entry{}, fmt.Errorf("chip: fields 2, 14, 35 and 55")
	case !chip && way != "01" && way != "02" && way != "91":
		return entry{}, fmt.Errorf("field 22: entry mode %s is not known", way)
	}
	if m.Has(35) {
		return e, e.readTrack(m)
	}
	return e, e.readNumber(m)
}

// parseReversal reads the 0400 of a sale: what the sale had, less track, PIN and reference, with the reason in field 39.
func parseReversal(m *iso8583.Message) (entry, error) {
	if err := fields(m, "2 3 4 11 14 22 25 39 41 42 49 60 64", "23 38 55"); err != nil {
		return entry{}, err
	}
	if !reversalReason(m.Get(39)) {
		return entry{}, fmt.Errorf("field 39: %s is not the reason of a reversal", m.Get(39))
	}
	e, err := parseCommon(m)
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
	switch {
	case m.Get(3) != "000000":
		return entry{}, fmt.Errorf("field 3: %s is no sale", m.Get(3))
	case m.Get(25) != "00":
		return entry{}, fmt.Errorf("field 25: %s is no sale", m.Get(25))
	case e.currency != "156":
		return entry{}, fmt.Errorf("field 49: currency %s is not served", e.currency)
	case m.Has(23) && m.Get(22)[:2] != "05" && m.Get(22)[:2] != "07":
		return entry{}, fmt.Errorf("field 23 without a chip")
	}
	if e.stan, err = number(m.Get(11)); err != nil || e.stan == 0 {
		return entry{}, fmt.Errorf("field 11 is no STAN")
	}
	e.batch, err = parsePrivate(m.Get(60), "22", "000")
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
