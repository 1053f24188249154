package agent

import (
	"errors"

	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// outcome closes a request with the record's own state; an error beside it only adds words.
func outcome(x txn.Txn, err error) Event {
	o := words.OutcomeIn(x.Kind, x.State)
	text := words.OfEnding(x.Kind, o)
	if byCode, differs := words.OfCodeEnding(x.Kind, o); differs && !x.Code.IsZero() {
		text = byCode
	}
	e := Event{Event: "outcome", Outcome: o, Text: &text, Txn: RecordOf(x)}
	if x.Answer.Code != "" && !(x.State == txn.Approved && x.Answer.Code == "94") { // to the copy of a refund 94 is no refusal
		advice := words.Advice(x.Answer.Code)
		if x.Answer.Approved && x.Card.Entry == txn.Inserted && x.State != txn.Approved && x.Kind.Confirmed() {
			advice = words.CardNotDone
		}
		e.Advice = &advice
	}
	if err != nil {
		e.Error, e.Fault = err.Error(), faultOf(err)
	}
	return e
}

// refused says that no transaction was begun, except where the store cannot tell whether one was. A refusal over an
// earlier sale shows what became of it.
func refused(kind txn.Kind, err error) Event {
	o, text := words.OutcomeRefused, words.OfEnding(kind, words.OutcomeRefused)
	e := Event{Event: "outcome", Error: err.Error(), Fault: faultOf(err)}
	paid, earlier := codeWords(err)
	var lookalike *terminal.LookalikeError
	var taken *terminal.ReferenceError
	var unreadable *terminal.UnreadableError
	switch {
	case errors.As(err, &lookalike):
		e.Txn = RecordOf(lookalike.Earlier)
	case errors.As(err, &taken):
		e.Txn, text = RecordOf(taken.Earlier), words.ReferenceTaken
	case errors.As(err, &unreadable):
		o, text = words.OutcomeUnknown, words.OfEnding(kind, words.OutcomeUnknown)
	case errors.Is(err, terminal.ErrNoPIN):
		text = words.NoPIN
	case errors.Is(err, terminal.ErrPINPad):
		text = words.NoPINPad
	case paid != nil:
		text, e.Txn = *paid, earlier
	case cardWords(err) != nil:
		text = *cardWords(err)
	case e.Fault != "":
		text = e.Fault.refusal()
	}
	if guarded, is := guardWords(err); is {
		text = guarded
	}
	e.Outcome, e.Text = o, &text
	return e
}
