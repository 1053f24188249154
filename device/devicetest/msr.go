package devicetest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// StripeOpts are the parameters of a simulated stripe reader.
type StripeOpts struct {
	Cards    map[string]TestCard // by name; of each only the stripe is used
	SendsLRC bool                // an LRC follows each end sentinel
	Joined   bool                // the tracks of a swipe come in one line, as MagTek's readers send them
}

// Stripe is a simulated magnetic stripe reader: it sends each swipe as text, whether anybody waits or not, and hears
// nothing. Its methods are safe for concurrent use.
type Stripe struct {
	station
	opts StripeOpts

	mu     sync.Mutex
	silent bool // guarded by mu
}

// NewStripe makes a reader that has power and sees no card.
func NewStripe(o StripeOpts) *Stripe { return &Stripe{opts: o} }

// Serve sends swipes to rw until ctx ends or the line does, and returns nil in both cases. One Serve at a time.
func (s *Stripe) Serve(ctx context.Context, rw io.ReadWriter) error {
	return s.serve(ctx, rw, func([]byte) {})
}

const (
	swipeWords = "no-track-1, no-track-2, unread-1, unread-2, partial, wrong-digit, wrong-check, other-card, long, twice"
	track3Text = "01=12345678=1561560=0000=0303000=04040=0=1" // as long as some, and nobody's
)

// Command does what a person does to the reader, and says in one line what happened:
//
//	swipe NAME [FAULT]   the card is drawn through the slot, well or badly; "present" is the same
//	noise                bytes come that are no swipe
//	silent on|off        the reader is unplugged: nothing comes
//
// A FAULT is one of no-track-1, no-track-2, unread-1, unread-2 (an E in the track's place), partial (it stops in the middle
// of track 2), wrong-digit, wrong-check, other-card (track 1 is another card's), long, twice.
func (s *Stripe) Command(text string) (string, error) {
	words := strings.Fields(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(words) == 2 && words[0] == "silent" && (words[1] == "on" || words[1] == "off"):
		s.silent = words[1] == "on"
		return text, nil
	case len(words) == 1 && words[0] == "noise":
		s.sendLocked([]byte("\x00\xfe\x80UUUU~~~~\xf8\x01"))
		return "noise", nil
	case (len(words) == 2 || len(words) == 3) && (words[0] == "swipe" || words[0] == "present"):
		return s.swipeLocked(words[1], words[2:])
	}
	return "", fmt.Errorf("command %.20q: want swipe NAME [FAULT], noise, or silent on|off", text)
}

func (s *Stripe) swipeLocked(name string, fault []string) (string, error) {
	card, known := s.opts.Cards[name]
	if !known {
		return "", fmt.Errorf("card %.40q is not known", name)
	}
	how := append(fault, "well")[0]
	if how != "well" && !slices.Contains(strings.Split(swipeWords, ", "), how) {
		return "", fmt.Errorf("fault %.20q: want %s", how, swipeWords)
	}
	s.sendLocked(s.swipe(card, how))
	return name + " swiped " + how, nil
}

func (s *Stripe) sendLocked(wire []byte) {
	if !s.silent {
		s.say(wire)
	}
}

// swipe is what one swipe puts on the line.
func (s *Stripe) swipe(card TestCard, how string) []byte {
	one, two, three := track1Of(card), track2Of(card, '='), track3Text
	switch how {
	case "wrong-digit": // as one flipped bit of the stripe would read, with a check character to match
		two = two[:4] + string('0'+(two[4]-'0')^1) + two[5:]
	case "other-card":
		one = strings.Replace(one, card.PAN[12:], strings.Repeat("7", len(card.PAN)-12), 1)
	case "long":
		two += strings.Repeat("0", 40)
	case "unread-1":
		one = "E"
	case "unread-2":
		two = "E"
	case "no-track-1":
		one = ""
	case "no-track-2":
		two = ""
	}
	out := s.track(nil, '%', one, how == "unread-1")
	before := len(out)
	out = s.track(out, ';', two, how == "unread-2")
	switch how {
	case "partial":
		return out[:before+12]
	case "wrong-check":
		if s.opts.SendsLRC {
			out[len(out)-2] ^= 1
		} else {
			out[len(out)-2] = '\x07' // the end sentinel was lost
		}
	case "no-track-2": // and nothing behind it that could be taken for it
		return out
	case "twice":
		return append(out, out...)
	}
	return s.track(out, '+', three, false)
}

// track appends one track with its sentinels; an empty one is not sent.
func (s *Stripe) track(out []byte, start byte, content string, unread bool) []byte {
	if content == "" {
		return out
	}
	out = append(append(append(out, start), content...), '?')
	if s.opts.SendsLRC && !unread {
		out = append(out, stripeCheck(start, content))
	} else if s.opts.SendsLRC {
		out = append(out, '0')
	}
	if s.opts.Joined && start != '+' {
		return out
	}
	return append(out, '\r')
}

// stripeCheck is the LRC, worked out column by column as an encoder does: every column of ones becomes even.
func stripeCheck(start byte, content string) byte {
	base, columns := byte('0'), 4
	if start == '%' {
		base, columns = ' ', 6
	}
	if start == '+' {
		start = ';'
	}
	var check byte
	for bit := range columns {
		ones := 0
		for _, c := range []byte(string(start) + content + "?") {
			ones += int((c - base) >> bit & 1)
		}
		check |= byte(ones%2) << bit
	}
	return base + check
}
