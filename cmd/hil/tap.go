package main

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"slices"
	"sync"

	"posagent/firmware/scenario"
)

// tap listens to the messages on a cable, and lets things happen at their bytes: a byte goes on only after what was to
// happen before it. One tap serves all connections of a cable; what is armed outlives them.
type tap struct {
	mu    sync.Mutex
	armed []*arming
}

type arming struct {
	event scenario.Event
	left  int // messages, or bytes of the line
	do    func()
}

// arm counts from now on.
func (t *tap) arm(e scenario.Event, do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	left := max(1, e.Nth)
	if e.Kind == scenario.ByteTo || e.Kind == scenario.ByteFrom {
		left = max(1, e.N)
	}
	t.armed = append(t.armed, &arming{e, left, do})
}

// Of a frame with two length bytes: what stands before the message type.
const (
	tapLength = 2
	tapHeader = 11
	tapType   = 2
)

// stream is one direction of one connection.
type stream struct {
	tap     *tap
	answers bool
	held    []byte // of the frame under way, not gone on yet
	size    int    // of that frame; 0 while its type is not known
	gone    int    // bytes of it that have gone on
	stops   []halt // in order
}

// halt is something that happens before more than so many bytes of a frame go on.
type halt struct {
	at int
	do func()
}

func (t *tap) stream(answers bool) *stream { return &stream{tap: t, answers: answers} }

// carry lets a piece go on.
func (s *stream) carry(to io.Writer, piece []byte) error {
	s.held = append(s.held, piece...)
	for len(s.held) > 0 {
		if s.size == 0 {
			if len(s.held) < tapLength+tapHeader+tapType {
				return nil // a message type is never torn from what stands before it; on the wire that cannot be told
			}
			s.begin()
		}
		n := min(len(s.held), s.size-s.gone)
		if len(s.stops) > 0 {
			n = min(n, s.stops[0].at-s.gone)
		}
		if _, err := to.Write(s.held[:n]); err != nil {
			return err
		}
		s.held, s.gone = s.held[n:], s.gone+n
		for len(s.stops) > 0 && s.stops[0].at == s.gone {
			do := s.stops[0].do
			s.stops = s.stops[1:]
			do()
		}
		if s.gone == s.size {
			s.size, s.gone = 0, 0
		}
	}
	return nil
}

// begin reads a frame's type and finds what is to happen in it.
func (s *stream) begin() {
	s.size = tapLength + int(binary.BigEndian.Uint16(s.held))
	mti := hex.EncodeToString(s.held[tapLength+tapHeader : tapLength+tapHeader+tapType])
	whole, part, byteKind := scenario.Send, scenario.SendByte, scenario.ByteTo
	if s.answers {
		whole, part, byteKind = scenario.Recv, scenario.RecvByte, scenario.ByteFrom
	}
	s.tap.mu.Lock()
	defer s.tap.mu.Unlock()
	s.tap.armed = slices.DeleteFunc(s.tap.armed, func(a *arming) bool {
		at := 0
		switch a.event.Kind {
		case byteKind:
			if a.left -= s.size; a.left <= 0 {
				at = s.size + a.left
			}
		case whole, part:
			if a.event.What != mti {
				return false
			}
			if a.left--; a.left == 0 {
				at = a.event.N
			}
			if a.left == 0 && a.event.Kind == scenario.Send {
				at = s.size
			} else if a.left == 0 && a.event.Kind == scenario.Recv {
				at = s.size - 1 // once the last byte is in, somebody may have read it
			}
		}
		if at > 0 && at <= s.size {
			s.stops = append(s.stops, halt{at, a.do})
		}
		return at > 0 // a byte behind a message's end never comes
	})
	slices.SortStableFunc(s.stops, func(a, b halt) int { return a.at - b.at })
}
