package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// String is the step as Parse reads it.
func (s Step) String() string {
	text := s.deed()
	if s.Armed() {
		text += " " + s.On.String()
	}
	return text
}

func (s Step) deed() string {
	switch s.Verb {
	case Present, Insert, Swipe, Show:
		return string(s.Verb) + " " + s.Card
	case Ask:
		return s.request()
	case Cancel:
		return "cancel"
	case Hand:
		return s.Who + " " + s.What
	case Cut:
		return "cut power"
	case Restore:
		return "restore power"
	case Wait:
		return "wait " + duration(s.Time)
	case Settle:
		return "settle"
	case Expect:
		text := "expect " + s.Expect.String()
		if s.Of != "" {
			text += " of " + s.Of
		}
		return text
	default:
		return fmt.Sprintf("? %s", string(s.Verb))
	}
}

func (s Step) request() string {
	text := s.Op
	if d, is := dealOf(s.Op); is {
		text = strings.Join(d.words, " ")
	} else if s.Op != "balance" && !slices.Contains(ofBatches, s.Op) {
		text = "ask " + s.Op
	}
	if s.Amount != "" {
		text += " " + s.Amount
	}
	if s.Auth != "" {
		text += " auth " + s.Auth
	}
	if s.Scanned {
		text += " scanned"
	}
	if s.Again {
		text += " again"
	}
	if s.ByCode {
		text += " by code"
	}
	if s.Of != "" {
		text += " of " + s.Of
	}
	if s.By != "" {
		text += " by " + s.By
	}
	if s.Name != "" {
		text += " as " + s.Name
	}
	if s.Printed {
		text += " printed"
	}
	return text
}

// String is the expectation without its "of".
func (e Expectation) String() string {
	switch e.Subject {
	case Till:
		if e.Text != "" {
			return fmt.Sprintf("till %s %q", e.Outcome, e.Text)
		}
		return "till " + string(e.Outcome)
	case Store:
		if e.State == "" {
			return "store nothing"
		}
		return "store " + string(e.State)
	case Host:
		return "host " + string(e.Standing)
	case Reversal:
		return "host reversal"
	case Saw:
		return fmt.Sprintf("host saw %d of %s", e.Count, e.Text)
	case Paper:
		text := "paper " + strings.Join(e.Words, " ")
		if e.Counted {
			text += " times " + strconv.Itoa(e.Count)
		}
		if e.Marked != AnyMark {
			text += " " + string(e.Marked)
		}
		return text
	case Owed, Suspense:
		return fmt.Sprintf("%s %d", e.Subject, e.Count)
	case SlipsOwed:
		return fmt.Sprintf("slips owed %d", e.Count)
	case Tries, OpenBatch:
		return fmt.Sprintf("%s %d", e.Subject, e.Count)
	case BatchStep:
		text := "closing " + cmp.Or(string(e.Step), "none")
		if e.Text != "" {
			text += fmt.Sprintf(" %q", e.Text)
		}
		return text
	case Journal:
		return fmt.Sprintf("journal %q", e.Text)
	case Reason, Code, Bearer, Shown, NotShown:
		return string(e.Subject) + " " + e.Text
	case BooksAgree:
		return "books agree"
	default:
		return "? " + string(e.Subject)
	}
}
