package txn

// Original names the transaction that a void or a refund undoes, in the terms by which the acquirer finds it.
type Original struct {
	ID       ID     // in these books; 0 where they do not hold it, which only a refund may do
	Batch    uint32 // with the STAN, field 61 of a void
	STAN     uint32
	RRN      string // field 37
	AuthCode string // field 38
	Date     string // MMDD, field 61 of a refund
}

// Of is what a void or a refund of t must say of it.
func (t Txn) Of() Original {
	return Original{ID: t.ID, Batch: t.Batch, STAN: t.STAN, RRN: t.Answer.RRN, AuthCode: t.Answer.AuthCode, Date: t.Answer.HostDate}
}

// MayHold reports whether t stands in the acquirer's books, or may: a sale that may hold money, a void or a refund that
// may have given it back. Only what certainly happened, or certainly did not, is certain.
func (t Txn) MayHold() bool { return t.State == Approved || t.State.Owes() != Nothing }

// Undoes reports whether t, a void or a refund, takes money back from the sale with this number, or may.
func (t Txn) Undoes(sale ID) bool {
	return (t.Kind == Void || t.Kind == Refund) && t.Original.ID == sale && sale != 0 && t.MayHold()
}
