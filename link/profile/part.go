package profile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"posagent/txnstore/txn"
)

// Part is a piece of a field's value: what is written as it stands, or a fact of the transaction by name.
type Part struct {
	Text     string // as it stands; empty where there is a name
	Name     string
	Width    int  // of a number whose width the profile chooses
	Optional bool // where it is not known the whole field is left out

	fact *fact // of the name
}

// Setting is what a message says in one field.
type Setting struct {
	Field int
	Parts []Part

	from *entry
}

// Place finds a fact in a message: its field, and how many characters go before it there; 0 where it has none, or where
// that is not certain.
func (f Form) Place(name string) (field, at int) {
	for _, s := range f.Settings {
		at = 0
		for _, p := range s.Parts {
			if p.Name == name {
				return s.Field, at
			}
			least, most := p.width([2]int{0, 1})
			if least != most {
				break
			}
			at += most
		}
	}
	return 0, 0
}

// Optional reports whether the field is left out where a fact is not known.
func (s Setting) Optional() bool {
	for _, p := range s.Parts {
		if p.Optional {
			return true
		}
	}
	return false
}

// role is what a message is for. It decides which facts there are.
type role uint16

const (
	asks       role = 1 << iota // a transaction of its own
	undoes                      // one that names another
	enquires                    // balance
	reverses                    // the undoing of an unknown one: "of" is the transaction itself
	uploads                     // one record of a batch that differs: "of" is the record itself
	manages                     // sign-in and echo
	reconciles                  // totals
	blocks                      // several records at once
	ends                        // the end of a batch
	scans                       // a sale by payment code

	trades = asks | undoes | reverses | uploads
	names  = undoes | reverses
	closes = reconciles | blocks | ends
	always = trades | enquires | manages | closes
)

// fact is what a name in braces stands for.
type fact struct {
	name        string
	least, most int  // characters; most is 0 where the profile says how many
	digits      bool // and nothing else
	in          role // where it is known
	means       string
	maybe       role // where it is not always known, so that it must be optional or the field left out
}

// facts are everything that a profile may put into a message. Card data is not among them; a payment code is.
var facts = []fact{
	{name: "stan", least: 6, most: 6, digits: true, in: always, means: "the message's own STAN"},
	{name: "batch", least: 6, most: 6, digits: true, in: always, means: "batch of the transaction, else the open one"},
	{name: "terminal", least: 8, most: 8, in: always, means: "terminal number"},
	{name: "merchant", least: 15, most: 15, in: always, means: "merchant number"},
	{name: "operator", least: 3, most: 3, in: always, means: "operator, left-aligned"},
	{name: "serial", least: 12, most: 12, in: always, means: "network licence and serial number"},
	{name: "sent", least: 10, most: 10, digits: true, in: always, means: "MMDDhhmmss in GMT, when the message was recorded"},
	{name: "time", least: 6, most: 6, digits: true, in: always, means: "hhmmss at the terminal"},
	{name: "date", least: 4, most: 4, digits: true, in: always, means: "MMDD at the terminal"},
	{name: "keys", least: 3, most: 3, digits: true, in: manages, means: "003, or 004 where a track key is wanted too"},
	{name: "amount", least: 12, most: 12, digits: true, in: trades, means: "minor units"},
	{name: "currency", least: 3, most: 3, digits: true, in: trades | enquires | closes, means: "ISO 4217 number"},
	{name: "scheme", least: 3, most: 3, in: trades | enquires, means: "card organisation, CUP or 000"},
	{name: "chip", least: 1, most: 1, digits: true, in: trades | enquires, means: "2 where the stripe was read because the chip could not be, else 0"},
	{name: "code", least: txn.MinPayCode, most: txn.MaxPayCode, digits: true, in: scans, means: "the customer's payment code"},
	{name: "code.length", least: 3, most: 3, digits: true, in: scans, means: "how many digits it has"},
	{name: "reason", least: 1, most: 999, in: reverses, means: "why, from [reasons]"},
	{name: "of.type", least: 4, most: 4, digits: true, in: names, means: "message type of the original"},
	{name: "of.stan", least: 6, most: 6, digits: true, in: names, means: "STAN of the original; zeros where it is not known"},
	{name: "of.batch", least: 6, most: 6, digits: true, in: names, means: "batch of the original; zeros where it is not known"},
	{name: "of.sent", least: 10, most: 10, digits: true, in: names, means: "MMDDhhmmss in GMT of the original; its date and zeros where only that is known"},
	{name: "of.date", least: 4, most: 4, digits: true, in: names, means: "MMDD of the original at the acquirer; of one without an answer, zeros"},
	{name: "of.reference", least: 12, most: 12, in: names, maybe: reverses, means: "the acquirer's reference number"},
	{name: "of.auth", least: 6, most: 6, in: names, maybe: reverses, means: "authorisation code"},
	{name: "answer.reference", least: 12, most: 12, in: reverses | uploads, maybe: reverses | uploads, means: "the reference number that the transaction itself was given"},
	{name: "answer.auth", least: 6, most: 6, in: reverses | uploads, maybe: reverses | uploads, means: "the authorisation code that it was given"},
	{name: "of.mode", least: 2, most: 2, digits: true, in: undoes, means: "how an offline authorisation was given"},
	{name: "of.unit", least: 0, most: 11, digits: true, in: undoes, means: "who gave it"},
	{name: "debit.count", digits: true, in: reconciles, means: "charges of the batch"},
	{name: "debit.amount", digits: true, in: reconciles, means: "and what they come to"},
	{name: "credit.count", digits: true, in: reconciles, means: "what gave money back"},
	{name: "credit.amount", digits: true, in: reconciles, means: "and what that comes to"},
	{name: "net.side", least: 1, most: 1, in: reconciles, means: "D where charges are more, else C"},
	{name: "net.amount", digits: true, in: reconciles, means: "the difference of both sides"},
	{name: "totals", least: 62, most: 62, digits: true, in: reconciles, means: "own and other organisations, each with a flag"},
	{name: "details", least: 42, most: 322, digits: true, in: blocks, means: "up to eight records of forty digits"},
	{name: "told", least: 4, most: 4, digits: true, in: ends, means: "how many records were told"},
}

func factOf(name string) *fact {
	for i := range facts {
		if facts[i].name == name {
			return &facts[i]
		}
	}
	return nil
}

// parseParts reads "22{batch}000600" or "{of.auth?}" or "{debit.amount:16}".
func parseParts(text string) ([]Part, error) {
	var parts []Part
	for text != "" {
		before, rest, braced := strings.Cut(text, "{")
		if strings.Contains(before, "}") {
			return nil, errors.New("has a } without a {")
		}
		if before != "" {
			parts = append(parts, Part{Text: before})
		}
		if !braced {
			return parts, nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, errors.New("has a { without a }")
		}
		text = after
		p := Part{}
		p.Name, p.Optional = strings.CutSuffix(name, "?")
		var width string
		var wide bool
		if p.Name, width, wide = strings.Cut(p.Name, ":"); wide {
			var err error
			if p.Width, err = strconv.Atoi(width); err != nil || p.Width < 1 || p.Width > 18 {
				return nil, fmt.Errorf("{%s}: a width is 1 to 18", name)
			}
		}
		f := factOf(p.Name)
		p.fact = f
		switch {
		case f == nil:
			return nil, fmt.Errorf("{%s} is not known; profile show lists what is", name)
		case wide != (f.most == 0):
			return nil, fmt.Errorf("{%s}: only counts and amounts of a settlement have a width, like {debit.amount:16}, and those must", name)
		case p.Optional && f.maybe == 0 && p.Name != "of.unit":
			return nil, fmt.Errorf("{%s} is always known; leave out the ?", name)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// Size is how many characters a part comes to, at least and at most.
func (p Part) Size() (least, most int) { return p.width([2]int{1, 999}) }

// width is how many characters a part comes to, at least and at most; reasons is that of {reason}.
func (p Part) width(reasons [2]int) (least, most int) {
	switch {
	case p.Text != "":
		return len(p.Text), len(p.Text)
	case p.Width > 0:
		return p.Width, p.Width
	case p.Name == "reason":
		return reasons[0], reasons[1]
	}
	return p.fact.least, p.fact.most
}
