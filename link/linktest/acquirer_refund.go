package linktest

import "posagent/link/iso8583"

// refundLocked books a refund once, however many copies of it come: a copy of what was booked is answered 94, with the
// reference number it then got. One that was refused is judged anew.
func (a *Acquirer) refundLocked(m, out *iso8583.Message, fault Fault) {
	if !a.authenticLocked(m) {
		out.Set(39, codeMAC)
		return
	}
	refund, err := parseRefund(m)
	if err != nil {
		out.Set(39, codeFormat)
		return
	}
	refund.now = a.nowLocked()
	if row, posted := a.books.row(refund.rowKey); posted && (row.Kind != Refund || row.State == Given) {
		out.Set(37, row.RRN)
		out.Set(63, row.Scheme)
		out.Set(39, codeDuplicate)
		return
	}
	if refund.batch != a.books.Terminals[refund.terminal].Batch {
		out.Set(39, codeBatch)
		return
	}
	name, verdict := a.judge(refund)
	if verdict == codeApproved && fault.Kind == Approve && fault.Code != "" {
		verdict = fault.Code
	}
	row := a.books.refund(refund, name, verdict)
	a.keepLocked(name)
	out.Set(63, row.Scheme)
	out.Set(37, row.RRN)
	out.Set(39, row.Code)
}
