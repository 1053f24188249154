package main

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"

	"posagent/txnstore/txn"
)

// A disk that lies says that a write is on the disk when it is not. Here the last commit of one file is lost, in whole or
// in any part and in any order, although it was reported to be on the disk and the promise was made; the other files are
// whole. What is expected is less than of an honest disk, and written down:
//
//	the lie is about   every promise is kept, except                     and the start says so, unless
//	──────────────────────────────────────────────────────────────────────────────────────────────────────────
//	hot.db             marks that rode with that commit: a slip that     nothing is missing
//	                   was printed may be printed again; a slot
//	                   half written is kept for repair
//	shadow             none: hot.db has everything                       nothing is missing
//
// A mark that is missing, and a start that says nothing, is wrong; so is everything else that is missing. These states are
// counted apart: no honest disk leaves them.
var liedAbout = []string{hotFile, shadowFile}

const (
	liePart  = 0.01 // of a run's states
	lieLeast = 1000 // states
	lieLives = 4    // lives whose flushes are lied about
)

// liesOf are the states that a lie about the last flushes of one file leaves, if the step has a commit of it.
func liesOf(base *image, s step, name string, seed uint64) (c crashes, ok bool) {
	c.count = 1
	for i, ops := range s.lanes {
		cuts := []cut{{sortWhole, ops}}
		if about := slices.IndexFunc(ops, func(o op) bool { return o.Name == name }); about >= 0 && s.area == areaCommit {
			cuts, ok = cutsOf(base, unpromised(ops), rand.New(rand.NewPCG(seed, uint64(i)))), true
		}
		c.lanes, c.count = append(c.lanes, cuts), c.count*len(cuts)
	}
	return c, ok
}

// unpromised is a list of calls without the syncs.
func unpromised(list []op) (without []op) {
	for _, o := range list {
		if o.Kind != opSync {
			o.Durable = false
			without = append(without, o)
		}
	}
	return without
}

// planLies makes the jobs, each with its share.
func (p *prover) planLies(lives []int) (jobs []job, err error) {
	total := 0
	for _, n := range lives[:min(len(lives), lieLives)] {
		c := cursor{histories: p.plan.Histories, seed: p.seed}
		for number := 0; ; number++ {
			base, s, err := c.moveTo(n, number)
			if errors.Is(err, fs.ErrInvalid) {
				break
			}
			if err != nil {
				return nil, err
			}
			for _, name := range liedAbout {
				if states, ok := liesOf(base, s, name, stepSeed(p.seed, n, number)); ok {
					total += states.count
					jobs = append(jobs, job{History: n, Step: number, Lie: name})
				}
			}
		}
	}
	for i := range jobs {
		jobs[i].Share = min(1, max(liePart*float64(p.states), lieLeast)/float64(total))
	}
	return jobs, nil
}

// believed is how a lie is spoken of in the report.
func believed(name string) string { return "the last commit of " + name + " lost" }

// promisedByLiar is what the model allows after a lie about hot.db; what no other copy holds may be missing if the start
// said that something is wrong.
func (e *examiner) promisedByLiar(seen map[txn.ID]*sighting) error {
	for id, gen := range e.m.floor {
		s := seen[id]
		switch {
		case s == nil || s.Gen < e.m.sure[id]:
			return fault(lost, "transaction %d, promised in version %d, after a flush that did not happen", id, gen)
		case s.Gen < gen && !e.told:
			return fault(silent, "transaction %d is in version %d, promised was %d, and the start said nothing", id, s.Gen, gen)
		}
	}
	return e.written(seen)
}

// lieTally counts the states of one lie, and the starts that told.
type lieTally struct{ states, told int }
