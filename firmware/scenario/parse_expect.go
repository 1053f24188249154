package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

const expectations = "expect till OUTCOME [\"WORDS\"], store STATE, host STANDING, host reversal, host saw N of MTI, " +
	"paper WORD… [times N] [marked|unmarked], owed N, suspense N, slips owed N, journal \"WORDS\", reason|code|bearer VALUE, " +
	"closing STEP|none [\"WORDS\"], tries N, batch N, shown STAGE, not shown STAGE or books agree; most may end with \"of NAME\""

// outcomes are what a till may be told.
var outcomes = []words.Outcome{words.OutcomeApproved, words.OutcomeDeclined, words.OutcomeNotDone, words.OutcomeReversed,
	words.OutcomeUnknown, words.OutcomeResolved, words.OutcomeRefused, words.OutcomeQueued, Lost}

// steps are where the closing of a batch may stand.
var steps = []txn.Step{txn.Asking, txn.Details, txn.Advices, txn.Certificates, txn.Ending, txn.Closed, txn.Refused}

var standings = []Standing{Unseen, Held, Voided, Refunded, Given, Completed, Cancelled, Lapsed, Done, Reversed, Refused, Absent}

// aboutOne are the expectations that look at one transaction, and may name it.
var aboutOne = []Subject{Till, Store, Host, Reversal, Paper, Journal, Reason, Code, Tries, Bearer}

// parseExpect reads what stands behind "expect".
func parseExpect(w []string) (Step, error) {
	s := Step{Verb: Expect}
	body := w
	if n := len(w); n > 3 && w[n-2] == "of" && isName(w[n-1]) && !(w[0] == "host" && w[1] == "saw") {
		s.Of, body = w[n-1], w[:n-2]
	} else if n == 4 && w[2] == "of" && w[0] == "host" && w[1] == "reversal" {
		s.Of, body = w[3], w[:2]
	}
	if len(body) < 2 {
		return s, fmt.Errorf("an expectation looks at something; write %s", expectations)
	}
	e, err := parseExpectation(body[0], body[1:])
	if err == nil && s.Of != "" && !slices.Contains(aboutOne, e.Subject) {
		err = fmt.Errorf("%q looks at no single transaction; leave \"of %s\" away", e, s.Of)
	}
	s.Expect = e
	return s, err
}

func parseExpectation(subject string, w []string) (Expectation, error) {
	switch e := (Expectation{Subject: Subject(subject)}); subject {
	case "till":
		return e.till(w)
	case "store":
		if e.State = txn.State(w[0]); w[0] == "nothing" {
			e.State = ""
		} else if !e.State.Valid() {
			return e, fmt.Errorf("state %q is not known; write nothing or one of %v", w[0], txn.States())
		}
		return e, alone(w)
	case "host":
		return e.host(w)
	case "paper":
		return e.paper(w)
	case "journal":
		text, err := quoted(w)
		e.Text = text
		return e, err
	case "closing":
		return e.closing(w)
	case "reason", "code", "bearer", "shown":
		e.Text = w[0]
		return e, alone(w)
	case "not":
		if len(w) == 2 && w[0] == "shown" {
			return Expectation{Subject: NotShown, Text: w[1]}, nil
		}
	case "slips":
		if len(w) == 2 && w[0] == "owed" {
			return e.count(w[1:])
		}
	case "owed", "suspense", "tries", "batch":
		return e.count(w)
	case "books":
		if w[0] == "agree" {
			return e, alone(w)
		}
	}
	return Expectation{}, fmt.Errorf("%q is no expectation; write %s", strings.Join(append([]string{subject}, w...), " "), expectations)
}

func (e Expectation) till(w []string) (Expectation, error) {
	e.Outcome = words.Outcome(w[0])
	if !slices.Contains(outcomes, e.Outcome) {
		return e, fmt.Errorf("outcome %q is not known; write one of %v", w[0], outcomes)
	}
	if len(w) == 1 {
		return e, nil
	}
	text, err := quoted(w[1:])
	e.Text = text
	return e, err
}

// closing reads "STEP|none [WORDS]".
func (e Expectation) closing(w []string) (Expectation, error) {
	e.Step = txn.Step(w[0])
	if w[0] == "none" {
		e.Step = ""
	} else if !slices.Contains(steps, e.Step) {
		return e, fmt.Errorf("step %q of a closing is not known; write none or one of %v", w[0], steps)
	}
	if len(w) == 1 {
		return e, nil
	}
	text, err := quoted(w[1:])
	e.Text = text
	return e, err
}

func (e Expectation) host(w []string) (Expectation, error) {
	switch {
	case len(w) == 1 && w[0] == "reversal":
		e.Subject = Reversal
		return e, nil
	case len(w) == 4 && w[0] == "saw" && w[2] == "of" && isMTI(w[3]):
		e.Subject, e.Text = Saw, w[3]
		return e.count(w[1:2])
	case len(w) == 1 && slices.Contains(standings, Standing(w[0])):
		e.Standing = Standing(w[0])
		return e, nil
	}
	return e, fmt.Errorf("write host and one of %v, host reversal, or host saw N of MTI", standings)
}

// paper reads "WORD… [times N] [marked|unmarked]".
func (e Expectation) paper(w []string) (Expectation, error) {
	if last := Mark(w[len(w)-1]); last == Marked || last == Unmarked {
		e.Marked, w = last, w[:len(w)-1]
	}
	if n := len(w); n >= 2 && w[n-2] == "times" {
		counted, err := e.count(w[n-1:])
		if err != nil {
			return e, err
		}
		e, w = counted, w[:n-2]
		e.Counted = true
	}
	for _, word := range w {
		if word == "times" || Mark(word) == Marked || Mark(word) == Unmarked {
			w = nil
		}
	}
	if len(w) == 0 {
		return e, errors.New("write paper and the words that stand on it, then times N, then marked or unmarked")
	}
	e.Words = w
	return e, nil
}

// count reads a number that may be 0.
func (e Expectation) count(w []string) (Expectation, error) {
	n, err := strconv.Atoi(w[0])
	if err != nil || n < 0 || n > maxCount || strconv.Itoa(n) != w[0] {
		return e, fmt.Errorf("%q is not a number from 0 to %d", w[0], maxCount)
	}
	e.Count = n
	return e, alone(w)
}

// quoted reads words between quotation marks.
func quoted(w []string) (string, error) {
	text := strings.Join(w, " ")
	inside, err := strconv.Unquote(text)
	if err != nil || inside == "" || strconv.Quote(inside) != text {
		return "", fmt.Errorf("%s: write the words between \" and \"", text)
	}
	return inside, nil
}

// alone refuses what stands behind the only word that belongs there.
func alone(w []string) error {
	if len(w) > 1 {
		return fmt.Errorf("%q does not belong behind %q; of one transaction write \"of NAME\"", strings.Join(w[1:], " "), w[0])
	}
	return nil
}
