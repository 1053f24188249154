package agent

import (
	"fmt"
	"time"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// The local socket speaks JSON, one object a line, UTF-8, at most MaxLine bytes a line. A client writes one request and
// reads events until one that ends it; then it may write the next.
//
//	> {"op":"sale","reference":"till-7-0042","amount":"12.50"}
//	< {"event":"stage","stage":"present-card","seconds":0,"text":{"zh":"…","en":"…"}}
//	< {"event":"stage","stage":"waiting","seconds":3,"text":{…},"txn":{…}}
//	< {"event":"outcome","outcome":"approved","text":{…},"txn":{…}}
//
// A stage is repeated each second while it lasts. "outcome", "list", "status", "recount" and "error" end a request.
// A sale is repeated safely with the same reference: it returns the first outcome, and waits for it if that sale is still
// in progress. {"op":"cancel"} ends a sale that is
// still waiting for a card; once the stage is "recorded" it changes nothing.

// MaxLine bounds a line in both directions.
const MaxLine = 64 << 10

// Request is what a screen program or a script asks.
type Request struct {
	Op        string `json:"op"` // sale, cancel, list, show, reprint, status, recover, recount
	Reference string `json:"reference,omitempty"`
	Amount    string `json:"amount,omitempty"` // "12.50"
	Again     bool   `json:"again,omitempty"`  // the customer agreed to the same charge again
	ID        uint64 `json:"id,omitempty"`
	Max       int    `json:"max,omitempty"` // list: newest records, 20 when zero, at most 100
}

// Event is what the agent says.
type Event struct {
	Event   string        `json:"event"` // stage, outcome, list, status, recount, error
	Stage   words.Stage   `json:"stage,omitempty"`
	Detail  string        `json:"detail,omitempty"` // the line's own words: "dial 95516"
	Seconds int           `json:"seconds,omitempty"`
	Outcome words.Outcome `json:"outcome,omitempty"`
	Text    *words.Pair   `json:"text,omitempty"`
	Advice  *words.Pair   `json:"advice,omitempty"` // the acquirer's code in words
	Error   string        `json:"error,omitempty"`
	Fault   StoreFault    `json:"fault,omitempty"` // the store's disk: full, read-only or failing
	Txn     *Record       `json:"txn,omitempty"`
	Txns    []Record      `json:"txns,omitempty"`
	Status  *Status       `json:"status,omitempty"`
	Recount *Recount      `json:"recount,omitempty"`
}

// Ends reports whether the event closes its request.
func (e Event) Ends() bool { return e.Event != "stage" }

// Status is the terminal at a glance.
type Status struct {
	Terminal  string `json:"terminal"`
	Merchant  string `json:"merchant"`
	Boot      uint32 `json:"boot"`
	Batch     uint32 `json:"batch"`
	SignedIn  bool   `json:"signed_in"`
	Owed      int    `json:"owed"`       // transactions that a machine will settle
	Suspense  int    `json:"suspense"`   // transactions that need people
	PaperOwed int    `json:"paper_owed"` // transactions with a slip still due

	StoreFault string `json:"store_fault,omitempty"` // what is wrong with the disk, and what to do
	Stale      bool   `json:"stale,omitempty"`       // the figures are those from before the fault
}

// Record is a transaction as it may be shown: no card number but a masked one.
type Record struct {
	ID        uint64        `json:"id"`
	State     txn.State     `json:"state"`
	Outcome   words.Outcome `json:"outcome"`
	Reference string        `json:"reference"`
	Kind      txn.Kind      `json:"kind"`
	Batch     string        `json:"batch"`
	STAN      string        `json:"stan"`
	Amount    string        `json:"amount"`
	Currency  string        `json:"currency"`
	Card      string        `json:"card"`
	Entry     txn.Entry     `json:"entry"`
	Code      string        `json:"code,omitempty"`
	RRN       string        `json:"rrn,omitempty"`
	AuthCode  string        `json:"auth_code,omitempty"`
	Reason    txn.Reason    `json:"reversal_reason,omitempty"`
	Reversal  string        `json:"reversal_code,omitempty"`
	Tries     int           `json:"reversal_tries,omitempty"`
	Bearer    string        `json:"bearer,omitempty"`
	Written   int           `json:"bytes_written,omitempty"`
	Total     int           `json:"bytes_total,omitempty"`
	Merchant  txn.Slip      `json:"merchant_slip,omitempty"`
	Customer  txn.Slip      `json:"customer_slip,omitempty"`
	Began     time.Time     `json:"began"`
	Boot      uint32        `json:"boot"`
	Journal   []Entry       `json:"journal"`
}

// Entry is one journal line.
type Entry struct {
	At    time.Time `json:"at"`
	Boot  uint32    `json:"boot"`
	Event string    `json:"event"`
}

// RecordOf shows a transaction.
func RecordOf(x txn.Txn) *Record {
	r := &Record{
		ID: uint64(x.ID), State: x.State, Outcome: words.OutcomeOf(x.State), Reference: x.Reference, Kind: x.Kind,
		Batch: fmt.Sprintf("%06d", x.Batch), STAN: fmt.Sprintf("%06d", x.STAN),
		Amount: x.Currency.Format(x.Amount), Currency: x.Currency.Letters, Card: x.Card.PAN.Masked(), Entry: x.Card.Entry,
		Code: x.Answer.Code, RRN: x.Answer.RRN, AuthCode: x.Answer.AuthCode,
		Reason: x.Reason, Reversal: x.Tries.Code, Tries: x.Tries.Made - x.Tries.Unsent,
		Bearer: x.Sent.Bearer, Written: x.Sent.Written, Total: x.Sent.Total,
		Merchant: x.Slips.Merchant, Customer: x.Slips.Customer, Began: x.Began, Boot: x.Boot,
	}
	for _, l := range x.Journal {
		r.Journal = append(r.Journal, Entry{l.At, l.Boot, l.Event})
	}
	return r
}
