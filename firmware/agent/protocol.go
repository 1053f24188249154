package agent

import (
	"time"

	"posagent/link/acquirer"
	"posagent/printer/receipt"
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
//
//	> {"op":"void","reference":"till-7-0043","original":"000012","supervisor":"00"}
//
// (with "password" where the terminal has a list of supervisors) names the sale by its voucher number in the open batch, or by its reference, and is answered like a sale. So is
//
//	> {"op":"refund","reference":"till-7-0044","amount":"2.50","original":"till-7-0042","supervisor":"00"}
//
// which may name a sale of another terminal or of pruned books by "original_rrn" and "original_date" (MMDD) instead.
//
//	> {"op":"preauth","reference":"room-12","amount":"500.00"}
//	> {"op":"completion","reference":"room-12-out","amount":"520.00","original_auth":"A1B2C3","original_date":"1121"}
//
// "preauth-cancel", "completion", "completion-notice" name a pre-authorisation by "original", or, days later, by
// "original_auth" and "original_date"; "completion-cancel" names a completion of the open batch by "original". A
// "completion-notice" needs no line: its outcome is "queued" until the acquirer has heard of it. Neither does
//
//	> {"op":"offline-sale","reference":"till-7-0045","amount":"12.50","auth_code":"123456"}
//
// a sale that was authorised by telephone.
//
//	> {"op":"sale","reference":"till-7-0046","amount":"12.50","scan":true}
//
// waits for a payment code instead of a card ("show-code"). A code that was submitted under another reference is refused, and
// that order shown: it never is submitted twice.
//
// {"op":"balance","print":true} shows what a card's account holds, and ends with an outcome and "balance". It has no reference,
// because nothing of it is kept.
//
//	> {"op":"resolve","id":7,"amount":"12.50","charged":false,"evidence":"statement of 11/22","supervisor":"00","with":"07"}
//
// closes what waits for people: two supervisors, with their passwords where the terminal has a list, and the amount typed
// once more. It is answered with an outcome, or with an error where nothing was closed.
//
// {"op":"batch close"} settles the open batch, shows its steps as stages and ends with "batch", which says how far it got: a
// closing that was begun and not ended goes on by itself. {"op":"batch totals"} answers with the open batch as it stands, and
// {"op":"batch report","batch":"000001"} prints the report of a closed one again.
//
// A chip card in the slot is asked to confirm what the acquirer approved: "card-confirming", and then "approved", or "card-refused",
// "card-removed" or "card-lost" while the approval is being reversed. Prompts of the reader, such as to insert a chip that was
// swiped or to take the card out, come as another text of the present stage.
//
// A stage is repeated each second while it lasts. "outcome", "batch", "list", "slip", "status", "recount", "keys" and "error" end a request.
// A sale is repeated safely with the same reference: it returns the first outcome, and waits for it if that sale is still
// in progress. {"op":"cancel"} ends a sale that is
// still waiting for a card; once the stage is "recorded" it changes nothing.

// MaxLine bounds a line in both directions.
const MaxLine = 64 << 10

// Request is what a screen program or a script asks.
type Request struct {
	Op        string `json:"op"` // a kind of transaction, balance, resolve, cancel, batch totals, batch close, batch report, list, show, slip, reprint, status, keys, recover, recount, host echo, host signin, host test
	Reference string `json:"reference,omitempty"`
	Amount    string `json:"amount,omitempty"` // "12.50"
	Again     bool   `json:"again,omitempty"`  // the customer agreed to the same charge again
	Scan      bool   `json:"scan,omitempty"`   // sale: with a payment code that the customer shows, not with a card
	Print     bool   `json:"print,omitempty"`  // balance: a slip for the cardholder, who asked for one

	Original          string `json:"original,omitempty"`           // what is undone or followed: its voucher number, up to six digits, or its reference
	OriginalReference string `json:"original_reference,omitempty"` // the same, where a reference consists of six digits or fewer
	OriginalRRN       string `json:"original_rrn,omitempty"`       // refund: the acquirer's reference number of a sale that is not in these books
	OriginalAuth      string `json:"original_auth,omitempty"`      // what follows a pre-authorisation: that one's authorisation code, of any batch
	OriginalDate      string `json:"original_date,omitempty"`      // of either: its date, MMDD
	AuthCode          string `json:"auth_code,omitempty"`          // offline-sale: the authorisation that was given otherwise
	AuthMode          string `json:"auth_mode,omitempty"`          // offline-sale: how, two digits; 01, by telephone, when empty
	AuthUnit          string `json:"auth_unit,omitempty"`          // offline-sale: by whom, up to eleven digits
	Supervisor        string `json:"supervisor,omitempty"`         // of what takes money back: who allows it

	Charged      *bool        `json:"charged,omitempty"`  // resolve: what people found
	Evidence     string       `json:"evidence,omitempty"` // resolve: what that rests on, 8 to 60 bytes
	With         string       `json:"with,omitempty"`     // resolve: the second supervisor
	WithPassword txn.Password `json:"with_password,omitzero"`

	Password txn.Password `json:"password,omitzero"` // the supervisor's; an agent with a list of supervisors asks for it

	ID    uint64 `json:"id,omitempty"`
	Copy  string `json:"copy,omitempty"`  // slip: merchant or customer
	Batch string `json:"batch,omitempty"` // batch report: which; the newest when empty
	Max   int    `json:"max,omitempty"`   // list: newest records, 20 when zero, at most 100
}

// Event is what the agent says.
type Event struct {
	Event   string        `json:"event"` // stage, outcome, batch, list, status, recount, keys, host, error
	Stage   words.Stage   `json:"stage,omitempty"`
	Detail  string        `json:"detail,omitempty"` // the line's own words: "dial 95516"
	Prompt  words.Prompt  `json:"prompt,omitempty"` // of a stage: what the card reader wants or reports, whose words Text then has
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
	Batch   *Batch        `json:"batch,omitempty"`
	Enquiry *Enquiry      `json:"balance,omitempty"`
	Host    []HostTry     `json:"host,omitempty"`

	Printer *PrinterView `json:"printer,omitempty"` // of a stage or an outcome whose slip is still due

	Slip *receipt.Slip `json:"slip,omitempty"` // laid out as it would be printed again

	Keys []acquirer.KeyStatus `json:"keys,omitempty"` // in use: check values and sign-ins, never a key
}

// Ends reports whether the event closes its request.
func (e Event) Ends() bool { return e.Event != "stage" }

// Status is the terminal at a glance.
type Status struct {
	Terminal string `json:"terminal"`
	Merchant string `json:"merchant"`
	Boot     uint32 `json:"boot"`
	Batch    uint32 `json:"batch"`
	SignedIn bool   `json:"signed_in"`

	Closing txn.Step `json:"closing,omitempty"` // where the closing of a batch stands, in which nothing is sold

	Owed      int `json:"owed"`       // transactions that a machine will settle
	Suspense  int `json:"suspense"`   // transactions that need people
	PaperOwed int `json:"paper_owed"` // transactions with a slip still due, and settlement reports

	Alarms  []Alarm      `json:"alarms,omitempty"`  // what the guards have met
	Printer *PrinterView `json:"printer,omitempty"` // as it was met last; absent before the first slip

	Held string `json:"held,omitempty"` // why nothing is sent: an opened case, or a failing power

	Orders     []OrderStatus   `json:"orders,omitempty"`     // what the acquirer's answers have ordered since the start
	Parameters *DownloadStatus `json:"parameters,omitempty"` // the set in force, if one was downloaded
	Blocklist  *DownloadStatus `json:"blocklist,omitempty"`
	Chips      []ChipStatus    `json:"chips,omitempty"` // what was downloaded for chip cards, and is kept

	Installed    string `json:"installed,omitempty"` // whether the card reader holds it: InstallWaits, InstallDone or InstallLeft
	InstallFault string `json:"install_fault,omitempty"`

	StoreFault string `json:"store_fault,omitempty"` // what is wrong with the disk, and what to do
	Stale      bool   `json:"stale,omitempty"`       // the figures are those from before the fault
}

// DownloadStatus is what was downloaded last, and is in force.
type DownloadStatus struct {
	Origin
	Entries int `json:"entries"`
	Idle    int `json:"idle,omitempty"` // of a blocklist: entries that no card can meet, because the card reader shows masks alone
}

// ChipStatus is one set.
type ChipStatus struct {
	DownloadStatus
	What    string   `json:"what"`
	Expired []string `json:"expired,omitempty"` // names of what was left out
}

// States of what was downloaded for chip cards.
const (
	InstallWaits = "waiting"
	InstallDone  = "done"
	InstallLeft  = "left" // the reader cannot, and people must look
)

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
	Platform  string        `json:"platform,omitempty"` // whose payment code it was; card then is the code, masked
	Entry     txn.Entry     `json:"entry"`
	Code      string        `json:"code,omitempty"`
	RRN       string        `json:"rrn,omitempty"`
	AuthCode  string        `json:"auth_code,omitempty"`
	HostDate  string        `json:"host_date,omitempty"` // of the acquirer, MMDD: with rrn or auth_code what names it later
	Reason    txn.Reason    `json:"reversal_reason,omitempty"`
	Reversal  string        `json:"reversal_code,omitempty"`
	Tries     int           `json:"reversal_tries,omitempty"`
	Bearer    string        `json:"bearer,omitempty"`
	Written   int           `json:"bytes_written,omitempty"`
	Total     int           `json:"bytes_total,omitempty"`
	Address   int           `json:"address,omitempty"`            // which of the acquirer's addresses got it: 1 the primary
	Handed    int           `json:"bytes_handed,omitempty"`       // without an answer: what the line was given for it, TLS included
	Acked     int           `json:"bytes_acknowledged,omitempty"` // and what of that the far end has acknowledged
	Merchant  txn.Slip      `json:"merchant_slip,omitempty"`
	Customer  txn.Slip      `json:"customer_slip,omitempty"`
	Original  *Original     `json:"original,omitempty"`   // what it undoes or follows
	Approver  string        `json:"supervisor,omitempty"` // who allowed it
	Left      string        `json:"left,omitempty"`       // of a charge with something in undone_by: what certainly was not given back
	UndoneBy  []Undo        `json:"undone_by,omitempty"`  // what undid this, or used it up, or may have; in list and show
	Resolved  *Resolution   `json:"resolved,omitempty"`   // how people closed it
	Began     Moment        `json:"began"`
	Boot      uint32        `json:"boot"`
	Journal   []Entry       `json:"journal"`
}

// Original names the transaction that another undoes or follows.
type Original struct {
	ID    uint64 `json:"id,omitempty"`
	Batch string `json:"batch,omitempty"`
	STAN  string `json:"stan,omitempty"`
	RRN   string `json:"rrn,omitempty"`
	Auth  string `json:"auth_code,omitempty"`
	Date  string `json:"date,omitempty"` // MMDD
}

// HostTry is what one way to the acquirer took, part by part.
type HostTry struct {
	Bearer  string     `json:"bearer"`
	Address int        `json:"address,omitempty"` // 1 the primary, 2 the secondary
	To      string     `json:"to"`
	Parts   []HostPart `json:"parts"`
	Error   string     `json:"error,omitempty"`
}

// HostPart is one part: resolved, opened, attached, reached, secured, connected or exchange. Connected is the sum of those
// before it.
type HostPart struct {
	Name         string  `json:"name"`
	Milliseconds float64 `json:"ms"`
}

// Undo is a transaction that took money back, or used up a pre-authorisation, or may have.
type Undo struct {
	ID     uint64    `json:"id"`
	Kind   txn.Kind  `json:"kind"`
	State  txn.State `json:"state"`
	STAN   string    `json:"stan"`
	Amount string    `json:"amount"`
}

// Resolution is how people closed what no machine could prove.
type Resolution struct {
	Charged  bool   `json:"charged"`
	Evidence string `json:"evidence"`
	By       string `json:"by"`
	With     string `json:"with"`
}

// Entry is one journal line.
type Entry struct {
	At    Moment `json:"at"`
	Boot  uint32 `json:"boot"`
	Event string `json:"event"`
}

// Moment is a time as RFC 3339 writes it. It is text because each stage of a transaction is told with its whole journal, and
// encoding/json writes and reads a time.Time twice.
type Moment string

func momentOf(t time.Time) Moment { return Moment(t.Format(time.RFC3339Nano)) }

// Time is the zero time of what is no moment.
func (m Moment) Time() time.Time {
	t, _ := time.Parse(time.RFC3339Nano, string(m))
	return t
}
