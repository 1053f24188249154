package scenario

import "posagent/txnstore/txn"

// used holds each pre-authorisation against what used it up: one that was charged has exactly one completion that stands, one
// that was let go exactly one cancellation, and one that is in force neither. A completion that was cancelled gave it back.
func (f *findings) used(there map[Voucher]Row) {
	became := map[Voucher][]Standing{}
	for _, row := range there {
		switch {
		case row.kind() == txn.PreAuthCancel && row.Standing == Done:
			became[row.Of] = append(became[row.Of], Cancelled)
		case (row.kind() == txn.Completion || row.kind() == txn.CompletionNotice) && (row.Standing == Held || row.Standing == Refunded):
			became[row.Of] = append(became[row.Of], Completed)
		}
	}
	for k, row := range there {
		over := row.Standing == Completed || row.Standing == Cancelled
		switch ends := became[k]; {
		case row.kind() != txn.PreAuth:
			if over || row.Standing == Lapsed || len(ends) > 0 {
				f.say("voucher %s: %s is %s in the acquirer's books, and was used up %d times", k, aKind(row.kind()), row.Standing, len(ends))
			}
		case over && (len(ends) != 1 || ends[0] != row.Standing), !over && len(ends) > 0:
			f.say("voucher %s: the pre-authorisation is %s, and what used it says %v", k, row.Standing, ends)
		}
		delete(became, k)
	}
	for k := range became {
		f.say("voucher %s was used up as a pre-authorisation, and the acquirer has no such one", k)
	}
}
