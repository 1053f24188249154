package scenario

import (
	"errors"
	"fmt"
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

// judge reads the books and compares them.
func (p *play) judge() error {
	books, err := p.books()
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
