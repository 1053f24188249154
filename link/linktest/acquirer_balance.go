package linktest

import (
	"fmt"

	"posagent/link/iso8583"
)

// balanceLocked answers an enquiry with what the account can spend. It is written in no book.
func (a *Acquirer) balanceLocked(m, out *iso8583.Message, fault Fault) {
	if !a.authenticLocked(m) {
		out.Set(39, codeMAC)
		return
	}
	asked, err := parseBalance(m)
	if err != nil {
		out.Set(39, codeFormat)
		return
	}
	name, verdict := a.judge(asked, a.sessions[m.Get(41)])
	if verdict == codeApproved && fault.Code != "" && (fault.Kind == Approve || fault.Kind == Decline) {
		verdict = fault.Code
	}
	out.Set(63, schemeOf(asked.pan))
	out.Set(37, fmt.Sprintf("%012d", asked.stan))
	out.Set(39, verdict)
	if approves(verdict) {
		out.Set(54, fmt.Sprintf("0002%sC%012d", m.Get(49), a.books.Accounts[name].Balance))
	}
}

// parseBalance reads a 0200 of type 01: the card, and no amount.
func parseBalance(m *iso8583.Message) (e entry, err error) {
	if err := fields(m, "3 11 22 25 41 42 49 60 64", "2 14 23 26 35 36 52 53 55"); err != nil {
		return e, err
	}
	if m.Get(3) != "310000" || m.Get(25) != "00" || m.Get(49) != "156" {
		return e, fmt.Errorf("fields 3, 25 or 49 are none of an enquiry")
	}
	if e.stan, err = number(m.Get(11)); err != nil || e.stan == 0 {
		return e, fmt.Errorf("field 11 is no STAN")
	}
	if _, err = parsePrivate(m.Get(60), typeBalance, "000"); err != nil {
		return e, err
	}
	return e, e.readCard(m)
}
