package scenario

import (
	"fmt"
	"slices"
	"strings"

	"posagent/firmware/agent"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// expect holds one expectation against the world. Its error says what was seen instead.
func (p *play) expect(s Step) error {
	e := s.Expect
	p.mu.Lock()
	q := p.meantLocked(s.Of)
	asked := p.requests
	p.mu.Unlock()
	if s.Of != "" && q == nil {
		return fmt.Errorf("no sale before this line is named %s", s.Of)
	}
	switch e.Subject {
	case BooksAgree:
		return p.judge()
	case Till:
		if s.Of == "" && len(asked) > 0 {
			q = asked[len(asked)-1]
		}
		return e.ofTill(q)
	case Shown, NotShown:
		return e.ofShown(asked)
	case BatchStep:
		return e.ofClosing(asked)
	}
	books, err := p.books()
	if err != nil {
		return err
	}
	switch e.Subject {
	case Saw:
		return compare("the acquirer saw", books.Seen[e.Text], e.Count)
	case Paper:
		return e.ofPaper(books, s.Of, q)
	case Owed, Suspense, SlipsOwed:
		return compare("there are", books.owed(e.Subject), e.Count)
	case OpenBatch:
		return compare("the open batch is", int(books.Open), e.Count)
	}
	if q == nil {
		return fmt.Errorf("no sale stands before this line")
	}
	sale, known := books.byReference(q.reference)
	return e.ofSale(books, sale, known)
}

func (e Expectation) ofTill(q *request) error {
	if q == nil {
		return fmt.Errorf("nothing was asked before this line")
	}
	outcome, got := q.end()
	if outcome != e.Outcome {
		return fmt.Errorf("the till was told %q %s%s", outcome, got.Event, inBrackets(got.Error))
	}
	return told(got, e.Text)
}

// told looks for words in what the till was told at the end.
func told(end agent.Event, text string) error {
	said := end.Error
	for _, pair := range []*words.Pair{end.Text, end.Advice} {
		if pair != nil {
			said += " | " + pair.ZH + " | " + pair.EN
		}
	}
	if e := end.Enquiry; e != nil {
		for _, b := range e.Balances {
			said += " | " + b.Amount
		}
	}
	if !strings.Contains(said, text) {
		return fmt.Errorf("the till was told: %s", said)
	}
	return nil
}

func (e Expectation) ofShown(asked []*request) error {
	if len(asked) == 0 {
		return fmt.Errorf("nothing was asked before this line")
	}
	shown := asked[len(asked)-1].shown
	if slices.Contains(shown, e.Text) != (e.Subject == Shown) {
		return fmt.Errorf("the till was shown %s", strings.Join(shown, ", "))
	}
	return nil
}

// ofClosing looks at what the till was told when it asked for a closing last.
func (e Expectation) ofClosing(asked []*request) error {
	for i := len(asked) - 1; i >= 0; i-- {
		q := asked[i]
		if q.op != "batch close" {
			continue
		}
		step := txn.Step("")
		_, end := q.end()
		if b := end.Batch; b != nil {
			step = b.Step
		}
		if step != e.Step {
			return fmt.Errorf("its step is %q%s", step, inBrackets(end.Error))
		}
		return told(end, e.Text)
	}
	return fmt.Errorf("no batch was to be closed before this line")
}

// ofPaper counts whole slips that carry all of the words.
func (e Expectation) ofPaper(b Books, of string, q *request) error {
	var sale Sale
	if of != "" {
		known := false
		if sale, known = b.byReference(q.reference); !known {
			return fmt.Errorf("the terminal knows no such sale")
		}
	}
	n := 0
	for _, s := range b.Slips {
		if of != "" && s.STAN != sale.STAN || e.Marked == Marked && !s.Duplicate || e.Marked == Unmarked && s.Duplicate {
			continue
		}
		if !slices.ContainsFunc(e.Words, func(w string) bool { return !strings.Contains(s.Text, w) }) {
			n++
		}
	}
	if n == 0 && !e.Counted || e.Counted && n != e.Count {
		return fmt.Errorf("%d of %d slips are like that", n, len(b.Slips))
	}
	return nil
}

// ofSale looks at one transaction in both sides' books.
func (e Expectation) ofSale(b Books, sale Sale, known bool) error {
	if !known {
		if e.Subject == Store && e.State == "" || e.Subject == Host && e.Standing == Unseen {
			return nil
		}
		return fmt.Errorf("the terminal knows no such sale")
	}
	row, seen := b.row(sale)
	standing := row.Standing
	if !seen {
		standing = Unseen
	}
	got, want := "", e.Text
	switch e.Subject {
	case Store:
		got, want = string(sale.State), string(e.State)
	case Host:
		got, want = string(standing), string(e.Standing)
	case Reversal:
		if row.Reversals > 0 {
			return nil
		}
		got, want = "nothing about it", "a reversal"
	case Reason:
		got = string(sale.Reason)
	case Code:
		got = sale.Code
	case Bearer:
		got = sale.Bearer
	case Tries:
		return compare("tries are", sale.Tries, e.Count)
	case Journal:
		if strings.Contains(strings.Join(sale.Journal, "\n"), e.Text) {
			return nil
		}
		got, want = "something else", "that"
	}
	if got == want {
		return nil
	}
	return fmt.Errorf("it is %q; the acquirer says %q, and the journal: %s", got, standing, strings.Join(sale.Journal, "; "))
}

func compare(what string, got, want int) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s %d", what, got)
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
