package acquirer

import "slices"

// Class says what a response code asks of the terminal and the person before it.
type Class byte

const (
	Success    Class = 'A' // the money is held
	MayRetry   Class = 'B' // refused; another try may succeed
	DoNotRetry Class = 'C' // refused; the same try will be refused again
	Operator   Class = 'D' // refused; a person must act: keep the card, call somebody
	SystemDown Class = 'E' // refused; the network is at fault
)

// Response is one row of the table of field 39. What it means in words is words.Advice.
type Response struct {
	Code    string
	Class   Class
	signIn  bool // the acquirer no longer accepts our working keys or batch: sign in before the next message
	unclear bool // neither an approval we can keep nor a refusal: the sale must be reversed
}

// Approved reports whether the money is held for the merchant. It follows from the class alone, but 10 (part of the
// amount approved) is no approval here, because a sale knows one amount only: it is unclear, and reversed.
func (r Response) Approved() bool { return r.Class == Success && !r.unclear }

// responses is the table of the direct-connection POS dialect. Every code that is not in it is a refusal.
//
// Published copies of this table exist in which the rows of 03 and 04 have slipped, so that 04, keep the card, reads as
// a success. The test of this file pins each success by name.
var responses = []Response{
	{Code: "00", Class: Success},
	{Code: "01", Class: DoNotRetry},
	{Code: "02", Class: DoNotRetry},
	{Code: "03", Class: DoNotRetry},
	{Code: "04", Class: Operator},
	{Code: "05", Class: DoNotRetry},
	{Code: "06", Class: SystemDown},
	{Code: "07", Class: Operator},
	{Code: "09", Class: MayRetry, unclear: true},
	{Code: "10", Class: Success, unclear: true},
	{Code: "11", Class: Success},
	{Code: "12", Class: DoNotRetry},
	{Code: "13", Class: MayRetry},
	{Code: "14", Class: MayRetry},
	{Code: "15", Class: DoNotRetry},
	{Code: "19", Class: DoNotRetry},
	{Code: "20", Class: DoNotRetry},
	{Code: "21", Class: DoNotRetry},
	{Code: "22", Class: DoNotRetry, signIn: true},
	{Code: "25", Class: DoNotRetry},
	{Code: "30", Class: DoNotRetry},
	{Code: "33", Class: Operator},
	{Code: "34", Class: Operator},
	{Code: "35", Class: Operator},
	{Code: "36", Class: Operator},
	{Code: "37", Class: Operator},
	{Code: "38", Class: Operator},
	{Code: "40", Class: DoNotRetry},
	{Code: "41", Class: Operator},
	{Code: "42", Class: MayRetry},
	{Code: "43", Class: Operator},
	{Code: "51", Class: DoNotRetry},
	{Code: "54", Class: DoNotRetry},
	{Code: "55", Class: DoNotRetry},
	{Code: "57", Class: DoNotRetry},
	{Code: "58", Class: DoNotRetry},
	{Code: "59", Class: DoNotRetry},
	{Code: "61", Class: DoNotRetry},
	{Code: "62", Class: DoNotRetry},
	{Code: "63", Class: DoNotRetry},
	{Code: "64", Class: DoNotRetry},
	{Code: "65", Class: DoNotRetry},
	{Code: "67", Class: Operator},
	{Code: "68", Class: DoNotRetry},
	{Code: "75", Class: DoNotRetry},
	{Code: "77", Class: MayRetry, signIn: true},
	{Code: "90", Class: DoNotRetry},
	{Code: "91", Class: DoNotRetry},
	{Code: "92", Class: DoNotRetry},
	{Code: "94", Class: DoNotRetry},
	{Code: "96", Class: DoNotRetry},
	{Code: "97", Class: Operator, signIn: true},
	{Code: "98", Class: SystemDown},
	{Code: "99", Class: MayRetry, signIn: true},
	{Code: "A0", Class: MayRetry, signIn: true},
	{Code: "A1", Class: DoNotRetry},
	{Code: "A2", Class: Success},
	{Code: "A3", Class: DoNotRetry},
	{Code: "A4", Class: Success},
	{Code: "A5", Class: Success},
	{Code: "A6", Class: Success},
	{Code: "A7", Class: DoNotRetry, signIn: true},
}

// ResponseOf finds the row of a code. A code that is not in the table is a refusal and never a success.
func ResponseOf(code string) Response {
	for _, r := range responses {
		if r.Code == code {
			return r
		}
	}
	return Response{Code: code, Class: DoNotRetry}
}

// response finds the row of a code, in the profile first.
func (h *Host) response(code string) Response {
	if own, named := h.o.Profile.Codes[code]; named {
		return Response{Code: code, Class: Class(own.Class), signIn: own.SignIn}
	}
	return ResponseOf(code)
}

// endsReversal reports whether the answer to a reversal with this code ends its repetition. Usually that is undone (00),
// nothing to undo (12), or original not found or undone before (25).
func (h *Host) endsReversal(code string) bool { return slices.Contains(h.o.Profile.ReversalEnds, code) }
