package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"posagent/firmware/agent"
)

// So often the world is looked at before it counts as stuck. In the middle of a story that a cut has put out of order it is
// left to itself sooner: a fault may have begun there after its end had come, an hour of it proves nothing, and the end of the
// story puts the world right.
const (
	looks       = 200 // in all of the rig's patience
	looksMidway = 20
)

// settle lets time pass until nothing is owed but what waits for people, and the reader holds what is kept for it.
func (p *play) settle() error { return p.settled(looks) }

func (p *play) settleMidway() error {
	p.mu.Lock()
	disordered := p.lenient && p.over
	p.mu.Unlock()
	if disordered {
		return p.settled(looksMidway)
	}
	return p.settle()
}

func (p *play) settled(most int) error {
	wait := max(p.rig.Patience()/(looks*50), time.Millisecond)
	seen := ""
	for range most {
		q := &request{op: "status", ended: make(chan struct{})}
		p.converse(q, []byte("{\"op\":\"status\"}\n"), p.buffer[:])
		_, e := q.end()
		s := e.Status
		switch {
		case s == nil && !p.rig.Powered():
			return errors.New("there is no power")
		case s == nil:
			seen = e.Error
		case s.Owed == 0 && s.PaperOwed == 0 && s.StoreFault == "" && s.Closing == "" && s.Installed != agent.InstallWaits:
			return nil
		default:
			seen = fmt.Sprintf("%d transactions and %d slips owed, store fault %q, closing %q, reader's keys %s %s", s.Owed, s.PaperOwed, s.StoreFault, s.Closing,
				s.Installed, s.InstallFault)
		}
		if err := p.rig.Wait(wait); err != nil {
			return err
		}
		wait = min(wait*2, p.rig.Patience()/100)
	}
	return fmt.Errorf("not finished within %s: %s", p.rig.Patience(), seen)
}

// end puts the world right, lets everything be finished, and judges.
func (p *play) end() error {
	if err := p.rig.Heal(); err != nil {
		return fmt.Errorf("%s: the world cannot be put right: %w", p.story.Name, err)
	}
	for tries := 0; ; tries++ {
		if !p.rig.Powered() {
			if err := p.restore(); err != nil {
				return fmt.Errorf("%s: at the end: %w", p.story.Name, err)
			}
		}
		err := p.settle()
		switch {
		case err == nil:
			return p.judge()
		case tries > maxCuts:
			return fmt.Errorf("%s: the power does not return", p.story.Name)
		case p.rig.Powered():
			return fmt.Errorf("%s: at the end, with every fault ended: %w", p.story.Name, err)
		}
	}
}

// judge reads the books and compares them, again as long as the rig may lag behind.
func (p *play) judge() error {
	books, err := p.books()
	for n := 0; err == nil && p.rig.Lag() > 0 && n < glances && len(Judge(books)) > 0; n++ {
		if err = p.rig.Wait(p.rig.Lag() / glances); err == nil {
			books, err = p.books()
		}
	}
	if err != nil {
		return err
	}
	if books.Leaks, err = p.rig.Leaks(); err != nil {
		return fmt.Errorf("%s: what was left lying about cannot be read: %w", p.story.Name, err)
	}
	p.mu.Lock()
	books.Leaks = append(books.Leaks, p.leaks...)
	p.mu.Unlock()
	if wrong := Judge(books); len(wrong) > 0 {
		return fmt.Errorf("%s: the books do not agree:\n\t%s", p.story.Name, strings.Join(wrong, "\n\t"))
	}
	return nil
}

func (p *play) books() (Books, error) {
	books, err := p.rig.Books()
	if err != nil {
		return books, fmt.Errorf("%s: the books cannot be read: %w", p.story.Name, err)
	}
	return books, nil
}

// glances is how often a rig that lags is looked at in its lag.
const glances = 40

// expectSoon holds one expectation against the world, and again as long as the rig may lag behind. What a till was told does not
// change any more.
func (p *play) expectSoon(s Step) error {
	err := p.expect(s)
	final := []Subject{Till, Shown, NotShown, BatchStep, BooksAgree} // the judge looks again by itself
	for n := 0; err != nil && p.rig.Lag() > 0 && n < glances && !slices.Contains(final, s.Expect.Subject); n++ {
		if waited := p.rig.Wait(p.rig.Lag() / glances); waited != nil {
			return waited
		}
		err = p.expect(s)
	}
	return err
}

// caughtUp returns once no order of the acquirer that is due waits any more, or a fifth of the rig's lag is over: in some stories
// nobody answers what an order has the terminal ask for, and a customer comes meanwhile.
func (p *play) caughtUp() error {
	for n := 0; p.rig.Lag() > 0 && n < glances/5 && p.rig.Powered(); n++ {
		q := &request{op: "status", ended: make(chan struct{})}
		p.converse(q, []byte("{\"op\":\"status\"}\n"), p.buffer[:])
		_, e := q.end()
		s := e.Status
		if s != nil && !slices.ContainsFunc(s.Orders, func(o agent.OrderStatus) bool {
			return o.State == "waiting" && o.Due != nil && !o.Due.After(time.Now())
		}) {
			return nil
		}
		if err := p.rig.Wait(p.rig.Lag() / glances); err != nil {
			return err
		}
	}
	return nil
}
