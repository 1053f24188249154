package scenario

import (
	"slices"
	"strings"
	"time"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Story is a scenario: what happens to one terminal, in order, and what must be true at which point.
type Story struct {
	Name    string   // where it was read from, for errors
	Comment []string // the lines at its head without "# ": what a person should know before reading on
	Steps   []Step
}

// Verb is what a step does.
type Verb string

const (
	Present Verb = "present" // a card is put to the reader; it stays until it is read or taken away
	Insert  Verb = "insert"  // a chip card is put into the slot; it stays there until it is taken out, and is read once
	Swipe   Verb = "swipe"   // a card's stripe is read, whatever else the card can do
	Show    Verb = "show"    // the customer's telephone shows a payment code to the scanner, until it is read or taken away
	Ask     Verb = "ask"     // the till asks the terminal for something, and waits for the end of it
	Cancel  Verb = "cancel"  // the cashier presses cancel
	Hand    Verb = "hand"    // something is done to a machine or a wire
	Cut     Verb = "cut"     // the terminal's power fails
	Restore Verb = "restore" // and returns
	Wait    Verb = "wait"    // time passes
	Settle  Verb = "settle"  // time passes until nothing is owed but what waits for people
	Expect  Verb = "expect"
)

// Step is one line of a story.
type Step struct {
	Line int // in its file, from 1; 0 for a step that was not read from one
	Verb Verb
	On   Event // when it happens in the course of the step before it that has none; the zero Event otherwise

	Card   string // of Present, Insert, Swipe: a name of cards.toml; of Show: a payment code, as PayCode knows it
	Op     string // of Ask: a kind of transaction, "balance", "batch close" …, or another of the socket's requests
	Amount string // of Ask: "12.50", or what a cashier may type instead
	Again  bool   // of Ask: the customer agreed to pay the same again
	Name   string // of Ask: gives the transaction a name, which is its reference; empty gives it a new one
	Of     string // of Ask and Expect: the transaction meant, by name; empty is the newest
	By     string // of Ask: the supervisor who allows what takes money back, or "nobody"; empty is one who may

	Auth    string // of Ask, an offline sale: the authorisation that somebody gave
	ByCode  bool   // of Ask: what it follows is named as its slip does, by authorisation code and date
	Scanned bool   // of Ask, a sale: it is paid with a payment code
	Printed bool   // of Ask, a balance: the cardholder wants a slip

	Who    string        // of Hand: one of Hands
	What   string        // of Hand: in that machine's words
	Time   time.Duration // of Wait
	Expect Expectation   // of Expect
}

// Armed reports whether the step happens at an event, in the course of the step before it.
func (s Step) Armed() bool { return s.On.Kind != Never }

// hands are the machines and wires that a story may touch.
var hands = []string{"reader", "pinpad", "printer", "modem", "acquirer", "line", "wire", "clock", "case", "supply", "scanner"}

// Subject is what an expectation looks at.
type Subject string

const (
	Till       Subject = "till"     // how the request ended
	Store      Subject = "store"    // the transaction's state in the terminal's books
	Host       Subject = "host"     // its standing in the acquirer's books
	Reversal   Subject = "reversal" // the acquirer was asked to reverse it
	Saw        Subject = "saw"      // how many messages of a type the acquirer has read
	Paper      Subject = "paper"    // slips that carry all of the words
	Owed       Subject = "owed"     // transactions that a machine will settle
	Suspense   Subject = "suspense" // transactions that people must look at
	SlipsOwed  Subject = "slips"    // transactions with paper still due
	BooksAgree Subject = "books"    // the judge finds nothing wrong
	Journal    Subject = "journal"  // a line of the transaction's journal contains the words
	Reason     Subject = "reason"   // of the reversal
	Code       Subject = "code"     // the acquirer's answer
	Tries      Subject = "tries"    // of the reversal, as counted
	Bearer     Subject = "bearer"   // the line that carried it
	BatchStep  Subject = "closing"  // how far the closing of a batch got, as the till was told
	OpenBatch  Subject = "batch"    // the number of the terminal's open batch
	Shown      Subject = "shown"    // the till saw a stage
	NotShown   Subject = "not shown"
)

// Expectation is something that must be true when its step is reached.
type Expectation struct {
	Subject  Subject
	Outcome  words.Outcome // of Till; Lost where the till lost the terminal
	State    txn.State     // of Store; empty where no such transaction may be known
	Standing Standing      // of Host
	Step     txn.Step      // of BatchStep; empty where none was begun
	Text     string        // of Till, BatchStep, Journal: words that it must contain; of Reason, Code, Bearer, Shown; the type of Saw
	Words    []string      // of Paper
	Marked   Mark          // of Paper
	Count    int           // of Saw, Owed, Suspense, SlipsOwed, Tries, OpenBatch; of Paper where Counted
	Counted  bool          // of Paper: exactly Count slips, otherwise at least one
}

// Lost is the outcome of a request whose connection broke before an answer.
const Lost words.Outcome = "lost"

// Mark is whether a slip says that it may not be the first.
type Mark string

const (
	AnyMark  Mark = ""
	Marked   Mark = "marked"
	Unmarked Mark = "unmarked"
)

// Touches reports whether the story does something to a machine or its wire, or waits for a byte of it: whether it needs a
// terminal that has one.
func (s Story) Touches(machine string) bool {
	return slices.ContainsFunc(s.Steps, func(step Step) bool {
		return step.Verb == Show && machine == "scanner" || step.Verb == Hand && (step.Who == machine || step.Who == "wire" && strings.HasPrefix(step.What, machine+" ")) ||
			step.On.What == machine
	})
}

// String is the story as Parse reads it.
func (s Story) String() string {
	var b strings.Builder
	for _, line := range s.Comment {
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	for _, step := range s.Steps {
		b.WriteString(step.String() + "\n")
	}
	return b.String()
}
