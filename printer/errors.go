package printer

import (
	"errors"
	"fmt"
)

// What keeps a printer from printing. Every fault that New, Status and Print return is a *FaultError around one of these,
// or around the error of the port or of the context.
var (
	ErrPaperOut  = errors.New("paper out")
	ErrCoverOpen = errors.New("cover open")
	ErrCutter    = errors.New("cutter jammed")
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
		said += "; " + e.Status.advice()
	}
	if e.Sent {
		return said + "; the slip is not proven printed: print it again as a duplicate"
	}
	return said + "; nothing of a slip was sent"
}

func (e *FaultError) Unwrap() error { return e.Cause }
