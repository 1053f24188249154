package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
)

// The parts of a run. In a long life the slots, the archive and the batches go round often; its states are slow to
// examine, because each record is read each time, and so they are drawn; so are those of recoveries, when they are more
// than their part of the run. Then short lives follow, one after the other and each to its last state, until there are
// enough distinct ones; of their births, which are all alike, only the first is examined whole, and that in a large run.
const (
	shortSales   = 16
	longPart     = 0.005
	recoverPart  = 0.15
	againPart    = 0.05
	birthPart    = 0.05   // of a birth that is like the first
	largeRun     = 50_000 // states
	statesOfLife = 5_000  // distinct, at least
	statesOfOpen = 2_500  // about
)

const (
	depthOpen  = "opening: "
	depthAgain = "opening again: "
)

// prepare records all histories and makes the jobs: those that are always done, and those that fill up.
func (p *prover) prepare(ctx context.Context) (always, fill []job, err error) {
	long, err := p.live(ctx, "long", p.sales, p.seed)
	if err != nil {
		return nil, nil, err
	}
	var short []int
	for n := range 1 + p.states/statesOfLife {
		one, err := p.live(ctx, "short-"+strconv.Itoa(n), shortSales, p.seed+uint64(n)+1)
		if err != nil {
			return nil, nil, err
		}
		short = append(short, one)
	}
	opens := 2 + int(float64(p.states)*recoverPart/statesOfOpen)
	first, err := p.recoveries(ctx, depthOpen, short, opens)
	if err != nil {
		return nil, nil, err
	}
	again := 1 + int(float64(p.states)*againPart/statesOfOpen)
	second, err := p.recoveries(ctx, depthAgain, first, again)
	if err != nil {
		return nil, nil, err
	}
	p.say("recorded %d sales in %d lives, and %d recoveries, %d of them of a crashed recovery",
		p.sales+shortSales*len(short), 1+len(short), opens+again, again)
	always, err = p.planControls(ctx, short[0])
	if err != nil {
		return nil, nil, err
	}
	told, err := p.planLies(short)
	if err != nil {
		return nil, nil, err
	}
	p.sampled = fmt.Sprintf("  %d openings of crash states, drawn by lot, were recorded, and %d of crash states of these", opens, again)
	return p.shared(append(always, told...), long, short, append(first, second...))
}

// shared gives every job its share of the states.
func (p *prover) shared(controls []job, long int, short, opens []int) (always, fill []job, err error) {
	ofOpens, states, err := p.every(opens)
	if err != nil {
		return nil, nil, err
	}
	ofLong, total, err := p.every([]int{long})
	if err != nil {
		return nil, nil, err
	}
	for i := range ofLong {
		ofLong[i].Share = float64(p.states) * longPart / float64(total)
	}
	for i := range ofOpens {
		ofOpens[i].Share = min(1, float64(p.states)*(recoverPart+againPart)/float64(states))
	}
	for n, one := range short {
		steps, err := p.plan.Histories[one].steps()
		if err != nil {
			return nil, nil, err
		}
		for number, s := range steps {
			j := job{History: one, Step: number, Share: 1}
			if s.area == areaBirth && (n > 0 || p.states < largeRun) {
				j.Share = birthPart
			}
			fill = append(fill, j)
		}
	}
	p.sampled += fmt.Sprintf(": of their %d crash states %s is examined\n  of the long life's %d crash states %s, of the short lives' each",
		states, oneIn(ofOpens[0].Share), total, oneIn(ofLong[0].Share))
	return slices.Concat(controls, ofLong, ofOpens), fill, nil
}

func oneIn(share float64) string {
	if share >= 1 {
		return "each"
	}
	return fmt.Sprintf("one in %.0f", 1/share)
}

// every makes a job of each step of some histories, for all of its states, and counts these.
func (p *prover) every(histories []int) (jobs []job, states int, err error) {
	for _, n := range histories {
		c := cursor{histories: p.plan.Histories, seed: p.seed}
		for number := 0; ; number++ {
			base, s, err := c.moveTo(n, number)
			if err != nil && number == len(c.steps) {
				break
			}
			if err != nil {
				return nil, 0, err
			}
			states += crashesOf(base, s, stepSeed(p.seed, n, number)).count
			jobs = append(jobs, job{History: n, Step: number, Share: 1})
		}
	}
	return jobs, states, nil
}

func (p *prover) live(ctx context.Context, name string, sales int, seed uint64) (int, error) {
	dir, err := p.directory(name)
	if err != nil {
		return 0, err
	}
	ops, err := record(ctx, dir, p.log, p.self, "crash", "-live", "-at", dir, "-sales", strconv.Itoa(sales), "-seed", strconv.FormatUint(seed, 10))
	if err != nil {
		return 0, fmt.Errorf("record the %s life: %w", name, err)
	}
	p.plan.Histories = append(p.plan.Histories, history{Name: name, Kind: realStore, Ops: ops})
	return len(p.plan.Histories) - 1, nil
}

// recoveries draws crash states of histories, and records what the store writes when it opens them.
func (p *prover) recoveries(ctx context.Context, name string, of []int, count int) (made []int, err error) {
	dice := rand.New(rand.NewPCG(p.seed, uint64(len(p.plan.Histories))))
	dir, err := p.directory("recovery-" + strconv.Itoa(len(p.plan.Histories)))
	if err != nil {
		return nil, err
	}
	bench := workbench{dir: dir}
	for range count {
		from, base, err := p.draw(dice, of)
		if err != nil {
			return nil, err
		}
		bench.spoilt()
		if err := bench.lay(base); err != nil {
			return nil, err
		}
		ops, err := record(ctx, dir, p.log, p.self, "crash", "-recover", "-at", dir)
		if err != nil {
			return nil, fmt.Errorf("record the opening of %+v: %w", from, err)
		}
		made = append(made, len(p.plan.Histories))
		p.plan.Histories = append(p.plan.Histories, history{Name: name, Kind: realStore, From: &from, Ops: ops})
	}
	return made, nil
}

func (p *prover) draw(dice *rand.Rand, of []int) (origin, *image, error) {
	from := origin{History: of[dice.IntN(len(of))]}
	steps, err := p.plan.Histories[from.History].steps()
	if err != nil {
		return from, nil, err
	}
	from.Step = dice.IntN(len(steps))
	c := cursor{histories: p.plan.Histories, seed: p.seed}
	base, s, err := c.moveTo(from.History, from.Step)
	if err != nil {
		return from, nil, err
	}
	states := crashesOf(base, s, stepSeed(p.seed, from.History, from.Step))
	from.Number = dice.IntN(states.count)
	_, ops := states.state(from.Number)
	after := base.copied()
	after.applyAll(ops)
	return from, after, nil
}
