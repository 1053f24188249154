package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// cutTally counts what happened to one class of volumes.
type cutTally struct {
	working  int // shutdowns of the store at work
	flying   int // of them in the middle of a call that writes a record
	landed   int // of these, that reached the disk nevertheless
	starting int // shutdowns while the store started
	idle     int // shutdowns that came after the last deed
	commits  int // promised in the lives that were cut
	records  int // examined
}

func (t *cutTally) add(o cutTally) {
	t.working, t.flying, t.landed, t.starting = t.working+o.working, t.flying+o.flying, t.landed+o.landed, t.starting+o.starting
	t.idle, t.commits, t.records = t.idle+o.idle, t.commits+o.commits, t.records+o.records
}

func (p *shutdowns) count(c cutClass, r round) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := cutTally{working: 1, starting: r.starting, commits: r.commits, records: len(r.Found)}
	switch {
	case r.over:
		one.working, one.idle = 0, 1
	case r.flying && r.writing:
		one.flying = 1
		if r.Landed {
			one.landed = 1
		}
	}
	if p.tallies[c.String()] == nil {
		p.tallies[c.String()] = &cutTally{}
	}
	p.tallies[c.String()].add(one)
	if r.Kind != "" {
		p.kinds[r.Kind]++
		p.words = append(p.words, fmt.Sprintf("%s: %s: %s", c.name, r.Kind, r.Words))
	}
	p.say()
}

// countUnclean takes down a file system that could not be mounted again; there was no store to examine.
func (p *shutdowns) countUnclean(c cutClass) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unclean[c.name]++
	if !c.frail {
		p.held++
	}
}

func (p *shutdowns) countControl(name string, c cutClass, caught bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := name + " " + c.String()
	if p.controls[key] == nil {
		p.controls[key] = &controlTally{}
	}
	p.controls[key].tried++
	if caught {
		p.controls[key].caught++
	}
}

// report prints a screen, and says by its error whether anything is wrong.
func (p *shutdowns) report(out io.Writer, classes []cutClass, absent []string) error {
	const line = "%-28s %-18s %9s %9s %8s %9s\n"
	fmt.Fprintf(out, line, "", "", "abrupt", "while", "commits", "in flight,")
	fmt.Fprintf(out, line, "file system", "shut down", "shutdowns", "starting", "promised", "landed")
	row := func(name, way string, t cutTally) {
		fmt.Fprintf(out, "%-28s %-18s %9d %9d %8d %9s\n", name, way, t.working, t.starting, t.commits, fmt.Sprintf("%d/%d", t.landed, t.flying))
	}
	var all cutTally
	for _, c := range classes {
		if t := p.tallies[c.String()]; t != nil {
			row(c.name, wayOf(c.how), *t)
			all.add(*t)
		}
	}
	row("all", "", all)
	for _, why := range absent {
		fmt.Fprintln(out, "left out:", why)
	}
	var counts []string
	bad := 0
	for _, kind := range kinds {
		counts = append(counts, fmt.Sprintf("%d %s", p.kinds[kind], kind))
		bad += p.kinds[kind]
	}
	fmt.Fprintf(out, "\n%s, in %d records\n", strings.Join(counts, ", "), all.records)
	for _, words := range p.words[:min(len(p.words), shownFaults)] {
		fmt.Fprintln(out, " ", words)
	}
	for _, name := range slices.Sorted(maps.Keys(p.unclean)) {
		fmt.Fprintf(out, "  %d times the kernel could not mount what it had left of %s\n", p.unclean[name], name)
	}
	fmt.Fprintln(out, "\ncontrols")
	missed := p.judgeControls(out, classes)
	fmt.Fprintf(out, "\n%d shutdowns came when the day's work was done and are not counted; %v in all, seed %d\n",
		all.idle, time.Since(p.began).Round(time.Second), p.seed)
	switch {
	case bad > 0:
		return fmt.Errorf("%d stores are wrong after a shutdown", bad)
	case p.held > 0:
		return fmt.Errorf("%d file systems could not be mounted again", p.held)
	case missed > 0:
		return fmt.Errorf("%d controls did not do what they must", missed)
	case all.working < p.cuts:
		return fmt.Errorf("only %d shutdowns of %d", all.working, p.cuts)
	}
	return nil
}

// judgeControls tells of each control whether it was caught wherever it was tried.
func (p *shutdowns) judgeControls(out io.Writer, classes []cutClass) (bad int) {
	for _, name := range cutControls() {
		var sum controlTally
		var missed []string
		for _, c := range classes {
			if !slices.Contains(controlsOf(c), name) {
				continue
			}
			var t controlTally
			if was := p.controls[name+" "+c.String()]; was != nil {
				t = *was
			}
			sum.tried, sum.caught = sum.tried+t.tried, sum.caught+t.caught
			if t.tried == 0 || (t.caught > 0) == (name == controlRight) {
				missed = append(missed, c.name+" "+wayOf(c.how))
			}
		}
		if sum.tried == 0 && len(missed) == 0 {
			continue // its file systems were left out
		}
		words := fmt.Sprintf("caught, %d of %d", sum.caught, sum.tried)
		switch {
		case len(missed) > 0:
			words = fmt.Sprintf("NOT AS IT MUST BE, %d of %d caught, on %s", sum.caught, sum.tried, strings.Join(missed, "; "))
			bad++
		case name == controlRight:
			words = fmt.Sprintf("passes, %d of %d", sum.tried-sum.caught, sum.tried)
		}
		fmt.Fprintf(out, "  %-46s %s\n", name, words)
	}
	return bad
}
