package scenario

import (
	"strings"

	"posagent/txnstore/txn"
)

// Cause says in few words why a transaction waits for people, or nothing where its record does not. Tries is how many
// reversals must have been made before they are spent, or copies of a refund sent, 0 where that is not known.
func Cause(s Sale, tries int) string {
	journal := strings.Join(s.Journal, "\n")
	what := "reversal"
	switch s.kind() {
	case txn.Void:
		what = "reversal of a void"
	case txn.Refund:
		what = "refund"
	}
	switch {
	case s.State != txn.Suspense:
		return ""
	case s.kind() == txn.Refund && s.Tries > 1 && s.Reversal != "" && strings.Contains(journal, "a copy was refused "+s.Reversal):
		return "copy of a refund refused " + s.Reversal
	case s.kind() != txn.Refund && s.Reversal == "25" && strings.Contains(journal, "25 after a day change proves nothing"):
		return "not found after a day change"
	case s.kind() != txn.Refund && s.Reversal == "25" && strings.Contains(journal, "25 after its batch was closed proves nothing"):
		return "not found after its batch was closed"
	case s.Tries < max(1, tries) || !strings.Contains(journal, "tries spent, people must look"):
		return ""
	case s.Reversal == "":
		return what + " never answered"
	default:
		return what + " refused " + s.Reversal
	}
}
