package linktest

import (
	"bytes"
	"strconv"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// certificateLocked takes what a chip certified of a transaction (0320, network codes 203 and 205). It must be that of a row
// that stands, with a cryptogram that is a TC.
func (a *Acquirer) certificateLocked(m *iso8583.Message, closing Closing, network string) string {
	use := m.Get(62)
	stan, err := number(m.Get(11))
	switch {
	case closing.Ended:
		return codeBatch
	case closing.Equal != (network == networkCertEqual):
		return codeBadTerms
	case err != nil || len(use) != 21 || use[:2] != "61" || use[2:4] != "00" && use[2:4] != "01" || use[4:6] != "00" || use[18:] != "156":
		return codeFormat
	case !bytes.Contains(m.Bytes(55), []byte{0x9F, 0x26, 8}) || !bytes.Contains(m.Bytes(55), []byte{0x9F, 0x27, 1, 0x40}):
		return codeFormat // 40 says TC (EMV Book 3, 6.5.5)
	}
	amount, err := strconv.ParseInt(use[6:18], 10, 64)
	if err != nil {
		return codeFormat
	}
	d := a.judged(m.Get(41), closing.Batch, Detail{STAN: stan, Amount: txn.Amount(amount), Foreign: use[2:4] == "01"}, m.Get(2))
	verdict := a.books.takeCertificate(m.Get(41), closing, d)
	a.keepLocked("")
	return verdict
}
