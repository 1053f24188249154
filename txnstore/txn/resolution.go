package txn

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Resolution is how people closed what no machine could prove: what they found, on what evidence, and which two of them. It
// is written beside the record, which stays.
type Resolution struct {
	Charged  bool   // the acquirer holds it, or gave it back, as if it had been approved
	Evidence string // what it rests on: a statement, a call with a number; 8 to MaxEvidence bytes
	By, With string // the two supervisors' numbers
}

// MaxEvidence is how many bytes the evidence of a resolution may have.
const MaxEvidence = 60

// Check refuses a resolution on which nobody could rely later.
func (r Resolution) Check() error {
	unprintable := func(c rune) bool { return !unicode.IsPrint(c) || c == utf8.RuneError }
	switch {
	case len(strings.TrimSpace(r.Evidence)) < 8 || len(r.Evidence) > MaxEvidence:
		return fmt.Errorf("say in 8 to %d bytes what it rests on: whose statement, which call", MaxEvidence)
	case strings.ContainsFunc(r.Evidence, unprintable):
		return errors.New("the evidence must be plain text on one line")
	case r.By == "" || r.With == "" || r.By == r.With:
		return errors.New("two different people close it")
	}
	return nil
}
