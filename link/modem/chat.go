package modem

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// chat is an engine whose modem also speaks when it is not spoken to: a report may come at any moment, between the lines
// of an answer too, and is never lost. It belongs to whoever has the floor.
type chat struct {
	engine
	kind family

	waiting bool   // received data can be fetched
	pushed  []byte // received data that came by itself
	closed  error  // the far end has closed the connection; what came before can still be fetched
	lost    error  // the connection is gone, with all that was in it

	taken int64 // bytes that the modem said it took, since the connection was opened

	unasked bool // the data that comes next was announced by a report
}

// query is one command.
type query struct {
	line    string
	wait    time.Duration
	payload []byte   // given to the modem at its prompt
	finals  []string // results that end it; OK where there are none
	result  string   // the beginning of a line that must come beside OK, before or after it
}

// answer is what came back, up to the final result.
type answer struct {
	lines []string // information
	data  []byte
	final string
	given int // bytes of the payload that the port has taken: these may leave
}

// line is the first information line with a beginning, without it.
func (a *answer) line(beginning string) (string, bool) {
	for _, l := range a.lines {
		if rest, ok := strings.CutPrefix(l, beginning); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// all are the parameters of every information line with a beginning.
func (a *answer) all(beginning string) (found [][]string) {
	for _, l := range a.lines {
		if rest, ok := strings.CutPrefix(l, beginning); ok {
			found = append(found, fields(rest))
		}
	}
	return found
}

// ask sends a command and collects its answer. It fails like engine.command; what came before the failure is valid.
func (c *chat) ask(ctx context.Context, q query) (answer, error) {
	var a answer
	c.lex.sent, c.lex.asks = q.line, len(q.payload) > 0
	defer func() { c.lex.sent, c.lex.asks = "", false }()
	if err := c.write(q.line + terminator); err != nil {
		return a, err
	}
	var failure error
	heard, fine := false, false
	err := c.listen(ctx, time.Now().Add(q.wait), func(t token) bool {
		heard = heard || t.kind == text || t.kind == prompt
		switch {
		case t.kind == prompt:
			a.given, failure = c.give(q.payload, q.wait)
			return failure != nil
		case c.took(t):
			return false
		case t.kind == data:
			a.data = append(a.data, t.text...)
			return false
		case t.kind != text:
			return false
		case slices.Contains(q.finals, t.text):
			a.final = t.text
			return true
		}
		if code, is := refusal(t.text); is {
			a.final, failure = t.text, code
			return true
		}
		if t.text == resultOK {
			fine = len(q.finals) == 0
		} else if len(a.lines) < maxAnswer {
			a.lines = append(a.lines, t.text)
		}
		_, came := a.line(q.result)
		return fine && (q.result == "" || came)
	})
	switch {
	case err == nil && failure != nil:
		return a, fmt.Errorf("%s: %w", q.line, failure)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return a, err
	case heard:
		return a, fmt.Errorf("%s: %w within %v", q.line, ErrUnanswered, q.wait)
	case c.lex.halfway():
		return a, ErrGarbage
	default:
		return a, ErrNoModem
	}
}

// give hands the payload to the port.
func (c *chat) give(p []byte, within time.Duration) (int, error) {
	if err := c.port.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return 0, fmt.Errorf("modem port: %w", err)
	}
	n, err := c.port.Write(p)
	if err != nil {
		return n, fmt.Errorf("modem port: %w", err)
	}
	return n, nil
}

// took handles what nobody asked for, and what follows the line of an answer.
func (c *chat) took(t token) bool {
	switch t.kind {
	case data:
		if c.unasked {
			c.push(t.text)
		}
		return c.unasked
	case text:
		c.lex.raw = c.kind.follows(t.text)
		e := c.kind.report(t.text)
		c.unasked = e.kind != noEvent
		c.noteEvent(e)
		return c.unasked
	default:
		return false
	}
}

func (c *chat) push(p string) {
	if len(c.pushed)+len(p) > maxPushed {
		c.lost = fmt.Errorf("%w: more than %d bytes came and nobody read them", ErrLost, maxPushed)
		return
	}
	c.pushed = append(c.pushed, p...)
}

func (c *chat) noteEvent(e event) {
	switch e.kind {
	case dataWaits:
		c.waiting = true
	case farEndClosed:
		c.closed = fmt.Errorf("%w: %s", ErrNoCarrier, e.why)
		c.waiting = true // what came before may wait unannounced
	case allLost:
		c.lost = fmt.Errorf("%w: %s", ErrLost, e.why)
	}
}

// hear handles what has come while no command runs.
func (c *chat) hear() {
	for t, ok := c.lex.next(); ok; t, ok = c.lex.next() {
		c.took(t)
	}
}

// eventKind is what a report means for the connection.
type eventKind int

const (
	noEvent      eventKind = iota // not a report: an answer's line, or nothing of ours
	harmless                      // a report that changes nothing
	dataWaits                     // something can be fetched
	dataComes                     // data follows the line
	farEndClosed                  // no more will come than what has
	allLost                       // the context is gone, or the modem has started anew
)

type event struct {
	kind eventKind
	why  string
}

const (
	resultOK    = "OK"
	resultError = "ERROR"

	maxAnswer = 64        // lines of one answer
	maxPushed = 64 * 1024 // bytes that came by themselves and were not read yet
)

// refusal reads a final result that is a failure (V.250 5.7.1; 3GPP TS 27.007 9.2; 27.005 3.2.5).
func refusal(line string) (error, bool) {
	if line == resultError {
		return &ResultError{Code: line, Meaning: "the modem refused the command", sentinel: ErrRefused}, true
	}
	for _, prefix := range []string{"+CME ERROR:", "+CMS ERROR:"} {
		if code, is := strings.CutPrefix(line, prefix); is {
			return cellularError(line, strings.TrimSpace(code)), true
		}
	}
	return nil, false
}
