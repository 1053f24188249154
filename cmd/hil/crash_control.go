package main

import (
	"context"
	"fmt"
	"slices"
)

// Controls are wrong on purpose: wrong little stores, the real store's log with its syncs taken out, a start that skips
// the recovery (crash_raw.go), and a terminal that does not undo what is owed after one. Each must be caught, in every run, or the run proves nothing.
const (
	realStore     = "txnstore"
	unsyncedStore = "txnstore without syncs"

	controlUnsynced  = "no sync ever happens"
	control1024      = "1 KiB pages, and a shorn block"
	controlInPlace   = "created in place, not renamed into place"
	controlEarly     = "promised before it is committed"
	controlForgetful = "what is owed is not undone at start"
	controlRight     = "the wrong little store, done right, passes"

	controlUnreconciled = "recovery skipped: hot.db is believed as it stands"
	controlReconciled   = "the same states, the newest version of each, pass"
)

var controls = []string{controlUnsynced, control1024, controlInPlace, controlEarly, controlUnreconciled, controlForgetful,
	controlRight, controlReconciled}

// unsyncedSteps is how much of a store without syncs may be in flight at once.
const unsyncedSteps = 8

// unsynced takes the syncs out of everything after birth, and with them all order.
func unsynced(steps []step) (list []step) {
	trade := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return s.area == areaBirth })
	for _, s := range steps {
		if s.area == areaBirth {
			list = append(list, s)
		}
	}
	for group := range slices.Chunk(trade, unsyncedSteps) {
		var ops []op
		for _, s := range group {
			for _, o := range s.flat() {
				if o.Kind != opSync {
					o.Durable = false
					ops = append(ops, o)
				}
			}
		}
		list = append(list, step{"unsynced", [][]op{ops}, group[len(group)-1].acked})
	}
	return list
}

// controlStates is how many states of a step a control examines at most.
const controlStates = 60

// planControls adds what the controls need to the histories, and returns their jobs. It needs one recorded life.
func (p *prover) planControls(ctx context.Context, oneLife int) (jobs []job, err error) {
	for _, c := range []struct{ name, how string }{
		{control1024, pocket1024}, {controlInPlace, pocketInPlace}, {controlEarly, pocketEarly}, {controlRight, pocketRight},
	} {
		dir, err := p.directory("pocket-" + c.how)
		if err != nil {
			return nil, err
		}
		ops, err := record(ctx, dir, p.log, p.self, "crash", "-pocket", c.how, "-at", dir)
		if err != nil {
			return nil, err
		}
		h := history{Name: c.how, Kind: pocketStore, Ops: ops}
		steps, err := h.steps()
		if err != nil {
			return nil, err
		}
		for n := range steps {
			jobs = append(jobs, job{History: len(p.plan.Histories), Step: n, Share: 1, Most: 4 * controlStates, Control: c.name})
		}
		p.plan.Histories = append(p.plan.Histories, h)
	}
	h := p.plan.Histories[oneLife]
	steps, err := h.steps()
	if err != nil {
		return nil, err
	}
	for _, n := range spread(len(steps), 20) {
		jobs = append(jobs, job{History: oneLife, Step: n, Share: 0.02, Most: controlStates, Control: controlForgetful})
	}
	for n, s := range steps {
		if s.area == areaCommit && n%4 == 0 {
			for _, name := range []string{controlUnreconciled, controlReconciled} {
				jobs = append(jobs, job{History: oneLife, Step: n, Share: 0.02, Most: controlStates, Control: name})
			}
		}
	}
	h.Kind = unsyncedStore
	if steps, err = h.steps(); err != nil {
		return nil, err
	}
	for _, n := range spread(len(steps)-1, 6) {
		jobs = append(jobs, job{History: len(p.plan.Histories), Step: n + 1, Share: 1, Most: controlStates, Control: controlUnsynced})
	}
	p.plan.Histories = append(p.plan.Histories, h)
	return jobs, nil
}

// judgeControls tells whether each was caught.
func (p *prover) judgeControls() (lines []string, bad int) {
	for _, name := range controls {
		n := p.caught[name]
		verdict := fmt.Sprintf("caught, %d states fail", n)
		switch {
		case passes(name) && n == 0 && p.tried[name] > 0:
			verdict = fmt.Sprintf("passes, %d states", p.tried[name])
		case passes(name) || n == 0:
			verdict = fmt.Sprintf("NOT AS IT MUST BE: %d of %d states fail", n, p.tried[name])
			bad++
		}
		lines = append(lines, fmt.Sprintf("  %-50s %s", name, verdict))
	}
	return lines, bad
}

// passes tells the controls that show that the others are caught for what is wrong with them and for nothing else.
func passes(control string) bool { return control == controlRight || control == controlReconciled }
