package printer

import (
	"errors"
	"fmt"

	"posagent/txnstore/txn/words"
)

// What keeps a printer from printing. Every fault that New, Status and Print return is a *FaultError around one of these,
// or around the error of the port or of the context.
var (
	ErrPaperOut  = errors.New("paper out")
	ErrCoverOpen = errors.New("cover open")
	ErrCutter    = errors.New("cutter jammed")
	ErrPausing   = errors.New("pausing") // head temperature or voltage; ends by itself
	ErrBroken    = errors.New("unrecoverable error")
	ErrNoAnswer  = errors.New("no answer")
	ErrOffline   = errors.New("offline")
)

// FaultError says why a slip was not printed, or is not proven to be.
type FaultError struct {
	Cause  error  // one of the sentinels, or what the port or the context said
	Status Status // the last that is known of the printer
	Sent   bool   // part of the slip left: it may be on paper, or come out when the fault ends. Print it again as a duplicate
	Noise  int    // bytes received that no ESC/POS printer sends
}

func (e *FaultError) Error() string {
	said := "printer: " + e.Cause.Error()
	if e.Status.Known {
		said += fmt.Sprintf(" (%s; %s)", e.Status, e.Status.raw())
	}
	switch {
	case e.Noise > 0:
		said += fmt.Sprintf("; %d bytes came that are not ESC/POS: check speed, parity and the printer's emulation mode", e.Noise)
	case e.Status.Fault() != nil && errors.Is(e.Cause, e.Status.Fault()), errors.Is(e.Cause, ErrOffline):
		_, do := words.OfPrinter(e.State())
		said += "; " + do.EN
	}
	if e.Sent {
		return said + "; the slip is not proven printed: print it again as a duplicate"
	}
	return said + "; nothing of a slip was sent"
}

func (e *FaultError) Unwrap() error { return e.Cause }

// State is the fault in one word, for words.OfPrinter: what the printer said of itself, or else what the line showed.
func (e *FaultError) State() words.PrinterState {
	switch {
	case e.Status.Fault() != nil && e.Status.Known:
		return e.Status.State()
	case errors.Is(e.Cause, ErrOffline):
		return words.PrinterOffline
	}
	return words.PrinterSilent
}
