package agent

import (
	"posagent/txnstore"
	"posagent/txnstore/txn/words"
)

// StoreFault is what is wrong with the disk under the store, in the protocol's words.
type StoreFault string

const (
	DiskFull     StoreFault = "full"
	DiskReadOnly StoreFault = "read-only"
	DiskFails    StoreFault = "failing"
)

// faultOf reads it from an error; it is empty when the store is not at fault.
func faultOf(err error) StoreFault {
	switch txnstore.Fault(err) {
	case txnstore.ErrNoSpace:
		return DiskFull
	case txnstore.ErrReadOnly:
		return DiskReadOnly
	case txnstore.ErrDisk:
		return DiskFails
	}
	return ""
}

// refusal is what the person at the counter is told of a sale that the store could not record.
func (f StoreFault) refusal() words.Pair {
	switch f {
	case DiskFull:
		return words.DiskFull
	case DiskReadOnly:
		return words.DiskReadOnly
	case DiskFails:
		return words.DiskFails
	}
	return words.OfOutcome(words.OutcomeRefused)
}

// Status reads the terminal at a glance from the store. While the store has a fault it shows that beside the figures it
// read last.
func (a *Agent) Status() Status {
	s, err := a.figures()
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		s = a.known
		s.Stale, s.StoreFault = true, err.Error()
	} else {
		a.known = s
		if err := a.store.Able(); faultOf(err) != "" {
			s.StoreFault = err.Error()
		}
	}
	s.Orders = a.orders.status()
	if a.set.Terminal != "" {
		s.Parameters = &DownloadStatus{Origin: a.set.Origin, Entries: len(a.set.Parameters)}
	}
	s.Blocklist = a.listed.status(a.masked())
	a.schemeStatus(&s)
	s.Terminal, s.Merchant, s.SignedIn = a.o.Terminal, a.o.Merchant, a.host.SignedIn()
	s.Printer = a.printerView()
	if err := a.guard.held(); err != nil {
		s.Held = err.Error()
	}
	return s
}
