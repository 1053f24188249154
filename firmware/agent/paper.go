package agent

import (
	"errors"

	"posagent/printer"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// PrinterView is the receipt printer as it was met last: what is the matter with it, and what to do.
type PrinterView struct {
	State words.PrinterState `json:"state"`
	Text  words.Pair         `json:"text"`
	Do    *words.Pair        `json:"do,omitempty"`
}

func viewOf(s words.PrinterState) *PrinterView {
	v := &PrinterView{State: s}
	what, do := words.OfPrinter(s)
	if v.Text = what; do != (words.Pair{}) {
		v.Do = &do
	}
	return v
}

// switches reads the paper's and the cover's, for printers that say nothing of either themselves; sent says that a slip has left.
func (s *slipPrinter) switches(sent bool) error {
	if s.lines == nil {
		return nil
	}
	status := printer.Status{Known: true, PaperEnd: s.lines.PaperOut.On(), CoverOpen: s.lines.CoverOpen.On()}
	if cause := status.Fault(); cause != nil {
		return &printer.FaultError{Cause: cause, Status: status, Sent: sent}
	}
	return nil
}

// met remembers how the printer was after an attempt to print. Of a mute one that was given a slip nothing is known.
func (s *slipPrinter) met(err error) {
	if err == nil && s.opts.Proof == printer.Mute {
		s.last.Store(nil)
		return
	}
	state := words.PrinterSilent // a line that cannot be opened
	var fault *printer.FaultError
	switch {
	case errors.As(err, &fault):
		state = fault.State()
	case err == nil && s.drive != nil:
		state = s.drive.Seen().State()
	}
	s.last.Store(&state)
}

// printerView is nil until something was printed, or was to be.
func (a *Agent) printerView() *PrinterView {
	if state := a.paper.last.Load(); state != nil {
		return viewOf(*state)
	}
	return nil
}

// paperDue puts the printer's trouble beside an outcome whose slip is still due.
func (a *Agent) paperDue(e Event, x txn.Txn) Event {
	if x.OwesPaper() {
		e.Printer = a.printerView()
	}
	return e
}
