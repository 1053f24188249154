package scenario

import (
	"regexp"
	"strings"

	"posagent/txnstore/txn"
)

// doubts are what a journal says where an answer 25 to a reversal proves nothing, and what a report calls that.
var doubts = []struct {
	line  *regexp.Regexp
	cause string
}{
	{regexp.MustCompile(`(?m)^25 after a day change proves nothing`), "not found after a day change"},
	{regexp.MustCompile(`(?m)^25 after its batch was closed proves nothing`), "not found after its batch was closed"},
	{regexp.MustCompile(`(?m)^25 and a [a-z-]+, voucher [0-9]{6}`), "not found after something undid it"},
}

// Cause says in few words why a transaction waits for people, or nothing where its record does not. Tries is how many
// reversals must have been made before they are spent, or copies of what is told, 0 where that is not known.
//
// Three things bring one there: a reversal that was answered 25 where that proves nothing, something told that was refused
// once its slip was given out or an earlier copy may have been booked, and tries that were spent.
func Cause(s Sale, tries int) string {
	if s.State != txn.Suspense {
		return ""
	}
	journal := strings.Join(s.Journal, "\n")
	what := "reversal"
	switch {
	case s.kind().Advice():
		what = string(s.kind())
	case s.kind() != txn.Sale:
		what = "reversal of a " + string(s.kind())
	}
	switch {
	case !s.kind().Advice():
		for _, d := range doubts {
			if s.Reversal == "25" && d.line.MatchString(journal) {
				return d.cause
			}
		}
	case s.Tries > 1 && s.Reversal != "" && strings.Contains(journal, "a copy was refused "+s.Reversal):
		return "copy of " + aKind(s.kind()) + " refused " + s.Reversal
	case s.kind().Final() && s.Reversal != "" && strings.Contains(journal, "refused "+s.Reversal+" after the slip was given out"):
		return what + " refused " + s.Reversal + " after its slip was given out"
	}
	switch {
	case s.Tries < max(1, tries) || !strings.Contains(journal, "tries spent, people must look"):
		return ""
	case s.Reversal == "":
		return what + " never answered"
	default:
		return what + " refused " + s.Reversal
	}
}
