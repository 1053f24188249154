package simrig

import (
	"maps"
	"slices"
	"sync"

	"posagent/firmware/scenario"
)

// sensor counts what the world could notice of the terminal, and makes things happen at a count. Points of one class are
// addressed by their number alone: what else goes on in the world at the same time does not change it.
type sensor struct {
	mu    sync.Mutex
	seen  map[scenario.Event]int // by class
	armed []*arming
}

// arming waits for one event.
type arming struct {
	class scenario.Event
	left  int // so many more of the class, the last of them is the event
	byte  int // of the message, where the class is bytes of messages
	do    func()
}

func newSensor() *sensor { return &sensor{seen: map[scenario.Event]int{}} }

// arm counts from now on.
func (s *sensor) arm(e scenario.Event, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &arming{class: e.Class(), left: max(1, e.N, e.Nth), do: do}
	if e.Kind == scenario.SendByte || e.Kind == scenario.RecvByte {
		a.left, a.byte = max(1, e.Nth), max(1, e.N)
	}
	s.armed = append(s.armed, a)
}

// stop is something that happens at a byte of a message.
type stop struct {
	byte int
	do   func()
}

// message begins a message, and returns what is to happen in it, in order.
func (s *sensor) message(kind scenario.Kind, mti string) (stops []stop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = slices.DeleteFunc(s.armed, func(a *arming) bool {
		if a.class.Kind != kind || a.class.What != mti {
			return false
		}
		if a.left--; a.left == 0 {
			stops = append(stops, stop{a.byte, a.do})
		}
		return a.left == 0
	})
	slices.SortStableFunc(stops, func(a, b stop) int { return a.byte - b.byte })
	return stops
}

// bytes says how many of n go by before something happens, and what; nil when all of them do and nothing does. The rest
// is to be asked about again.
func (s *sensor) bytes(class scenario.Event, n int) (pass int, do func()) {
	if n == 0 {
		return 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pass = n
	var first *arming
	for _, a := range s.armed {
		if a.class == class && a.left <= pass {
			first, pass = a, a.left
		}
	}
	s.passedLocked(class, pass, first)
	if first == nil {
		return pass, nil
	}
	return pass, first.do
}

// passedLocked counts; first is disarmed.
func (s *sensor) passedLocked(class scenario.Event, n int, first *arming) {
	s.seen[class] += n
	kept := s.armed[:0]
	for _, a := range s.armed {
		if a == first {
			continue
		}
		if a.class == class {
			a.left -= n
		}
		kept = append(kept, a)
	}
	s.armed = kept
}

// happens counts one event of a class and does what is armed for it.
func (s *sensor) happens(class scenario.Event) {
	if do := s.due(class); do != nil {
		do()
	}
}

// due is happens for who must prepare something first.
func (s *sensor) due(class scenario.Event) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []func()
	kept := s.armed[:0]
	for _, a := range s.armed {
		if a.class == class {
			if a.left--; a.left <= 0 {
				all = append(all, a.do)
				continue
			}
		}
		kept = append(kept, a)
	}
	s.armed = kept
	s.seen[class]++
	if len(all) == 0 {
		return nil
	}
	return func() {
		for _, do := range all {
			do()
		}
	}
}

// steps is everything that was counted, of the classes that a cut can be tried at one by one.
func (s *sensor) steps() map[scenario.Event]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(s.seen)
	maps.DeleteFunc(all, func(class scenario.Event, _ int) bool {
		switch class.Kind {
		case scenario.Before, scenario.Inside, scenario.After, scenario.ByteTo, scenario.ByteFrom:
			return false
		}
		return true
	})
	return all
}

// eachByte is bytes for what has come in already: everything armed within it happens, in order.
func (s *sensor) eachByte(class scenario.Event, n int) {
	for n > 0 {
		pass, do := s.bytes(class, n)
		if n -= pass; do != nil {
			do()
		}
	}
}
