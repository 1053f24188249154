package msr

import (
	"bytes"
	"errors"
)

// Reasons why a track cannot be used. They name the track, never its content.
var (
	errMissing  = errors.New("is missing")
	errUnread   = errors.New("could not be read")
	errCut      = errors.New("stops in the middle")
	errAlphabet = errors.New("has a character that no stripe has")
	errLong     = errors.New("is longer than a stripe can be")
	errLRC      = errors.New("has a wrong check character")
	errTrailing = errors.New("has a character behind its end; if the reader passes on the LRC, say so in its settings")
)

// swipe collects one swipe from bytes as they come. Its memory is fixed.
//
//	between ──start──► in a track ──end──► (LRC) ──► between
//	   ▲                   │
//	   └──── too long, or a character that cannot be: the track is faulty; go on to its end ────
type swipe struct {
	sends  bool // each end sentinel is followed by an LRC
	tracks [3]track
	now    int  // the track that is being read; -1 between tracks
	check  int  // the track whose LRC comes next; -1 none
	behind int  // the track that has just ended on this line; -1 none
	stray  int  // bytes that belong to nothing
	twice  bool // a track began that was there already
}

type track struct {
	begun, ended bool
	start        byte
	fault        error
	n            int
	text         [maxTrack3]byte
}

var limits = [3]int{maxTrack1, maxTrack2, maxTrack3}

func newSwipe(sendsLRC bool) *swipe { return &swipe{sends: sendsLRC, now: -1, check: -1, behind: -1} }

// take reads bytes until the swipe is complete; it is complete with its third track, or when a second one begins.
func (s *swipe) take(wire []byte) {
	for _, c := range wire {
		if s.complete() {
			return
		}
		s.step(c)
	}
}

func (s *swipe) step(c byte) {
	switch {
	case s.check >= 0:
		t := &s.tracks[s.check]
		if t.fault == nil && !t.is(unread) && c != lrc(s.check, t.start, t.content()) {
			t.fault = errLRC
		}
		s.behind, s.check = s.check, -1
	case s.now >= 0:
		s.inside(c)
	case bytes.IndexByte([]byte(framing), c) >= 0:
		s.behind = -1
	case c == start1:
		s.begin(0, c)
	case c == start2 && !s.tracks[1].begun:
		s.begin(1, c)
	case c == start2 || c == start3 || c == start3Too:
		s.begin(2, c)
	case s.behind >= 0:
		if t := &s.tracks[s.behind]; t.fault == nil {
			t.fault = errTrailing
		}
	default:
		s.stray++
	}
}

func (s *swipe) begin(n int, start byte) {
	if s.tracks[n].begun {
		s.twice = true
		return
	}
	s.now, s.behind = n, -1
	s.tracks[n].begun, s.tracks[n].start = true, start
}

func (s *swipe) inside(c byte) {
	t := &s.tracks[s.now]
	switch {
	case c == end:
		t.ended = true
		s.behind = s.now
		if s.sends {
			s.check = s.now
		}
		s.now = -1
	case bytes.IndexByte([]byte("\r\n\x03"), c) >= 0: // the line is over, the track is not
		t.ended = true
		t.fault = errCut
		s.now = -1
	case t.fault != nil:
	case !allowed(s.now, c) && (t.n > 0 || c != unread[0]):
		t.fault = errAlphabet
	case t.n == limits[s.now]:
		t.fault = errLong
	default:
		t.text[t.n] = c
		t.n++
	}
}

// begun reports whether anything of a swipe has come.
func (s *swipe) begun() bool { return s.tracks[0].begun || s.tracks[1].begun || s.tracks[2].begun }

func (s *swipe) complete() bool { return s.twice || s.tracks[2].ended && s.check < 0 }

// read is a track's content, or why there is none.
func (s *swipe) read(n int) ([]byte, error) {
	t := &s.tracks[n]
	switch {
	case !t.begun:
		return nil, errMissing
	case t.fault != nil:
		return nil, t.fault
	case !t.ended || s.check == n:
		return nil, errCut
	case t.is(unread) || t.n == 0:
		return nil, errUnread
	}
	return t.content(), nil
}

func (t *track) content() []byte { return t.text[:t.n] }

func (t *track) is(text string) bool { return string(t.content()) == text }

// forget overwrites what was read.
func (s *swipe) forget() { clear(s.tracks[:]) }
