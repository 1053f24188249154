package scenario

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Run plays a story on a new rig, puts the world right, lets everything owed be finished, and judges. Its error names
// file, line and step, and says what was seen; a judgement lists every disagreement. It does not close the rig.
func Run(s Story, r Rig) error {
	if err := Able(s, r); err != nil {
		return err
	}
	p := newPlay(s, r)
	for _, g := range groups(s.Steps) {
		if err := p.group(g); err != nil {
			return err
		}
	}
	return p.end()
}

// Able is nil where the rig can do every step of the story. Otherwise its error wraps ErrUnable and says what is needed.
func Able(s Story, r Rig) error {
	for _, step := range s.Steps {
		if err := r.Able(step); err != nil {
			return fmt.Errorf("%s:%d: %s: %w", s.Name, step.Line, step, err)
		}
	}
	return nil
}

// groups puts each step together with those that happen in its course.
func groups(steps []Step) [][]Step {
	var all [][]Step
	begin := 0
	for i := 1; i <= len(steps); i++ {
		if i == len(steps) || !steps[i].Armed() {
			all = append(all, steps[begin:i])
			begin = i
		}
	}
	return all
}

// play is one run of a story.
type play struct {
	story   Story
	rig     Rig
	lenient bool    // expectations are skipped, and what a story does to a world that is not as it thought is no failure
	loose   bool    // and what is armed at an event is not waited for: it happens in the course of its step or never
	cuts    []Event // still to be armed, each when the power returns after the one before it

	buffer [lineLikely]byte // of the goroutine that plays, for a request that it waits for

	mu       sync.Mutex // guards everything below
	waiting  bool       // one of our cuts is armed
	cut      bool       // one of them has happened, and the power is still off
	over     bool       // one of them has happened at all
	requests []*request
	awaited  int // of those: they have ended
	numbered int // requests without a name
	leaks    []string
	watches  []*watch
	late     error // of a deed that happened at an event
}

func newPlay(s Story, r Rig) *play { return &play{story: s, rig: r} }

// armed is a step that waits for its event.
type armed struct {
	step Step
	done chan struct{} // closed once the deed is done
	off  *bool         // it does not happen any more; guarded by play.mu
}

// group plays one step and what happens in its course.
func (p *play) group(g []Step) error {
	waiting := make([]armed, 0, len(g)-1)
	var timers []*time.Timer
	defer func() {
		for _, t := range timers {
			t.Stop()
		}
		if p.loose {
			p.disarm(waiting)
		}
	}()
	for _, s := range g[1:] {
		a := armed{s, make(chan struct{}), new(bool)}
		waiting = append(waiting, a)
		if t := p.arm(a); t != nil {
			timers = append(timers, t)
		}
	}
	err := p.do(g[0])
	if err == nil || p.lenient {
		err = p.await(waiting)
	}
	if err == nil || p.lenient {
		err = p.answered()
	}
	if !p.lenient {
		return err
	}
	if broken := p.powerBack(); broken != nil || g[0].Verb == Restore {
		return errors.Join(broken, err)
	}
	return nil
}

// disarm ends the time in which the deeds of a step may happen.
func (p *play) disarm(waiting []armed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range waiting {
		*a.off = true
	}
	p.watches = nil
}

// arm lets a step happen at its event. A timer is returned where the event is a time.
func (p *play) arm(a armed) *time.Timer {
	meet := func() {
		p.mu.Lock()
		off := *a.off
		p.mu.Unlock()
		if off {
			return
		}
		if err := p.deed(a.step, false); err != nil {
			p.mu.Lock()
			p.late = errors.Join(p.late, p.wrong(a.step, err))
			p.mu.Unlock()
		}
		close(a.done)
	}
	switch e := a.step.On; e.Kind {
	case Elapsed:
		return time.AfterFunc(e.Time, meet)
	case Stage, Told:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.watches = append(p.watches, &watch{kind: e.Kind, what: e.What, left: max(e.Nth, 1), meet: meet})
	default:
		p.rig.On(e, meet)
	}
	return nil
}

// inTheDark is how often await looks at a terminal without power before it gives up: a deed that cuts the power is not done
// yet when the power is off.
const inTheDark = 5

// await lets time pass until every armed deed has happened.
func (p *play) await(waiting []armed) error {
	const slices = 400
	slice := max(p.rig.Patience()/slices, time.Millisecond)
	for n, dark := 0, time.Duration(0); ; n++ {
		missing, timed := unhappened(waiting)
		if !p.rig.Powered() {
			dark += slice
		}
		p.mu.Lock()
		late, over := p.late, p.over
		p.mu.Unlock()
		switch {
		case late != nil && !p.lenient:
			return late
		case missing == nil, p.loose:
			return nil
		case p.lenient && over && !timed:
			return nil // the world went another way
		case !timed && (n >= slices || dark > inTheDark*slice+p.rig.Lag()):
			return p.wrong(*missing, fmt.Errorf("%s never happened", strings.TrimPrefix(missing.On.String(), "on ")))
		}
		if err := p.rig.Wait(slice); err != nil {
			return err
		}
	}
}

// unhappened is one of those that have not happened, and whether only time is missing.
func unhappened(waiting []armed) (*Step, bool) {
	var missing *Step
	for i := range waiting {
		select {
		case <-waiting[i].done:
		default:
			if missing = &waiting[i].step; missing.On.Kind == Elapsed {
				return missing, true
			}
		}
	}
	return missing, false
}

// do plays a step that stands alone.
func (p *play) do(s Step) error {
	var err error
	switch s.Verb {
	case Wait:
		if err = p.rig.Wait(s.Time); err == nil {
			err = p.caughtUp()
		}
	case Settle:
		err = p.settleMidway()
	case Restore:
		err = p.restore()
	case Expect:
		if !p.lenient {
			err = p.expectSoon(s)
		}
	default:
		err = p.deed(s, true)
	}
	return p.wrong(s, err)
}

// deed does what may also happen at an event, where it must not wait for an answer.
func (p *play) deed(s Step, wait bool) error {
	switch s.Verb {
	case Present, Insert, Swipe:
		return p.rig.Hand("reader", string(s.Verb)+" "+s.Card)
	case Show:
		return p.rig.Hand("scanner", "show "+s.Card)
	case Hand:
		return p.rig.Hand(s.Who, s.What)
	case Cut:
		p.rig.CutPower()
		return nil
	case Cancel:
		return p.cancel()
	case Ask:
		return p.ask(s, wait)
	default:
		return fmt.Errorf("%q cannot happen at an event", s.Verb)
	}
}

// restore gives the power back, and arms the next of our own cuts before that.
func (p *play) restore() error {
	p.mu.Lock()
	p.cut = false
	p.mu.Unlock()
	p.armCut()
	return p.rig.RestorePower()
}

// wrong names the line.
func (p *play) wrong(s Step, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s:%d: %s: %w", p.story.Name, s.Line, s, err)
}
