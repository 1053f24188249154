package reader

import (
	"errors"
	"fmt"
	"strings"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// What a caller can act on. Every error of this package unwraps to one of these, to the line's own error, or to none
// when only the text helps.
var (
	ErrTimeout     = errors.New("no card was presented in time")
	ErrCancelled   = errors.New("card reading was cancelled")
	ErrTampered    = errors.New("the card reader reports tampering: take it out of service and call the service desk")
	ErrNoAnswer    = errors.New("the card reader does not answer")
	ErrGarbage     = errors.New("the card reader's answer makes no sense")
	ErrRestarted   = errors.New("the card reader restarted: present the card again")
	ErrBusy        = errors.New("the card reader is waiting for a card: finish or cancel that first")
	ErrCardUnread  = errors.New("the card could not be read: present one card again")
	ErrCardRefused = errors.New("the card cannot be used here: ask for another card")
	ErrUseContact  = errors.New("the card cannot be tapped for this amount: insert it")
	ErrUseChip     = errors.New("the card has a chip and was swiped: insert it")
	ErrNoCardOpen  = errors.New("no card waits in the slot for an answer")
	ErrSetUp       = errors.New("the card reader is not set up for this acquirer, call the service desk")
)

// StatusError is an answer with a status other than success. Code, SW1, SW2 and RF are the failure data of 02-01
// (IDG p. 220); they are zero where the reader gave none.
type StatusError struct {
	Command, Sub, Status byte
	Code, SW1, SW2, RF   byte
}

// Error names the command, the raw codes and their meaning.
func (e *StatusError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "card reader, command %02X-%02X: status %02Xh, %s", e.Command, e.Sub, e.Status, neo2.StatusText(e.Status))
	if e.Code != 0 {
		fmt.Fprintf(&b, "; error %02Xh, %s", e.Code, neo2.CodeText(e.Code))
	}
	if e.SW1 != 0 || e.SW2 != 0 {
		fmt.Fprintf(&b, "; card status %02X%02X", e.SW1, e.SW2)
	}
	if step := neo2.StateText(e.RF); step != "" {
		fmt.Fprintf(&b, "; during %s", step)
	}
	if cause := e.Unwrap(); cause != nil {
		fmt.Fprintf(&b, ": %v", cause)
	}
	return b.String()
}

// Unwrap sorts the codes by what the person at the terminal can do.
func (e *StatusError) Unwrap() error {
	switch e.Status {
	case neo2.TimedOut:
		return ErrTimeout
	case neo2.Tampered:
		return ErrTampered
	case neo2.Failed:
		switch e.Command {
		case neo2.Activate:
			return causeOf(e.Code)
		case neo2.Contact:
			return ErrCardUnread
		}
		return nil
	}
	if !neo2.KnownStatus(e.Status) {
		return ErrGarbage
	}
	return nil
}

func causeOf(code byte) error {
	switch code {
	case neo2.CodeGoToContact, neo2.CodeOverLimit:
		return ErrUseContact
	case neo2.CodeBlocked, neo2.CodeExpired, neo2.CodeUnsupported, neo2.CodeAAC, neo2.CodeARQC, neo2.CodeOnline:
		return ErrCardRefused
	case 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58: // checks between card and reader that a repetition cannot mend
		return ErrCardRefused
	default:
		return ErrCardUnread
	}
}

// failure builds the error of an answer to 02-01 or 02-40, which has its data in an object.
func (r *Reader) failure(answer neo2.Frame) error {
	e := &StatusError{Command: neo2.Activate, Sub: neo2.ActivateSub, Status: answer.Sub}
	why := answer.Data
	if r.sealed {
		e.Sub, why = neo2.SealedSub, nil
		if objects, err := sealedObjects(answer.Data[min(1, len(answer.Data)):]); err == nil {
			why = objects[neo2.TagFailure]
		}
	}
	if answer.Sub == neo2.Failed && len(why) >= 4 {
		e.Code, e.SW1, e.SW2, e.RF = why[0], why[1], why[2], why[3]
	}
	return e
}

// ResultError is the result of a contact command that ends the transaction.
type ResultError struct {
	Sub    byte
	Result uint16
}

// Error names the step, the raw result and its meaning.
func (e *ResultError) Error() string {
	text := fmt.Sprintf("card reader, command %02X-%02X: result %04Xh, %s", neo2.Contact, e.Sub, e.Result, neo2.ResultText(e.Result))
	if e.Result == neo2.ResultApprovedOffline {
		text += ", which this terminal does not do; if the card is an electronic purse check its balance"
	}
	if cause := e.Unwrap(); cause != nil {
		text += fmt.Sprintf(": %v", cause)
	}
	return text
}

// Unwrap sorts the results by what the person at the terminal can do.
func (e *ResultError) Unwrap() error {
	switch e.Result {
	case neo2.ResultTimeout:
		return ErrTimeout
	case neo2.ResultCancelled:
		return ErrCancelled
	case neo2.ResultCardAbsent:
		return txn.ErrCardRemoved
	case neo2.ResultApprovedOffline, neo2.ResultDeclinedOffline, neo2.ResultApproved, neo2.ResultDeclined, neo2.ResultCallBank,
		neo2.ResultNotAccepted, neo2.ResultCardRejected, neo2.ResultCardBlocked:
		return ErrCardRefused
	case neo2.ResultFallback, neo2.ResultFallbackNow, neo2.ResultCardFailed, neo2.ResultCardLost, neo2.ResultNoApplication:
		return ErrCardUnread
	default:
		return ErrGarbage
	}
}

// stripeMayFollow reports whether the stripe may be read instead: the chip does not work. A card that refused, was blocked or
// was taken out too early is no reason.
func stripeMayFollow(err error) bool {
	var result *ResultError
	return errors.As(err, &result) && errors.Is(result.Unwrap(), ErrCardUnread)
}
