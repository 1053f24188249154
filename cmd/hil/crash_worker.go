package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// A worker is a process that examines crash states, because one of them might kill it. It reads a job a line, and answers
// with a line. The number of the state it is busy with stands in a shared page, where it can be read after its death.

// job is one step of one history.
type job struct {
	History, Step int
	Lie           string  // the file that the disk lies about; empty is an honest disk
	Share         float64 // of its states, by seed
	Most          int     // of its states; 0 is all
	Skip          []int   // states to be left out: they killed a worker
	Control       string
	From, To, Of  int // of the damage prover: these of so many images drawn
}

// outcome of a job.
type outcome struct {
	Area     string
	Sorts    map[string]int // distinct states, by sort
	Digests  []byte         // sixteen bytes of each
	Told     int            // starts that said that something is wrong
	Faults   []blame
	Failures int    // of which Faults are the first
	Broken   string // the prover's own trouble
}

// blame is what is wrong with a state.
type blame struct {
	origin
	Kind, Words string
}

const mostFaults = 20 // kept of a job; the others are counted

// count takes down what is wrong with a state. An error that is no verdict is the prover's own trouble, and returned.
func (o *outcome) count(at origin, err error) error {
	var v verdict
	if !errors.As(err, &v) {
		return err
	}
	if o.Failures++; len(o.Faults) < mostFaults {
		o.Faults = append(o.Faults, blame{at, v.kind, v.words})
	}
	return nil
}

// againShare of the states is started on twice. A second start costs as much as everything else together, and finds what the
// first one wrote, which the openings of crash states hold against every cut of it.
const againShare = 0.25

type worker struct {
	plan     plan
	dir      string
	busy     []byte
	bench    workbench
	at       cursor
	before   *digester // of the job before: most blocks are the same
	promises map[int][]promise
	began    map[int]int // of a history that began with a crash: promises made before it
}

func work(planFile, dir string, in io.Reader, out io.Writer) error {
	w := &worker{dir: dir, promises: map[int][]promise{}, began: map[int]int{}}
	var err error
	if w.plan, err = readPlan(planFile); err != nil {
		return err
	}
	w.bench.dir = filepath.Join(dir, "store")
	w.at = cursor{histories: w.plan.Histories, seed: w.plan.Seed}
	return attend(dir, in, out, func(busy []byte, j job, o *outcome) error {
		w.busy = busy
		return w.do(j, o)
	})
}

// attend answers jobs until there are no more. The number of the state at hand, plus one, belongs into busy.
func attend(dir string, in io.Reader, out io.Writer, do func(busy []byte, j job, o *outcome) error) error {
	page, err := os.OpenFile(filepath.Join(dir, busyName), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer page.Close()
	busy, err := unix.Mmap(int(page.Fd()), 0, 8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	answers := json.NewEncoder(out)
	for lines := json.NewDecoder(in); ; {
		var j job
		if err := lines.Decode(&j); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		o := outcome{Sorts: map[string]int{}}
		if err := do(busy, j, &o); err != nil {
			o.Broken = fmt.Sprintf("history %d step %d: %v", j.History, j.Step, err)
		}
		if err := answers.Encode(o); err != nil {
			return err
		}
	}
}

func (w *worker) do(j job, o *outcome) error {
	base, s, err := w.at.moveTo(j.History, j.Step)
	if err != nil {
		return err
	}
	promises, acked, err := w.promised(j.History, s.acked)
	if err != nil {
		return err
	}
	o.Area = s.area
	seed := stepSeed(w.plan.Seed, j.History, j.Step)
	c := crashesOf(base, s, seed)
	if j.Lie != "" {
		c, _ = liesOf(base, s, j.Lie, seed)
		if next := j.Step + 1; next < len(w.at.steps) {
			acked = w.at.steps[next].acked // the step is over, and what followed from it was promised
		}
	}
	m := modelOf(promises, acked)
	g, known := newDigester(base, w.before), map[digest]bool{}
	w.before = g
	for n := range c.count {
		if !drawn(n, j.Share, seed) || slices.Contains(j.Skip, n) {
			continue
		}
		if j.Most > 0 && len(known) >= j.Most {
			break
		}
		sort, ops := c.state(n)
		after := w.bench.patched(base, ops)
		d := g.of(after, touched(ops))
		if known[d] {
			continue
		}
		known[d] = true
		o.Sorts[sort]++
		o.Digests = append(o.Digests, d[:]...)
		binary.NativeEndian.PutUint64(w.busy, uint64(n)+1)
		told, err := w.examine(j, n, after, m, seed)
		binary.NativeEndian.PutUint64(w.busy, 0)
		if told {
			o.Told++
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

func (w *worker) examine(j job, number int, after *image, m *model, seed uint64) (told bool, err error) {
	if err := w.bench.lay(after); err != nil {
		return false, err
	}
	switch {
	case w.plan.Histories[j.History].Kind == pocketStore:
		return false, examinePocket(w.bench.dir, m)
	case j.Control == controlUnreconciled, j.Control == controlReconciled:
		return false, examineRaw(w.bench.dir, m, j.Control == controlReconciled)
	}
	e := examiner{dir: w.bench.dir, m: m, lie: j.Lie, brief: j.Control == "" && !drawn(number, againShare, ^seed)}
	err = e.examine(j.Control == controlForgetful)
	return e.told, err
}

// promised are the promises of a history; one that began with a crash has made none of its own, and the crashed one's count.
func (w *worker) promised(number, acked int) ([]promise, int, error) {
	h := &w.plan.Histories[number]
	if h.From != nil {
		if _, known := w.began[number]; !known {
			steps, err := w.plan.Histories[h.From.History].steps()
			if err != nil {
				return nil, 0, err
			}
			w.began[number] = steps[h.From.Step].acked
		}
		return w.promised(h.From.History, w.began[number])
	}
	if w.promises[number] == nil {
		list, err := h.promises()
		if err != nil {
			return nil, 0, err
		}
		w.promises[number] = list
	}
	return w.promises[number], acked, nil
}
