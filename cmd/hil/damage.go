package main

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// The damage prover. It makes stores of every age (damage_base.go), damages their files in every way it knows
// (damage_kinds.go), leaves out flushes and writes that a disk said it had done (damage_flush.go), and has workers start a
// terminal on each image, twice (damage_check.go, damage_worker.go): the process lives, comes to an end, and says nothing
// that was never written; what is gone is reported; what is in flight is kept as long as only one file was hurt. What is
// wrong on purpose must be found to be wrong (damage_control.go).
//
// Where a kind of damage has fewer images than its part of the run, all of them are examined. The draw of the others
// follows from the seed; the bytes do not quite, because seals have random nonces, so wrong images are kept as files and
// examined again with -image.

type damageSettings struct {
	images, workers int
	seed            uint64
	keep            string
}

func damageCommand(ctx context.Context, f *flag.FlagSet, args []string, out, log io.Writer) error {
	var s damageSettings
	f.IntVar(&s.images, "images", 100_000, "distinct damaged images to examine, at least")
	f.IntVar(&s.workers, "workers", runtime.NumCPU(), "processes that examine images")
	f.Uint64Var(&s.seed, "seed", 1, "of the draw")
	f.StringVar(&s.keep, "keep", filepath.Join("run", "damage"), "lay the first wrong images out below this directory")
	again := f.String("image", "", "examine one image that was laid out in this directory, in this process")
	at := f.String("at", "", "of a child: its directory")
	plan := f.String("worker", "", "be a child that examines images of this plan")
	_ = f.Parse(args)
	switch {
	case *plan != "":
		return damageWork(*plan, *at, os.Stdin, out)
	case *again != "":
		return examineKept(*again, out)
	case s.images < 1 || s.workers < 1 || f.NArg() > 0:
		return errors.New(usage)
	}
	return proveDamage(ctx, s, out, log)
}

// damagePlan is what all workers know. A job's History is a base, or behind these a recorded life; its Step is a kind.
type damagePlan struct {
	Bases []damageBase
	Lives []history
	Seed  uint64
}

// damageProver is one run.
type damageProver struct {
	damageSettings
	prover // records lives, and says how far it is
	plan   damagePlan
	jobs   []job
	drawn  map[[2]int]drawnKind
	more   int // chunks drawn beyond the plan

	keeper  *damageWorker
	trouble error // of keeping wrong images

	rows     map[string]map[string]int // by area
	found    []blame
	byKind   map[string]int
	caughtAs map[string]map[string]int // of a control: images examined, and wrong ones by kind
}

type drawnKind struct {
	name      string
	taken, of int
}

func proveDamage(ctx context.Context, s damageSettings, out, log io.Writer) (err error) {
	p := &damageProver{damageSettings: s, rows: map[string]map[string]int{}, byKind: map[string]int{},
		drawn: map[[2]int]drawnKind{}, caughtAs: map[string]map[string]int{}}
	p.prover = prover{log: log, began: time.Now(), distinct: map[digest]bool{}}
	p.keeper = &damageWorker{before: map[int]*ready{}}
	p.prover.seed, p.damageSettings.seed = s.seed, s.seed
	if p.self, err = os.Executable(); err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp(quickPlace(), "damage"); err != nil {
		return err
	}
	defer os.RemoveAll(p.dir)
	if err := p.prepareDamage(ctx); err != nil {
		return err
	}
	p.keeper.plan, p.keeper.dir = p.plan, p.dir
	file := filepath.Join(p.dir, "plan")
	if err := writeGob(file, p.plan); err != nil {
		return err
	}
	controls := p.controlJobs()
	first := crew{self: p.self, command: "damage", patience: controlWithin, plan: file, dir: p.dir, done: p.countControl, next: func() (job, bool) {
		return pop(&controls)
	}}
	if err := first.run(ctx, s.workers+1); err != nil {
		return err
	}
	examining := time.Now()
	c := crew{self: p.self, command: "damage", patience: imageWithin, plan: file, dir: p.dir, done: p.countDamage, next: func() (job, bool) {
		if j, ok := pop(&p.jobs); ok {
			return j, true
		}
		return p.another()
	}}
	ended := c.run(ctx, s.workers)
	return errors.Join(ended, p.trouble, p.reportDamage(out, time.Since(examining))) // a run that was interrupted reports what it has
}

const (
	controlWithin = 1500 * time.Millisecond
	imageWithin   = 10 * time.Second // and twice; a slow machine is not a hang
	chunk         = 64               // images of a job
)

func pop(list *[]job) (j job, ok bool) {
	if len(*list) == 0 {
		return j, false
	}
	j, *list = (*list)[0], (*list)[1:]
	return j, true
}

func writeGob(path string, what any) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(gob.NewEncoder(w).Encode(what), w.Flush(), f.Close())
}

func readGob(path string, what any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(gob.NewDecoder(bufio.NewReaderSize(f, 1<<20)).Decode(what), f.Close())
}

// damageLives are recorded for lost flushes; damageSales is how long each is.
const (
	damageLives = 3
	damageSales = 45
)

// prepareDamage makes the bases, records the lives and draws the images.
func (p *damageProver) prepareDamage(ctx context.Context) error {
	p.plan.Seed = p.damageSettings.seed
	for n, s := range damageStories() {
		dir, err := p.directory(fmt.Sprintf("base-%d", n))
		if err != nil {
			return err
		}
		base, err := s.make(dir)
		if err != nil {
			return err
		}
		p.plan.Bases = append(p.plan.Bases, base)
	}
	lives := damageLives
	if p.images < largeRun {
		lives = 1
	}
	for n := range lives {
		if _, err := p.live(ctx, fmt.Sprintf("life-%d", n), damageSales, p.plan.Seed+uint64(n)); err != nil {
			return err
		}
	}
	p.plan.Lives = p.prover.plan.Histories
	p.draw()
	p.say("made %d stores and recorded %d lives of %d sales", len(p.plan.Bases), lives, damageSales)
	return nil
}

// manyPart is what one image of the large store weighs in the draw: it takes as long as fifty others.
const manyPart = 0.04

// draw gives each kind of each base its part of the images, all of them where that is enough, and makes the jobs.
func (p *damageProver) draw() {
	type part struct {
		where  [2]int
		weight float64
		drawnKind
	}
	var parts []*part
	for b := range len(p.plan.Bases) + len(p.plan.Lives) {
		for k, kind := range p.plan.kinds(b) {
			weight := kind.share
			if b < len(p.plan.Bases) && p.plan.Bases[b].Name == "many records" {
				weight *= manyPart
			}
			parts = append(parts, &part{[2]int{b, k}, weight, drawnKind{kind.name, 0, kind.count}})
		}
	}
	left := p.images
	if left >= largeRun { // then every page of every store is hurt in every way
		for _, q := range parts {
			if q.name == kindPage {
				q.taken, left = q.of, left-q.of
			}
		}
	}
	for left > 0 {
		total := 0.0
		for _, q := range parts {
			if q.taken < q.of {
				total += q.weight
			}
		}
		spent := 0
		for _, q := range parts {
			if q.taken < q.of {
				n := min(q.of-q.taken, int(float64(left)*q.weight/total))
				q.taken, spent = q.taken+n, spent+n
			}
		}
		if left -= spent; spent == 0 {
			break
		}
	}
	for _, q := range parts {
		p.drawn[q.where] = q.drawnKind
		for from := 0; from < q.taken; from += chunk {
			p.jobs = append(p.jobs, job{History: q.where[0], Step: q.where[1], From: from, To: min(from+chunk, q.taken), Of: q.taken})
		}
	}
	dice := rand.New(rand.NewPCG(p.plan.Seed, 3))
	dice.Shuffle(len(p.jobs), func(i, k int) { p.jobs[i], p.jobs[k] = p.jobs[k], p.jobs[i] })
}

// another draws more of a kind without end: some of what was drawn has changed nothing, or the same as another.
func (p *damageProver) another() (job, bool) {
	if len(p.distinct) >= p.images {
		return job{}, false
	}
	bases := len(p.plan.Bases) - 1 // without the large one
	b := p.more % bases
	for k, kind := range p.plan.kinds(b) {
		if kind.name == kindSeveral {
			from := p.drawn[[2]int{b, k}].taken + p.more/bases*chunk
			p.more++
			return job{History: b, Step: k, From: from, To: from + chunk, Of: kind.count}, from+chunk < kind.count
		}
	}
	return job{}, false
}
