package simrig

import (
	"strings"
	"sync"

	"posagent/firmware/agent"
	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// The mistakes that can be made about money that is held for later, and about what is told and not asked for.

// letGoUnheard takes the cancellation of a pre-authorisation that nobody answered for one that was done.
type letGoUnheard struct{ agent.Store }

func (s letGoUnheard) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	x, err := s.Get(id)
	if err != nil || next != txn.Reversing || x.Kind != txn.PreAuthCancel || x.State != txn.Pending {
		return s.Store.Advance(id, next, change)
	}
	return s.Store.Advance(id, txn.Approved, func(x *txn.Txn) {
		x.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
	})
}

// toldOnce forgets what waits to be told once it was tried.
type toldOnce struct{ agent.Store }

func (s toldOnce) Owed() ([]txn.Txn, error) {
	all, err := s.Store.Owed()
	kept := all[:0]
	for _, x := range all {
		if !x.Kind.Final() || x.Tries.Made == x.Tries.Unsent {
			kept = append(kept, x)
		}
	}
	return kept, err
}

// holdCounted counts what is held for later with the sales when a batch is closed.
type holdCounted struct{ agent.Store }

func (s holdCounted) InBatch(batch uint32, visit func(txn.Txn) error) (int, error) {
	return s.Store.InBatch(batch, func(x txn.Txn) error {
		if x.Kind == txn.PreAuth {
			x.Kind = txn.Sale
		}
		return visit(x)
	})
}

// reversedAsSale reverses a completion as if it were a sale, and so forgets the pre-authorisation behind it: the acquirer has no
// such sale, and its 25 ends the reversal.
type reversedAsSale struct {
	mu  sync.Mutex
	was map[string]map[int]string // reversals as the terminal wrote them, by STAN
}

const ofCompletion, ofSale = "20", "22" // field 60 begins with the type

func (r *reversedAsSale) asks(m *iso8583.Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.MTI() != "0400" || !strings.HasPrefix(m.Get(60), ofCompletion) {
		return false
	}
	was := map[int]string{}
	for f := range m.Fields() {
		was[f] = m.Get(f)
	}
	if r.was == nil {
		r.was = map[string]map[int]string{}
	}
	r.was[was[11]] = was
	m.Reset()
	m.SetMTI("0400")
	for f, value := range was {
		if f != 61 { // where a completion names itself
			m.Set(f, value)
		}
	}
	m.Set(25, "00")
	m.Set(60, ofSale+strings.TrimPrefix(was[60], ofCompletion))
	return true
}

func (r *reversedAsSale) answers(m *iso8583.Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.was[m.Get(11)]
	if m.MTI() != "0410" || was == nil {
		return false
	}
	m.Set(25, was[25])
	m.Set(60, was[60])
	return true
}
