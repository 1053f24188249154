package link

import (
	"errors"
	"fmt"

	"posagent/txnstore/txn"
)

// ErrNotSent is what an Exchange error is exactly when not one byte of the request was handed to a line.
var ErrNotSent = txn.ErrNotSent

// What ended an exchange; errors.Is finds them in an ExchangeError. Where both ErrGarbage and another hold, something
// did come back, and it was not an answer: for a reversal that is reason 06, not 98.
var (
	ErrTimeout = errors.New("time ran out")
	ErrHungUp  = errors.New("the line was hung up")
	ErrGarbage = errors.New("what came back is not a message")
	ErrClosed  = errors.New("the link is closed")
)

// ExchangeError is every failure of Exchange: how far the request got, and what ended it. It unwraps to ErrNotSent if
// Sent.Written is zero, and to ErrTimeout, ErrHungUp, ErrGarbage, ErrClosed, a context's error, a dial or write error,
// or the *iso8583.FieldError of a request that cannot be packed.
type ExchangeError struct {
	Sent  txn.Evidence
	Cause error
}

func (e *ExchangeError) Error() string {
	if e.Sent.Written == 0 {
		return fmt.Sprintf("not sent: %v", e.Cause)
	}
	return fmt.Sprintf("sent %d of %d bytes over %s: %v", e.Sent.Written, e.Sent.Total, e.Sent.Bearer, e.Cause)
}

// Unwrap keeps the promise of ErrNotSent even against a line whose own errors claim it.
func (e *ExchangeError) Unwrap() []error {
	switch {
	case e.Sent.Written == 0:
		return []error{ErrNotSent, e.Cause}
	case errors.Is(e.Cause, ErrNotSent):
		return nil
	default:
		return []error{e.Cause}
	}
}
