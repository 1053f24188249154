package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kind is what sort of thing an event is.
type Kind int

const (
	Never    Kind = iota // of the zero Event: the step is not armed
	Send                 // the last byte of a message has left towards the acquirer: What is its type, "0200"
	Recv                 // the last byte of a message from the acquirer has come in, and nobody has read it: What is "0210"
	SendByte             // the N-th byte of a message has left, and no other
	RecvByte             // the N-th byte of a message has come in, and no other
	Before               // a commit is about to begin: What is one of Commits
	Inside               // part of what a commit writes is on the disk, and the rest is not
	After                // a commit is durable, and nobody has been told
	ByteTo               // the N-th byte to a machine has left: What is one of Wires
	ByteFrom             // the N-th byte from a machine has come in
	Printing             // the printer has put its N-th line on paper
	CardRead             // the reader has read a card, and has not said so yet
	Stage                // the till is shown a stage: What is its name (words.Stage)
	Told                 // a till is told how its request ended: What is the outcome
	Elapsed              // After that time has passed
)

// Wires are the lines that bytes are counted on. "line" is the way to the acquirer that is in use, whichever it is, as
// the terminal's messages travel on it; "modem" is the serial line to the modem, with its commands.
var wires = []string{"line", "modem", "reader", "pinpad", "printer", "scanner"}

// Commits are what the store is asked to make durable. A state is the commit that brings a transaction into it: "pending"
// begins it. The others are: one more try of a reversal is counted (try); a slip or a note is remembered, which need not
// reach the disk yet (mark); a number is drawn for a message that is no transaction (stan); the batch is changed (batch); the closing of a batch goes
// a step further (closing);
// finished records are archived to make room (room), or because it is quiet (tidy); what the acquirer has downloaded takes the
// place of what it had downloaded before (download).
var commits = []string{"pending", "abandoned", "declined", "authorized", "approved", "reversing", "reversed", "suspense",
	"resolved", "advising", "try", "mark", "stan", "batch", "closing", "room", "tidy", "download"}

// Event is something that happens to the terminal and that the world could notice. Two equal events are the same event:
// it is a key for maps.
type Event struct {
	Kind Kind
	What string
	N    int           // which byte or line, from 1; 0 for other kinds
	Nth  int           // which message, commit, card, stage or outcome, from 1; 0 for other kinds
	Time time.Duration // of Elapsed
}

// Class is the event without its number: what Steps counts.
func (e Event) Class() Event { return Event{Kind: e.Kind, What: e.What} }

// At is the n-th event of a class, from 1.
func (e Event) At(n int) Event {
	switch e.Kind {
	case ByteTo, ByteFrom, Printing:
		e.N = n
	default:
		e.Nth = n
	}
	return e
}

// String is the event as a story writes it behind a deed: "on recv 0210", "before commit pending", "after 45s".
func (e Event) String() string {
	nth := ""
	if e.Nth > 1 {
		nth = ordinal(e.Nth) + " "
	}
	switch e.Kind {
	case Send:
		return "on " + nth + "send " + e.What
	case Recv:
		return "on " + nth + "recv " + e.What
	case SendByte:
		return fmt.Sprintf("on byte %d of %ssend %s", e.N, nth, e.What)
	case RecvByte:
		return fmt.Sprintf("on byte %d of %srecv %s", e.N, nth, e.What)
	case Before:
		return "before " + nth + "commit " + e.What
	case Inside:
		return "inside " + nth + "commit " + e.What
	case After:
		return "after " + nth + "commit " + e.What
	case ByteTo:
		return fmt.Sprintf("on byte %d to %s", e.N, e.What)
	case ByteFrom:
		return fmt.Sprintf("on byte %d from %s", e.N, e.What)
	case Printing:
		return fmt.Sprintf("on printing line %d", e.N)
	case CardRead:
		return "on " + nth + "card read"
	case Stage:
		return "on " + nth + "stage " + e.What
	case Told:
		return "on " + nth + "outcome " + e.What
	case Elapsed:
		return "after " + duration(e.Time)
	default:
		return ""
	}
}

// ordinal writes 2 as "2nd".
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// duration writes a time without the zeros that time.Duration leaves at its end: "2m", "25h".
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
