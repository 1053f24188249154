package acquirer

import (
	"errors"
	"fmt"

	"posagent/link"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// AnswerError means that a financial message has no answer that counts. What the acquirer did is unknown, unless
// errors.Is(err, txn.ErrNotSent).
type AnswerError struct {
	Reason txn.Reason   // field 39 of the reversal that is owed
	Sent   txn.Evidence // how far the request got
	Why    string       // in the terminal's words
	Cause  error        // what the link said; nil when an answer came and did not count

	unsent bool // given up before the message met the line
}

func (e *AnswerError) Error() string {
	if e.Cause == nil {
		return e.Why
	}
	return fmt.Sprintf("%s: %v", e.Why, e.Cause)
}

// Brief is the cause in a few words, for a journal that keeps the evidence beside it.
func (e *AnswerError) Brief() string {
	var exchange *link.ExchangeError
	if errors.As(e.Cause, &exchange) {
		return exchange.Cause.Error()
	}
	return e.Why
}

// Unwrap gives the cause, and txn.ErrNotSent where the message never met the line.
func (e *AnswerError) Unwrap() []error {
	var held []error
	if e.unsent {
		held = append(held, txn.ErrNotSent)
	}
	if e.Cause != nil {
		held = append(held, e.Cause)
	}
	return held
}

// ReversalReason is why the transaction must be reversed.
func (e *AnswerError) ReversalReason() txn.Reason { return e.Reason }

// Evidence grades what is known of the request on the wire.
func (e *AnswerError) Evidence() txn.Evidence { return e.Sent }

// unsent is a failure before the financial message met the line. A sign-in that failed may have been sent; the message
// it was for was not.
func unsent(why string, cause error) *AnswerError {
	return &AnswerError{Reason: txn.NoAnswer, Why: why, Cause: cause, unsent: true}
}

// unanswered is what the link's failure means for a financial message: 98 while nothing came back, whether time ran out
// or the line was lost, and 06 once something did that was no answer.
func unanswered(err error) *AnswerError {
	failure := &AnswerError{Reason: txn.NoAnswer, Why: "no answer", Cause: err}
	var exchange *link.ExchangeError
	if errors.As(err, &exchange) {
		failure.Sent = exchange.Sent
	}
	if errors.Is(err, link.ErrGarbage) {
		failure.Reason, failure.Why = txn.OtherCause, "no usable answer"
	}
	return failure
}

// RefusedError means that the acquirer answered a management message, or one of a settlement, with something else than 00.
type RefusedError struct {
	What string // "sign-in", "echo", "settlement"
	Code string // field 39
}

// ResponseCode is field 39.
func (e *RefusedError) ResponseCode() string { return e.Code }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refused with %s: %s", e.What, e.Code, words.Advice(e.Code).EN)
}
