package main

import (
	"posagent/txnstore/txn"
)

// model is what must be found, and what may be found, at a moment of a history.
type model struct {
	versions map[txn.ID]map[uint32]*sighting // that may be found: everything written, the call in flight included
	floor    map[txn.ID]uint32               // the version that was promised; a later one is welcome
	sure     map[txn.ID]uint32               // the same without what rode with another commit
	stans    map[[2]uint32]bool              // batch and STAN, promised
	refs     []string                        // promised, in order
	flying   *sighting                       // of the call in flight, if it has one
	batch    uint32
	boot     uint32
}

// modelOf follows promises up to a moment; the next one is in flight.
func modelOf(promises []promise, acked int) *model {
	m := &model{versions: map[txn.ID]map[uint32]*sighting{}, floor: map[txn.ID]uint32{}, sure: map[txn.ID]uint32{}, stans: map[[2]uint32]bool{}, batch: 1}
	riding := map[string][]*sighting{}
	for i, p := range promises[:min(acked+1, len(promises))] {
		if s := p.Txn; s != nil {
			if m.versions[s.ID] == nil {
				m.versions[s.ID] = map[uint32]*sighting{}
			}
			m.versions[s.ID][s.Gen] = s
		}
		if i == acked {
			m.flying = p.Txn
			break
		}
		m.boot, m.batch = max(m.boot, p.Boot), max(m.batch, p.Batch)
		if p.STAN > 0 {
			m.stans[[2]uint32{p.Batch, p.STAN}] = true
		}
		for _, s := range riding[p.Deed] {
			m.floor[s.ID] = max(m.floor[s.ID], s.Gen)
		}
		delete(riding, p.Deed)
		switch s := p.Txn; {
		case s == nil:
		case p.Rides != "":
			riding[p.Rides] = append(riding[p.Rides], s)
		default:
			if s.Gen == 1 {
				m.refs = append(m.refs, s.Reference)
				m.stans[[2]uint32{s.Batch, s.STAN}] = true
			}
			m.floor[s.ID] = max(m.floor[s.ID], s.Gen)
			m.sure[s.ID] = max(m.sure[s.ID], s.Gen)
		}
	}
	return m
}
