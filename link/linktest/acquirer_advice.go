package linktest

import "posagent/link/iso8583"

// adviceLocked books an advice once, however many copies of it come: a copy of what was booked is answered 94, with the
// reference number it then got. One that was refused is judged anew.
func (a *Acquirer) adviceLocked(m, out *iso8583.Message, fault Fault) {
	if !a.authenticLocked(m) {
		out.Set(39, codeMAC)
		return
	}
	advice, err := parseAdvice(m)
	if err != nil {
		out.Set(39, codeFormat)
		return
	}
	advice.now, advice.sent = a.nowLocked(), a.heard.facts["sent"]
	if row, posted := a.books.row(advice.rowKey); posted && (row.Kind != advice.kind || row.Stands()) {
		out.Set(37, row.RRN)
		out.Set(63, row.Scheme)
		out.Set(39, codeDuplicate)
		return
	}
	if advice.batch != a.books.Terminals[advice.terminal].Batch {
		out.Set(39, codeBatch)
		return
	}
	name, verdict := a.judge(advice, a.sessions[m.Get(41)])
	if verdict == codeApproved && fault.Kind == Approve && fault.Code != "" {
		verdict = fault.Code
	}
	row := a.books.post(advice, name, verdict)
	a.keepLocked(name)
	out.Set(63, row.Scheme)
	out.Set(37, row.RRN)
	out.Set(39, row.Code)
}
