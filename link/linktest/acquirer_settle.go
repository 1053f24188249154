package linktest

import (
	"fmt"
	"strconv"
	"strings"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// settleLocked compares totals (0500). What balances is flagged 1; what does not is flagged 2, and the host's own totals
// stand in its place. The answer has no response code unless the question was none.
func (a *Acquirer) settleLocked(m, out *iso8583.Message) {
	batch, theirs, err := parseSettle(m)
	if err != nil {
		out.Set(39, codeFormat)
		return
	}
	book := a.books.Terminals[m.Get(41)]
	if batch != book.Batch {
		out.Set(39, codeBatch)
		return
	}
	own := a.books.totals(m.Get(41), batch)
	closing := book.closing(batch)
	closing.Asked++
	closing.Host, closing.Terminal = own, theirs
	closing.Equal = own == theirs
	a.books.keep(m.Get(41), closing)
	a.keepLocked("")
	out.Set(48, half(own.Domestic, theirs.Domestic)+half(own.Foreign, theirs.Foreign))
}

func half(own, theirs Sums) string {
	if own == theirs {
		return theirs.digits() + "1"
	}
	return own.digits() + "2"
}

// uploadLocked takes a detail, a refund or the end of a batch (0320).
func (a *Acquirer) uploadLocked(m, out *iso8583.Message) {
	terminal := m.Get(41)
	batch, network, err := parseUpload(m)
	if err != nil {
		out.Set(39, codeFormat)
		return
	}
	book := a.books.Terminals[terminal]
	closing, known := book.find(batch)
	switch {
	case !known:
		out.Set(39, codeBatch)
	case network == networkCertEqual || network == networkCertOpen:
		out.Set(39, a.certificateLocked(m, closing, network))
	case network != networkDetail:
		out.Set(39, a.endLocked(m, closing, network))
	case closing.Ended:
		out.Set(39, codeBatch)
	default:
		details, err := a.parseDetails(m, batch)
		if err != nil {
			out.Set(39, codeFormat)
			return
		}
		out.Set(39, a.books.takeDetails(terminal, closing, details))
		a.keepLocked("")
	}
}

// endLocked closes a batch and opens the next. An end that is repeated is acknowledged again.
func (a *Acquirer) endLocked(m *iso8583.Message, closing Closing, network string) string {
	told, err := strconv.Atoi(m.Get(48))
	switch {
	case err != nil || len(m.Get(48)) != 4:
		return codeFormat
	case closing.Equal != (network == networkEqual):
		return codeBadTerms // the end of another kind of settlement
	case closing.Ended:
		return codeApproved
	}
	closing.Ended, closing.Told = true, told
	a.books.keep(m.Get(41), closing)
	book := a.books.Terminals[m.Get(41)]
	book.Batch = max(book.Batch, closing.Batch+1)
	a.books.Terminals[m.Get(41)] = book
	a.keepLocked("")
	return codeApproved
}

// Network codes of a settlement (field 60.3).
const (
	networkDetail = "201"
	networkOpen   = "202" // end of a batch that did not balance
	networkEqual  = "207" // end of one that did

	networkCertEqual = "203" // certificate of a chip, of a batch that balanced
	networkCertOpen  = "205" // of one that did not
)

func parseSettle(m *iso8583.Message) (batch uint32, theirs Totals, err error) {
	if err := fields(m, "11 41 42 48 49 60 63", ""); err != nil {
		return 0, theirs, err
	}
	digits := m.Get(48)
	if len(digits) != 62 || digits[30] != '0' || digits[61] != '0' || m.Get(49) != "156" || len(m.Get(63)) != 3 {
		return 0, theirs, fmt.Errorf("field 48, 49 or 63 is none of a settlement")
	}
	theirs = Totals{parseSums(digits[:30]), parseSums(digits[31:61])}
	batch, err = parsePrivate(m.Get(60), "00", networkDetail)
	return batch, theirs, err
}

func parseSums(digits string) Sums {
	read := func(d string) Sum {
		amount, _ := strconv.ParseInt(d[:12], 10, 64)
		count, _ := strconv.Atoi(d[12:])
		return Sum{Count: count, Amount: txn.Amount(amount)}
	}
	return Sums{read(digits[:15]), read(digits[15:])}
}

func parseUpload(m *iso8583.Message) (batch uint32, network string, err error) {
	private := m.Get(60)
	if len(private) != 11 {
		return 0, "", fmt.Errorf("field 60: want eleven digits")
	}
	network = private[8:]
	switch {
	case formOf(m).mti == mtiAdvice && network == networkDetail:
		err = fields(m, "2 3 4 11 22 25 41 42 49 60 "+formOf(m).must, "14 23 "+formOf(m).may)
	case typeOf(m) == "00" && (network == networkDetail || network == networkOpen || network == networkEqual):
		err = fields(m, "11 41 42 48 60", "")
	case typeOf(m) == "00" && (network == networkCertEqual || network == networkCertOpen):
		err = fields(m, "2 11 22 41 42 55 60 62", "23")
	default:
		err = fmt.Errorf("field 60: %s is no message of a settlement", private)
	}
	if err != nil {
		return 0, "", err
	}
	batch, err = number(private[2:8])
	return batch, network, err
}

// parseDetails reads what one message tells: an advice, or NN records of forty digits.
func (a *Acquirer) parseDetails(m *iso8583.Message, batch uint32) ([]Detail, error) {
	if f := formOf(m); f.mti == mtiAdvice {
		stan, err := number(m.Get(11))
		amount, amountErr := strconv.ParseInt(m.Get(4), 10, 64)
		if err != nil || amountErr != nil || m.Get(3) != f.processing {
			return nil, fmt.Errorf("fields 3, 4 and 11 are none of a %s", f.kind)
		}
		return []Detail{a.judged(m.Get(41), batch, Detail{STAN: stan, Amount: txn.Amount(amount)}, m.Get(2))}, nil
	}
	digits := m.Get(48)
	if len(digits) < 2 {
		return nil, fmt.Errorf("field 48: no number of records")
	}
	n, err := strconv.Atoi(digits[:2])
	if err != nil || n < 1 || n > 8 || len(digits) != 2+40*n {
		return nil, fmt.Errorf("field 48: %s records in %d digits", digits[:2], len(digits))
	}
	var all []Detail
	for digits = digits[2:]; len(digits) > 0; digits = digits[40:] {
		stan, err := number(digits[2:8])
		amount, amountErr := strconv.ParseInt(digits[28:40], 10, 64)
		if err != nil || amountErr != nil || digits[:2] != "00" && digits[:2] != "01" {
			return nil, fmt.Errorf("field 48: a record is not well formed")
		}
		d := Detail{STAN: stan, Amount: txn.Amount(amount), Foreign: digits[:2] == "01"}
		all = append(all, a.judged(m.Get(41), batch, d, strings.TrimLeft(digits[8:28], "0")))
	}
	return all, nil
}

// judged holds a record against the books. The host corrects nothing.
func (a *Acquirer) judged(terminal string, batch uint32, d Detail, number string) Detail {
	row, known := a.books.row(rowKey{terminal, batch, d.STAN})
	pan, err := txn.ParsePAN(number)
	account := a.o.Accounts[row.Account]
	switch {
	case !known || !row.Stands():
		d.Verdict = "absent"
	case row.Account == walletName && number == "" && row.amount() == d.Amount:
		d.Verdict = "match"
	case err != nil || !account.PAN.Equal(pan) || row.amount() != d.Amount:
		d.Verdict = "differs"
	default:
		d.Verdict = "match"
	}
	return d
}
