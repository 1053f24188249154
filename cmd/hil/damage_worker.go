package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// kinds are the damages of a base, or the lies told in a life, in a fixed order.
func (p *damagePlan) kinds(base int) []damageKind {
	if base < len(p.Bases) {
		return damageKinds(&p.Bases[base])
	}
	h := &p.Lives[base-len(p.Bases)]
	return []damageKind{
		{name: kindFlush, share: 60, count: len(flushLies(h, false))},
		{name: kindWrite, share: 8, count: len(flushLies(h, true))},
		{name: kindOlder, share: 8, count: len(olderFiles(h))},
	}
}

// damageWorker examines images. It is one process.
type damageWorker struct {
	plan  damagePlan
	dir   string
	bench workbench
	busy  []byte

	*ready // for the job at hand
	before map[int]*ready
}

// ready is what the images of one base, or of one life, are made from. It takes a while to make, and jobs change between
// bases.
type ready struct {
	kinds  []damageKind
	truth  *model
	digest *digester
	lies   [2][]lostFlush
	older  []older
	list   []promise
}

func damageWork(planFile, dir string, in io.Reader, out io.Writer) error {
	w := &damageWorker{dir: dir, before: map[int]*ready{}, bench: workbench{dir: filepath.Join(dir, "store")}}
	if err := readGob(planFile, &w.plan); err != nil {
		return err
	}
	return attend(dir, in, out, func(busy []byte, j job, o *outcome) error {
		w.busy = busy
		return w.do(j, o)
	})
}

// turn makes ready for a base or a life.
func (w *damageWorker) turn(base int) (err error) {
	if w.ready = w.before[base]; w.ready != nil {
		return nil
	}
	w.ready = &ready{kinds: w.plan.kinds(base)}
	w.before[base] = w.ready
	if base < len(w.plan.Bases) {
		b := &w.plan.Bases[base]
		w.truth, w.digest = b.truth(), newDigester(b.image(), nil)
		return nil
	}
	h := &w.plan.Lives[base-len(w.plan.Bases)]
	w.lies, w.older = [2][]lostFlush{flushLies(h, false), flushLies(h, true)}, olderFiles(h)
	w.list, err = h.promises()
	return err
}

// numberOf spreads the k-th of those drawn over all images of a kind, each once.
func numberOf(k, drawn, count int) int {
	if drawn >= count {
		return k
	}
	stride := int(float64(count)*0.6180339887) | 1
	for gcd(stride, count) != 1 {
		stride += 2
	}
	return int(uint64(k) * uint64(stride) % uint64(count))
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// specimen is one image, ready to be examined.
type specimen struct {
	state *image
	mark  digest
	m     *model
	sum   []txnstore.Total
	want  demand
	lie   sortOfLie
}

func (w *damageWorker) do(j job, o *outcome) error {
	if err := w.turn(j.History); err != nil {
		return err
	}
	o.Area = w.kinds[j.Step].name + "/" + w.kinds[j.Step].file
	known := map[digest]bool{}
	for k := j.From; k < j.To; k++ {
		n := k
		if j.Control == "" {
			n = numberOf(k, j.Of, w.kinds[j.Step].count)
		}
		if slices.Contains(j.Skip, n) {
			continue
		}
		s, err := w.specimen(j, n)
		if err != nil {
			return err
		}
		if s.state == nil || known[s.mark] {
			continue
		}
		known[s.mark] = true
		if s.lie != "" {
			o.Sorts["lie "+string(s.lie)]++
		}
		o.Sorts["images"]++
		o.Digests = append(o.Digests, s.mark[:]...)
		binary.NativeEndian.PutUint64(w.busy, uint64(n)+1)
		seen, err := w.examine(j, s)
		binary.NativeEndian.PutUint64(w.busy, 0)
		for what, so := range map[string]bool{"refused": seen.refused, "told": seen.told, "kept": seen.kept && !seen.refused, "healthy": seen.healthy} {
			if so {
				o.Sorts[what]++
			}
		}
		if s.lie != "" && seen.told {
			o.Sorts["told "+string(s.lie)]++
		}
		if err == nil {
			continue
		}
		if err := o.count(origin{j.History, j.Step, n}, err); err != nil {
			return err
		}
		w.bench.spoilt()
	}
	return nil
}

// specimen makes the n-th image of a kind. It has no state where nothing is damaged after all.
func (w *damageWorker) specimen(j job, n int) (s specimen, err error) {
	kind := w.kinds[j.Step]
	if j.History >= len(w.plan.Bases) {
		return w.liar(&w.plan.Lives[j.History-len(w.plan.Bases)], kind.name, n)
	}
	b := &w.plan.Bases[j.History]
	s.m, s.sum = w.truth, b.Totals
	base := b.image()
	if j.Control == controlSound {
		s.state, s.want = base, demand{oneFile: true, quiet: true}
		return s, nil
	}
	ops := kind.ops(n, rand.New(rand.NewPCG(stepSeed(w.plan.Seed, j.History, j.Step), uint64(n))))
	state := w.bench.patched(base, ops)
	if s.mark = w.digest.of(state, touched(ops)); s.mark != w.digest.of(base, nil) {
		s.state, s.want.oneFile = state, kind.file != ""
	}
	return s, nil
}

// liar makes an image of a life in which the disk lied.
func (w *damageWorker) liar(h *history, kind string, n int) (s specimen, err error) {
	if kind == kindOlder {
		o := w.older[n]
		s.state, s.want.oneFile = o.image(h), true
		s.m = modelOf(w.list, promisedAt(h.Ops, o.cut))
	} else {
		list := w.lies[0]
		if kind == kindWrite {
			list = w.lies[1]
		}
		l := list[n]
		left := without(h.Ops, l.cut, l.lost)
		if s.lie, err = l.judge(h, left, w.dir); err != nil || s.lie == lieNone {
			return s, err
		}
		born := left.files[hotFile] != nil || promisedAt(h.Ops, l.cut) > 0
		s.state, s.want = left, demand{oneFile: born, told: kind == kindFlush && s.lie == lieMatters, recount: kind == kindWrite}
		s.m = modelOf(w.list, promisedAt(h.Ops, l.cut))
	}
	s.mark = newDigester(newImage(), nil).of(s.state, nil)
	return s, nil
}

func (w *damageWorker) examine(j job, s specimen) (observed, error) {
	if err := w.bench.lay(s.state); err != nil {
		return observed{}, err
	}
	d := &damaged{dir: w.bench.dir, m: s.m, totals: s.sum, want: s.want}
	if run := misbehaviours()[j.Control]; run != nil {
		return observed{}, run(w, j, d)
	}
	err := d.examine()
	return d.seen, err
}

// cutOf is the moment of a life at which an image was taken.
func (w *damageWorker) cutOf(kind, n int) int {
	switch w.kinds[kind].name {
	case kindOlder:
		return w.older[n].cut
	case kindWrite:
		return w.lies[1][n].cut
	default:
		return w.lies[0][n].cut
	}
}

// kept is a wrong image on a disk, with what is needed to examine it again.
type kept struct {
	Promises []promise
	Acked    int
	Pruned   map[txn.ID]bool
	Totals   []txnstore.Total
	OneFile  bool
	Told     bool
	Recount  bool
}

const keptName = "promised.gob"

// examineKept examines an image again, in this process: what would end a worker ends it, and shows where.
func examineKept(dir string, out io.Writer) error {
	var k kept
	if err := readGob(filepath.Join(dir, keptName), &k); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(quickPlace(), "image")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	entries, err := os.ReadDir(filepath.Join(dir, "store"))
	if err != nil {
		return err
	}
	state := newImage()
	for _, e := range entries {
		if state.files[e.Name()], err = os.ReadFile(filepath.Join(dir, "store", e.Name())); err != nil {
			return err
		}
	}
	bench := workbench{dir: filepath.Join(scratch, "store")}
	if err := bench.lay(state); err != nil {
		return err
	}
	health, err := txnstore.Check(bench.dir, crashOptions())
	for _, h := range health {
		fmt.Fprintf(out, "%-10s  %v, %d records\n", h.File, h.Verdict, h.Records)
		for _, f := range h.Findings {
			fmt.Fprintln(out, " ", f)
		}
	}
	if err != nil {
		fmt.Fprintln(out, "check:", err)
	}
	m := modelOf(k.Promises, k.Acked)
	for id := range k.Pruned {
		delete(m.floor, id)
	}
	d := &damaged{dir: bench.dir, m: m, totals: k.Totals, want: demand{oneFile: k.OneFile, told: k.Told, recount: k.Recount}}
	wrong := d.examine()
	fmt.Fprintf(out, "reported:\n%s", d.said)
	if wrong == nil {
		fmt.Fprintln(out, "this image is borne well")
	}
	return wrong
}
