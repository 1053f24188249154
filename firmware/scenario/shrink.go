package scenario

import (
	"slices"
	"strconv"
	"time"
)

// Shrink looks for a shorter and plainer story that fails in the same way. It first leaves out steps, ever smaller pieces
// of them (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002), then makes
// numbers smaller, and begins again as long as that helps. Fails is called at most runs times and must give the same answer
// for the same story; the story given is taken to fail. A step that happens at an event is never left without the step in
// whose course it happens.
func Shrink(s Story, runs int, fails func(Story) bool) Story {
	h := &shrinker{best: s, left: runs, fails: fails, known: map[string]bool{s.String(): true}}
	for better := true; better && h.left > 0; {
		better = h.fewer()
		better = h.plainer() || better
	}
	h.best.Comment = slices.Clone(s.Comment)
	return h.best
}

type shrinker struct {
	best  Story
	left  int // runs
	fails func(Story) bool
	known map[string]bool // stories tried, so that none is tried twice
}

// try keeps a story if it still fails.
func (h *shrinker) try(steps []Step) bool {
	s := h.best
	s.Steps = steps
	text := s.String()
	if h.left == 0 || len(steps) == 0 || h.known[text] {
		return false
	}
	h.known[text] = true
	h.left--
	if !h.fails(s) {
		return false
	}
	h.best = s
	return true
}

// fewer leaves out pieces of the story, halves first, single steps last.
func (h *shrinker) fewer() bool {
	better := false
	for size := max(1, len(h.best.Steps)/2); size >= 1; {
		found := false
		for from := 0; from < len(h.best.Steps); {
			steps := without(h.best.Steps, from, min(from+size, len(h.best.Steps)))
			if h.try(steps) {
				found, better = true, true
				continue // what follows has moved up
			}
			from += size
		}
		switch {
		case !found && size == 1:
			return better
		case !found:
			size /= 2
		default:
			size = max(1, min(size, len(h.best.Steps)/2))
		}
	}
	return better
}

// without leaves out steps, and those that happened in the course of one that is gone.
func without(steps []Step, from, to int) []Step {
	for to < len(steps) && steps[to].Armed() && !steps[from].Armed() {
		to++
	}
	return slices.Concat(steps[:from], steps[to:])
}

// plainer makes one number after the other smaller.
func (h *shrinker) plainer() bool {
	better := false
	for i := 0; i < len(h.best.Steps); i++ {
		for _, simpler := range simpler(h.best.Steps[i]) {
			steps := slices.Clone(h.best.Steps)
			steps[i] = simpler
			if h.try(steps) {
				better = true
				i-- // and smaller still
				break
			}
		}
	}
	return better
}

// simpler lists plainer forms of a step, the plainest first.
func simpler(s Step) []Step {
	var all []Step
	add := func(change func(*Step)) {
		other := s
		change(&other)
		if other.String() != s.String() {
			all = append(all, other)
		}
	}
	if s.Verb == Ask {
		add(func(o *Step) { o.Again = false })
		for _, amount := range smallerAmounts(s.Amount) {
			add(func(o *Step) { o.Amount = amount })
		}
	}
	if s.Verb == Present {
		add(func(o *Step) { o.Card = plainCard })
	}
	for _, d := range smallerTimes(s.Time) {
		add(func(o *Step) { o.Time = d })
	}
	for _, d := range smallerTimes(s.On.Time) {
		add(func(o *Step) { o.On.Time = d })
	}
	for _, n := range smallerCounts(s.On.N) {
		add(func(o *Step) { o.On.N = n })
	}
	for _, n := range smallerCounts(s.On.Nth) {
		add(func(o *Step) { o.On.Nth = n })
	}
	return all
}

// plainCard is the first card of cards.toml.
const plainCard = "visa-4242"

func smallerCounts(n int) []int {
	var all []int
	for _, m := range []int{1, n / 2, n - 1} {
		if m >= 1 && m < n {
			all = append(all, m)
		}
	}
	return all
}

func smallerTimes(d time.Duration) []time.Duration {
	var all []time.Duration
	for _, e := range []time.Duration{time.Second, (d / 2).Truncate(time.Second)} {
		if e >= time.Second && e < d {
			all = append(all, e)
		}
	}
	return all
}

// smallerAmounts are round ones. What is no amount stays as it is.
func smallerAmounts(amount string) []string {
	value, err := strconv.ParseFloat(amount, 64)
	if err != nil {
		return nil
	}
	var all []string
	if value > 1 {
		all = append(all, "1.00", strconv.Itoa(int(value)/2+1)+".00")
	}
	return slices.DeleteFunc(all, func(a string) bool { return len(a) > len(amount) || a == amount })
}
