package txn

import "time"

// Sum is a number of transactions and what they come to, in minor units.
type Sum struct {
	Count  int
	Amount Amount
}

// Sums are the two sides of a settlement. A sale that was voided counts on both; one that was reversed on neither.
type Sums struct{ Debit, Credit Sum }

// Totals are what a batch comes to: cards of the acquirer's own organisation, and all others.
type Totals struct{ Domestic, Foreign Sums }

// Domestic reports whether t counts with the acquirer's own organisation: as the acquirer said in its answer, and where it
// did not, by the number range (62, ISO/IEC 7812).
func (t Txn) Domestic() bool {
	if t.Answer.Scheme != "" {
		return t.Answer.Scheme == "CUP"
	}
	if !t.Code.IsZero() {
		return true // a platform's money comes through the acquirer's own organisation
	}
	masked := t.Card.PAN.Masked()
	return len(masked) > 2 && masked[:2] == "62"
}

// Add counts an approved transaction on its side; anything else holds nothing that is certain, or is settled later.
func (s *Totals) Add(t Txn) {
	if t.State != Approved || !t.Kind.Settled() {
		return
	}
	side := &s.Foreign
	if t.Domestic() {
		side = &s.Domestic
	}
	sum := &side.Debit
	if t.Kind.Credits() {
		sum = &side.Credit
	}
	sum.Count++
	sum.Amount += t.Amount
}

// All adds both organisations up.
func (s Totals) All() Sums {
	return Sums{s.Domestic.Debit.plus(s.Foreign.Debit), s.Domestic.Credit.plus(s.Foreign.Credit)}
}

func (s Sum) plus(o Sum) Sum { return Sum{s.Count + o.Count, s.Amount + o.Amount} }

// Verdict is what the acquirer says of one organisation's totals.
type Verdict string

const (
	Balanced   Verdict = "balanced"
	Unbalanced Verdict = "unbalanced" // it gave its own totals
	Mistaken   Verdict = "error"      // it could not compare
)

// Step is where the closing of a batch stands. It is written to disk as its name.
//
//	asking ─┬─ both organisations balanced ──────────────────────┬────────────────────► ending ──► closed
//	        ├─ not balanced ─► details ─► advices ─(all told)────┴─► certificates ───────┘
//	        └─ refused ──────► refused: the batch stays open
type Step string

const (
	Asking  Step = "asking"  // decided; the acquirer has not judged the totals. Nothing may be sold from here on
	Details Step = "details" // the acquirer's totals differ: it is told every sale and void, up to Cursor so far
	Advices Step = "advices" // then every refund, up to Cursor so far

	Certificates Step = "certificates" // then what chips certified of finished transactions, where there is any, up to Cursor

	Ending  Step = "ending"  // all is told; the acquirer has not acknowledged the end of the batch
	Closed  Step = "closed"  // acknowledged; the next batch is open
	Refused Step = "refused" // the acquirer does not settle this batch; it stays open
)

// Over reports whether the closing has ended, one way or the other. A step that this version does not know has not.
func (s Step) Over() bool { return s == Closed || s == Refused }

// CanBecome reports whether a closing in s may go on to next, or stay to note something.
func (s Step) CanBecome(next Step) bool {
	switch s {
	case Asking:
		return next == Asking || next == Details || next == Certificates || next == Ending || next == Refused
	case Details:
		return next == Details || next == Advices
	case Advices:
		return next == Advices || next == Certificates || next == Ending
	case Certificates:
		return next == Certificates || next == Ending
	case Ending:
		return next == Ending || next == Closed
	case Closed, Refused:
		return next == s // what became of the report
	}
	return false
}

// MaxDoubts is how many doubtful transactions a closing names.
const MaxDoubts = 20

// Closing is the settlement of one batch, as it is stored from the decision until its report is on paper.
type Closing struct {
	Batch       uint32
	Gen         uint32 // grows with every change
	Step        Step
	Boot        uint32 // boot in which it reached its present step
	Terminal    string
	Merchant    string
	Profile     string // mark of the profile under which it was begun
	Operator    string
	Currency    Currency
	Began       time.Time
	Ended       time.Time
	Own         Totals // of this terminal, when it was decided
	Host        Totals // of the acquirer
	Domestic    Verdict
	Foreign     Verdict
	Code        string // field 39, where the acquirer refused
	Cursor      ID     // the last record told in this step
	Unread      int    // records of the batch that this terminal could not read: its totals are short of them
	Told        int    // records that the acquirer has acknowledged
	Unaccepted  int    // records that it has refused
	Certified   int    // certificates that the acquirer has acknowledged
	Uncertified int    // and that it has refused
	Tries       int    // attempts at the end message, counted before each
	Explains    []ID   // doubtful transactions that make up the difference exactly
	Doubts      []ID   // the other doubtful ones
	Report      Slip
}

// Agrees reports whether both organisations are balanced.
func (c Closing) Agrees() bool { return c.Domestic == Balanced && c.Foreign == Balanced }

// OwesReport reports whether the report is still due.
func (c Closing) OwesReport() bool { return c.Report == SlipOwed }
