package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a story. A story is one screen; what the shrinker starts from may be longer.
const (
	maxLine  = 200   // bytes
	maxSteps = 5_000 // a generated world
	maxText  = maxSteps * 60
)

// Parse reads a story. Its error lists every line that is wrong, each with name and line number, what is wrong and what
// can be written there.
func Parse(name, text string) (Story, error) {
	s := Story{Name: name}
	if len(text) > maxText {
		return s, fmt.Errorf("%s: a story has at most %d bytes, this has %d", name, maxText, len(text))
	}
	var wrong []error
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		fail := func(err error) { wrong = append(wrong, fmt.Errorf("%s:%d: %w", name, i+1, err)) }
		switch {
		case len(line) > maxLine || !utf8.ValidString(line) || strings.ContainsFunc(line, unprintable):
			fail(fmt.Errorf("a line is at most %d bytes of printable text", maxLine))
		case strings.HasPrefix(line, "#"):
			if len(s.Steps) == 0 {
				s.Comment = append(s.Comment, strings.TrimPrefix(line[1:], " "))
			}
		case strings.TrimSpace(line) == "":
		default:
			step, err := parseStep(strings.TrimSpace(line))
			switch {
			case err != nil:
				fail(err)
			case step.Armed() && len(s.Steps) == 0 && len(wrong) == 0:
				fail(errors.New("an event happens in the course of the step above it, and there is none; begin with a step that has no event"))
			}
			step.Line = i + 1
			s.Steps = append(s.Steps, step)
		}
		if len(s.Steps) > maxSteps {
			fail(fmt.Errorf("a story has at most %d steps", maxSteps))
			break
		}
	}
	if len(wrong) == 0 && len(s.Steps) == 0 {
		wrong = append(wrong, fmt.Errorf("%s: there is no step in it; begin with \"present CARD\"", name))
	}
	return s, errors.Join(wrong...)
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// verbs is said wherever a line begins with nothing known.
const verbs = "present CARD, insert CARD, swipe CARD, show CODE, " + usage + ", balance [printed], " +
	"batch close, ask OP [AMOUNT] [of NAME], cancel, cut power, restore power, wait DURATION, settle, expect …, or reader, scanner, pinpad, printer, modem, acquirer, line, wire, clock, case or supply with its words"

// parseStep reads one line without spaces around it.
func parseStep(line string) (Step, error) {
	w := strings.Split(line, " ")
	if slices.Contains(w, "") {
		return Step{}, errors.New("write one space between two words")
	}
	deed, clause := splitEvent(w)
	s, err := parseDeed(deed)
	if err != nil || clause == nil {
		return s, err
	}
	if s.Verb == Expect || s.Verb == Wait || s.Verb == Settle || s.Verb == Restore {
		return s, fmt.Errorf("%q takes time, or looks at its end: it cannot happen at an event; let it stand alone", strings.Join(deed, " "))
	}
	s.On, err = parseEvent(clause)
	return s, err
}

// splitEvent finds where an event begins behind a deed. The machines' own words know "on" at their end and "after" before
// a plain number.
func splitEvent(w []string) (deed, clause []string) {
	if w[0] == "expect" {
		return w, nil
	}
	for i := len(w) - 2; i > 0; i-- {
		switch w[i] {
		case "on", "before", "inside":
			return w[:i], w[i:]
		case "after":
			if _, err := parseCount(w[i+1]); err != nil {
				return w[:i], w[i:]
			}
		}
	}
	return w, nil
}

func parseDeed(w []string) (Step, error) {
	if d, rest, is := readDeal(w); is {
		return parseDeal(d, rest)
	}
	verb, rest := w[0], w[1:]
	switch {
	case verb == string(Present) || verb == string(Insert) || verb == string(Swipe):
		if len(rest) != 1 {
			return Step{}, fmt.Errorf("write %s and the name of one card, as in \"%s visa-4242\"", verb, verb)
		}
		return Step{Verb: Verb(verb), Card: rest[0]}, nil
	case verb == string(Show):
		if len(rest) != 1 {
			return Step{}, errors.New("write show and the name of one payment code, as in \"show wechat-1\"")
		}
		_, err := PayCode(rest[0])
		return Step{Verb: Show, Card: rest[0]}, err
	case verb == "balance":
		printed := len(rest) == 1 && rest[0] == "printed"
		if len(rest) > 0 && !printed {
			return Step{}, errors.New("write balance, or balance printed where the cardholder wants a slip")
		}
		return Step{Verb: Ask, Op: verb, Printed: printed}, nil
	case len(rest) == 1 && slices.Contains(ofBatches, verb+" "+rest[0]):
		return Step{Verb: Ask, Op: verb + " " + rest[0]}, nil
	case verb == "batch":
		return Step{}, fmt.Errorf("write one of %s", strings.Join(ofBatches, ", "))
	case verb == "ask":
		if len(rest) == 0 || isDeal(rest[0]) || rest[0] == "cancel" || rest[0] == "balance" || !isName(rest[0]) {
			return Step{}, errors.New("write ask and a request of the terminal's socket, as in \"ask recover\"; transactions, balance and cancel are verbs of their own")
		}
		return parseAsk(Step{Verb: Ask, Op: rest[0]}, rest[1:])
	case verb == "wait":
		d, err := parseDuration(rest)
		return Step{Verb: Wait, Time: d}, err
	case verb == "cancel" && len(rest) == 0:
		return Step{Verb: Cancel}, nil
	case verb == "settle" && len(rest) == 0:
		return Step{Verb: Settle}, nil
	case verb == "cut" && len(rest) == 1 && rest[0] == "power":
		return Step{Verb: Cut}, nil
	case verb == "restore" && len(rest) == 1 && rest[0] == "power":
		return Step{Verb: Restore}, nil
	case verb == "expect":
		return parseExpect(rest)
	case slices.Contains(hands, verb):
		if len(rest) == 0 {
			return Step{}, fmt.Errorf("write behind %s what happens to it, as in \"printer paper out\" or \"line down\"", verb)
		}
		return Step{Verb: Hand, Who: verb, What: strings.Join(rest, " ")}, nil
	}
	return Step{}, fmt.Errorf("%q is no step; write %s", strings.Join(w, " "), verbs)
}

// ofBatches are the requests about a whole batch.
var ofBatches = []string{"batch close", "batch totals", "batch report"}

// parseDeal reads what stands behind the words of a deal.
func parseDeal(d deal, w []string) (Step, error) {
	s := Step{Verb: Ask, Op: d.op}
	called := strings.Join(d.words, " ")
	if d.amount {
		if len(w) == 0 || slices.Contains([]string{"scanned", "again", "auth", "of", "by", "as"}, w[0]) {
			return s, fmt.Errorf("write %s and an amount, as in \"%s 12.50\"", called, called)
		}
		s.Amount, w = w[0], w[1:]
	}
	if d.auth {
		if len(w) < 2 || w[0] != "auth" {
			return s, fmt.Errorf("write the authorisation that was given, as in \"%s 12.50 auth 123456\"", called)
		}
		s.Auth, w = w[1], w[2:]
	}
	if d.scan && len(w) > 0 && w[0] == "scanned" {
		s.Scanned, w = true, w[1:]
	}
	if d.again && len(w) > 0 && w[0] == "again" {
		s.Again, w = true, w[1:]
	}
	if d.code && len(w) > 1 && w[0] == "by" && w[1] == "code" {
		s.ByCode, w = true, w[2:]
	}
	s, w = s.parseNames(d, w)
	if len(w) > 0 {
		return s, fmt.Errorf("%q does not belong there; write %s", strings.Join(w, " "), usage)
	}
	return s, nil
}

// parseNames reads "of NAME", "by WHO" and "as NAME", and returns what it does not understand.
func (s Step) parseNames(d deal, w []string) (Step, []string) {
	if d.of && len(w) > 1 && w[0] == "of" && isName(w[1]) {
		s.Of, w = w[1], w[2:]
	}
	if d.by && len(w) > 1 && w[0] == "by" && isName(w[1]) {
		s.By, w = w[1], w[2:]
	}
	if len(w) > 1 && w[0] == "as" && isName(w[1]) {
		s.Name, w = w[1], w[2:]
	}
	return s, w
}

// parseAsk reads what may stand behind any other request: an amount, and "of NAME".
func parseAsk(s Step, w []string) (Step, error) {
	if len(w) > 0 && w[0] != "of" {
		s.Amount, w = w[0], w[1:]
	}
	if len(w) > 1 && w[0] == "of" && isName(w[1]) {
		s.Of, w = w[1], w[2:]
	}
	if len(w) > 0 {
		return s, fmt.Errorf("%q does not belong there; write ask OP [AMOUNT] [of NAME]", strings.Join(w, " "))
	}
	return s, nil
}

// isName keeps names to what can be a reference and cannot be taken for anything else.
func isName(word string) bool {
	if word == "" || len(word) > 20 {
		return false
	}
	for _, r := range word {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') {
			return false
		}
	}
	return true
}
