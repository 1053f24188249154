package txn

import "errors"

// Kind is the transaction type. It is written to disk as its name.
type Kind string

// The kinds, with field 60.1. What a kind owes when its fate is unknown follows from the class of its message: a request is
// reversed, an advice repeated.
const (
	Sale   Kind = "sale"   // 22
	Void   Kind = "void"   // 23: undoes an approved sale of the open batch, before it is settled
	Refund Kind = "refund" // 25, advice: gives money back, of any day

	PreAuth          Kind = "preauth"           // 10: holds money on the card, days before it is charged
	PreAuthCancel    Kind = "preauth-cancel"    // 11: lets it go
	Completion       Kind = "completion"        // 20: charges what was held
	CompletionCancel Kind = "completion-cancel" // 21: undoes a completion of the open batch; the money is held again
	CompletionNotice Kind = "completion-notice" // 24, advice: a completion that is told and not asked for

	OfflineSale Kind = "offline-sale" // 30, advice: a sale that was authorised otherwise, by telephone
)

var kinds = [...]Kind{Sale, Void, Refund, PreAuth, PreAuthCancel, Completion, CompletionCancel, CompletionNotice, OfflineSale}

// Kinds returns every kind, for tables and tests that must be total.
func Kinds() []Kind { return append([]Kind(nil), kinds[:]...) }

// Known reports whether k is a kind that this version can begin.
func (k Kind) Known() bool {
	for _, known := range kinds {
		if k == known {
			return true
		}
	}
	return false
}

// Advice reports whether the acquirer is told of k rather than asked (0220): it is never reversed, but told again until the
// acquirer has acknowledged it.
func (k Kind) Advice() bool { return k == Refund || k.Final() }

// Final reports whether k is done at the counter once it is recorded: the slip does not wait for the acquirer's answer.
func (k Kind) Final() bool { return k == CompletionNotice || k == OfflineSale }

// Begins is the state in which a transaction of this kind becomes durable.
func (k Kind) Begins() State {
	if k.Advice() {
		return Advising
	}
	return Pending
}

// Charges reports whether the merchant is paid by k, and Credits whether it pays: the two sides of a settlement. What is held
// for later, and its cancellation, is on neither.
func (k Kind) Charges() bool {
	return k == Sale || k == Completion || k == CompletionNotice || k == OfflineSale
}

// Credits is the other side; see Charges.
func (k Kind) Credits() bool { return k == Void || k == Refund || k == CompletionCancel }

// Settled reports whether k is on a side of a settlement at all.
func (k Kind) Settled() bool { return k.Charges() || k.Credits() }

// TakesBack reports whether k gives money back or lets it go, which a supervisor must allow.
func (k Kind) TakesBack() bool { return k.Credits() || k == PreAuthCancel }

// Uses reports whether k ends a pre-authorisation: it was let go, or charged.
func (k Kind) Uses() bool { return k == PreAuthCancel || k == Completion || k == CompletionNotice }

// checkOriginal refuses what the acquirer could not find.
func (k Kind) checkOriginal(o Original) error {
	switch {
	case (k == Sale || k == PreAuth) && o != Original{}:
		return errors.New("a " + string(k) + " undoes nothing")
	case (k == Void || k == CompletionCancel) && (o.ID == 0 || o.Batch == 0 || o.STAN == 0 || o.RRN == ""):
		return errors.New("a " + string(k) + " names nothing that the acquirer could find")
	case k == CompletionCancel && (o.AuthCode == "" || len(o.Date) != 4):
		return errors.New("a " + string(k) + " names neither authorisation code nor date of its completion")
	case k == Refund && (o.RRN == "" || len(o.Date) != 4):
		return errors.New("a refund names neither reference number nor date of its sale")
	case k == OfflineSale && (o.AuthCode == "" || len(o.Mode) != 2 || !digits(o.Mode) || len(o.Unit) > MaxUnit || o.Unit != "" && !digits(o.Unit)):
		return errors.New("an offline-sale names neither authorisation code nor how it was given")
	case k.Uses() && (o.AuthCode == "" || len(o.Date) != 4):
		return errors.New("a " + string(k) + " names neither authorisation code nor date of its pre-authorisation")
	}
	return nil
}
