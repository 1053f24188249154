package scenario

import (
	"errors"
	"fmt"
	"sort"
)

// Count plays a story on a new rig as Run does, and returns how often each class of step was passed: everywhere the power
// can be cut.
func Count(s Story, r Rig) (map[Event]int, error) {
	before := r.Steps()
	if err := Run(s, r); err != nil {
		return nil, err
	}
	counts := map[Event]int{}
	for class, n := range r.Steps() {
		if n > before[class] {
			counts[class] = n - before[class]
		}
	}
	return counts, nil
}

// Plan lists the cuts that a story deserves, in a fixed order. With most 0 it is each step of each class. Otherwise so many
// bytes of each wire, and eight times as many of each kind of commit, are taken, evenly spread, the first and the last among
// them: that is every commit of all stories but those of a night with a try a minute, which have thousands.
func Plan(counts map[Event]int, most int) []Event {
	classes := make([]Event, 0, len(counts))
	for class := range counts {
		classes = append(classes, class)
	}
	sort.Slice(classes, func(i, j int) bool {
		a, b := classes[i], classes[j]
		return a.Kind < b.Kind || a.Kind == b.Kind && a.What < b.What
	})
	var plan []Event
	for _, class := range classes {
		n := counts[class]
		taken := n
		switch {
		case most == 0:
		case class.Kind == ByteTo || class.Kind == ByteFrom:
			taken = min(n, max(most, 2))
		default:
			taken = min(n, 8*most)
		}
		for i := range taken {
			at := 1
			if taken > 1 {
				at = 1 + i*(n-1)/(taken-1)
			}
			plan = append(plan, class.At(at))
		}
	}
	return plan
}

// ErrMissed means that a cut never happened, because the run was over before: with its expectations skipped, the end of a
// story may come a moment earlier than it did in the count. It is no violation, and the world was judged all the same.
var ErrMissed = errors.New("the cut never happened")

// RunCut plays a story on a new rig and cuts the power at an event, counted from the story's beginning. Power returns
// at once, the rest of the story goes on without its expectations, and at the end the world is put right and judged.
// Each further event is a cut that is counted from the return of the power after the one before it; one that does not
// come is no error.
func RunCut(s Story, r Rig, at Event, more ...Event) error {
	if err := Able(s, r); err != nil {
		return err
	}
	p := newPlay(s, r)
	p.lenient, p.cuts = true, append([]Event{at}, more...)
	p.armCut()
	for _, g := range groups(s.Steps) {
		if err := p.group(g); err != nil {
			return cutAt(at, more, err)
		}
	}
	if err := p.end(); err != nil {
		return cutAt(at, more, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		return cutAt(at, nil, ErrMissed)
	}
	return nil
}

func cutAt(at Event, more []Event, err error) error {
	text := "cut power " + at.String()
	for _, e := range more {
		text += ", then " + e.String()
	}
	return fmt.Errorf("%s: %w", text, err)
}

// armCut arms the next of our own cuts, if the one before it has happened.
func (p *play) armCut() {
	p.mu.Lock()
	if len(p.cuts) == 0 || p.waiting {
		p.mu.Unlock()
		return
	}
	at := p.cuts[0]
	p.cuts, p.waiting = p.cuts[1:], true
	p.mu.Unlock()
	p.rig.On(at, func() {
		p.rig.CutPower()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting, p.cut, p.over = false, true, true
	})
}

// powerBack ends a cut of our own. The story's own cuts it ends itself.
func (p *play) powerBack() error {
	for tries := 0; ; tries++ {
		p.mu.Lock()
		cut := p.cut
		p.mu.Unlock()
		switch {
		case !cut:
			return nil
		case tries > maxCuts:
			return errors.New("the power does not return")
		}
		if err := p.restore(); err != nil {
			return err
		}
	}
}

// maxCuts is more than anybody asks RunCut for.
const maxCuts = 100

// Cuts is what EveryCut has done.
type Cuts struct {
	Made   int
	Missed int // planned, and the run was over before
}

// EveryCut cuts a story at each step of a plan that is made from its counts, each time in a new world, which in makes,
// gives to play and ends. The first violation ends it.
func EveryCut(s Story, plan func(counts map[Event]int) []Event, in func(play func(Rig) error) error) (Cuts, error) {
	var done Cuts
	var counts map[Event]int
	err := in(func(r Rig) (err error) {
		counts, err = Count(s, r)
		return err
	})
	if err != nil {
		return done, err
	}
	for _, at := range plan(counts) {
		err := in(func(r Rig) error { return RunCut(s, r, at) })
		switch {
		case errors.Is(err, ErrMissed):
			done.Missed++
		case err != nil:
			return done, err
		default:
			done.Made++
		}
	}
	return done, nil
}
