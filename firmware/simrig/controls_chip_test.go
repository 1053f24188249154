package simrig

import (
	"posagent/firmware/agent"
	"posagent/txnstore/txn"
)

// approvesEarly takes the acquirer's word for a chip card's.
type approvesEarly struct{ agent.Store }

func (s approvesEarly) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	x, err := s.Store.Get(id)
	if err == nil && next == txn.Approved && x.State == txn.Approved {
		return s.Store.Update(id, change)
	}
	x, err = s.Store.Advance(id, next, change)
	if err != nil || next != txn.Authorized {
		return x, err
	}
	return s.Store.Advance(id, txn.Approved, owedSlips)
}

// trustsTheAcquirer finds an authorized sale after a restart and takes it for approved.
type trustsTheAcquirer struct{ agent.Store }

func (s trustsTheAcquirer) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	if x, err := s.Store.Get(id); err == nil && next == txn.Reversing && x.State == txn.Authorized && x.EndBoot != s.Boot() {
		return s.Store.Advance(id, txn.Approved, owedSlips)
	}
	return s.Store.Advance(id, next, change)
}

// deafToTheCard approves what a card has refused or never confirmed.
type deafToTheCard struct{ agent.Store }

func (s deafToTheCard) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	if x, err := s.Store.Get(id); err == nil && next == txn.Reversing && x.State == txn.Authorized && x.EndBoot == s.Boot() {
		return s.Store.Advance(id, txn.Approved, owedSlips)
	}
	return s.Store.Advance(id, next, change)
}

func owedSlips(x *txn.Txn) { x.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed} }
