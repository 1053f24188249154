package txn

// Original names the transaction that another undoes or follows, in the terms by which the acquirer finds it.
type Original struct {
	ID       ID     // in these books; 0 where they do not hold it, which a refund and what follows a pre-authorisation may do
	Batch    uint32 // with the STAN, field 61 of a void
	STAN     uint32
	RRN      string // field 37
	AuthCode string // field 38
	Date     string // MMDD, field 61 of a refund and of what follows a pre-authorisation
	Sent     string // MMDDhhmmss in GMT, field 7 of its request, for field 90; empty where it is not known

	// How the authorisation of an offline sale was given, which has no original but this.
	Mode string // field 61.4, two digits: 01 by telephone
	Unit string // field 61.5, up to MaxUnit digits: who gave it, where the acquirer wants to know
}

// MaxUnit is how many digits the number of an authorising institution has at most.
const MaxUnit = 11

// ByTelephone is the mode of an authorisation that was asked for over the telephone.
const ByTelephone = "01"

// SentLayout is that of Original.Sent.
const SentLayout = "0102150405"

// Of is what a transaction that undoes or follows t must say of it.
func (t Txn) Of() Original {
	o := Original{ID: t.ID, Batch: t.Batch, STAN: t.STAN, RRN: t.Answer.RRN, AuthCode: t.Answer.AuthCode, Date: t.Answer.HostDate}
	if !t.Began.IsZero() {
		o.Sent = t.Began.UTC().Format(SentLayout)
	}
	return o
}

// MayHold reports whether t stands in the acquirer's books, or may: a sale that may hold money, a void or a refund that
// may have given it back, a pre-authorisation that may be in force or have been used. Only what certainly happened, or certainly did not, is certain.
// What people closed stands as they found it.
func (t Txn) MayHold() bool {
	return t.State == Approved || t.State.Owes() != Nothing || t.State == Resolved && t.Resolved.Charged
}

// Undoes reports whether t takes money back from the transaction with this number, or may.
func (t Txn) Undoes(id ID) bool {
	return t.Kind.Credits() && t.Original.ID == id && id != 0 && t.MayHold()
}

// Follows reports whether t ends the pre-authorisation with this number, or may have: it was cancelled, or completed.
func (t Txn) Follows(preauth ID) bool {
	return t.Kind.Uses() && t.Original.ID == preauth && preauth != 0 && t.MayHold()
}
