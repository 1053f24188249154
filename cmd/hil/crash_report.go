package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tally counts the distinct states of an area, by sort.
type tally map[string]int

// shownFaults is how many failing states the report names.
const shownFaults = 8

const sayEvery = 10 * time.Second

// count takes one job's outcome. Areas and digests are of the real store only.
func (p *prover) count(j job, o outcome) {
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(sayEvery)
		p.say("%d distinct states, %d wrong", len(p.distinct), len(p.faults))
	}
	if j.Control != "" {
		p.tried[j.Control] += len(o.Digests) / len(digest{})
		p.caught[j.Control] += o.Failures
		return
	}
	if j.Lie != "" {
		t := p.lies[j.Lie]
		t.states, t.told = t.states+len(o.Digests)/len(digest{}), t.told+o.Told
		p.lies[j.Lie] = t
		p.blame(o)
		return
	}
	area := o.Area
	if h := p.plan.Histories[j.History]; h.From != nil {
		area = h.Name + area
	}
	if p.areas[area] == nil {
		p.areas[area] = &tally{}
	}
	for sort, n := range o.Sorts {
		(*p.areas[area])[sort] += n
	}
	for d := range slices.Chunk(o.Digests, len(digest{})) {
		p.distinct[digest(d)] = true
	}
	p.blame(o)
}

func (p *prover) blame(o outcome) {
	for _, f := range o.Faults {
		p.failures[f.Kind]++
	}
	p.failures["others"] += o.Failures - len(o.Faults)
	p.faults = append(p.faults, o.Faults...)
}

// report prints a screen, and says by its error whether anything is wrong.
func (p *prover) report(out io.Writer, took time.Duration) error {
	fmt.Fprintf(out, "%-40s %10s %10s %10s %10s\n", "what was cut", sortSectors, sortShorn, sortWhole, "states")
	total := 0
	for _, name := range slices.Sorted(maps.Keys(p.areas)) {
		t := *p.areas[name]
		sum := t[sortSectors] + t[sortShorn] + t[sortWhole]
		fmt.Fprintf(out, "%-40s %10d %10d %10d %10d\n", name, t[sortSectors], t[sortShorn], t[sortWhole], sum)
		total += sum
	}
	fmt.Fprintf(out, "%-40s %43d\n", "examined", total)
	fmt.Fprintf(out, "%-40s %43d\n", "of them with distinct contents", len(p.distinct))
	fmt.Fprintln(out, p.sampled)
	fmt.Fprintf(out, "  each is started on, looked at, traded on and recounted; one in %.0f is then started on again, looked at and recounted\n", 1/againShare)
	fmt.Fprintln(out, "\na disk that lied, counted apart")
	for _, name := range liedAbout {
		t := p.lies[name]
		fmt.Fprintf(out, "  %-38s %43d\n  %-38s %43d\n", believed(name), t.states, "  of which the start told", t.told)
	}
	fmt.Fprintln(out)
	var counts []string
	bad := p.failures["others"]
	for _, kind := range kinds {
		counts = append(counts, fmt.Sprintf("%d %s", p.failures[kind], kind))
		bad += p.failures[kind]
	}
	if more := p.failures["others"]; more > 0 {
		counts = append(counts, fmt.Sprintf("and %d more", more))
	}
	fmt.Fprintln(out, strings.Join(counts, ", "))
	for _, f := range p.faults[:min(len(p.faults), shownFaults)] {
		fmt.Fprintf(out, "  %s: history %d (%s), step %d, state %d: %s\n", f.Kind, f.History, p.plan.Histories[f.History].Name, f.Step, f.Number, f.Words)
	}
	fmt.Fprintln(out, "\ncontrols")
	lines, missed := p.judgeControls()
	fmt.Fprintln(out, strings.Join(lines, "\n"))
	fmt.Fprintf(out, "\n%.0f states a second with %d workers, %v in all; seed %d\n",
		float64(len(p.distinct))/took.Seconds(), p.workers, time.Since(p.began).Round(time.Second), p.seed)
	for _, name := range liedAbout {
		total += p.lies[name].states
	}
	for _, n := range p.tried {
		total += n
	}
	fmt.Fprintln(out, p.cost.of(total))
	for _, name := range liedAbout {
		if p.lies[name].told == 0 {
			return fmt.Errorf("no start told that %s", believed(name))
		}
	}
	switch {
	case bad > 0:
		return fmt.Errorf("%d crash states are wrong", bad)
	case missed > 0:
		return fmt.Errorf("%d controls did not do what they must", missed)
	case len(p.distinct) < p.states:
		return fmt.Errorf("only %d distinct states of %d", len(p.distinct), p.states)
	}
	return nil
}

// keepFaults lays out the first wrong states as the store would find them: the bytes of a recording are not made twice.
func (p *prover) keepFaults() error {
	if p.keep == "" {
		return nil
	}
	for _, f := range p.faults[:min(len(p.faults), shownFaults)] {
		state, err := crashed(p.plan.Histories, f.origin, p.seed)
		if err != nil {
			return err
		}
		b := workbench{dir: filepath.Join(p.keep, fmt.Sprintf("%s-%d-%d-%d", f.Kind, f.History, f.Step, f.Number))}
		if err := errors.Join(os.MkdirAll(p.keep, 0o700), b.lay(state)); err != nil {
			return err
		}
	}
	return nil
}
