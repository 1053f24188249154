package scenario

import (
	"posagent/txnstore/txn"
)

// Books are both sides of the counter and the paper between them, as plain data: what the judge judges.
type Books struct {
	Here     []Sale         // the terminal's records, oldest first
	There    []Row          // the acquirer's rows for this terminal, oldest first
	Accounts []Account      // of the cardholders
	Batches  []Batch        // totals on both sides, where both keep them
	Closings []Closing      // of batches, as the terminal has them; nil of a bench that shows none
	Settled  []Settled      // the same, as the acquirer has them
	Open     uint32         // the terminal's open batch, 0 where that is not known
	OpenAt   uint32         // the acquirer's
	Slips    []Slip         // in the order in which they left the printer
	Seen     map[string]int // messages that the acquirer has read, by type
	Cards    []Word         // what chip cards have said of an acquirer's answer; nil of a bench whose cards do not tell
	Tries    int            // of a reversal, before people must look; 0 where that is not known
	Leaks    []string       // card data and keys found where they must not be, in words
	Misdeeds []string       // what the terminal was seen to do and may never do, in words
}

// Voucher is how both sides find a transaction.
type Voucher struct{ Batch, STAN uint32 }

// Sale is one transaction in the terminal's books: a sale, or one of the other kinds.
type Sale struct {
	Batch, STAN        uint32
	Kind               txn.Kind // empty is a sale
	Of                 Voucher  // what it undoes or follows; the zero Voucher where these books do not hold that
	Reference          string
	Amount             txn.Amount
	State              txn.State
	Charged            bool   // closed as what the acquirer has booked
	Code               string // the acquirer's answer
	Reason             txn.Reason
	Reversal           string // the last answer to a reversal, or to the copy of what is told
	Tries              int    // of those, as counted
	Bearer             string
	Entry              txn.Entry
	Card               string // its number, masked
	Merchant, Customer txn.Slip
	Journal            []string
}

// Word is the last word of a chip card that was in the slot: whether it completed the transaction that it was asked to confirm.
type Word struct {
	Card   string // its number, masked
	Amount txn.Amount
	Agreed bool
}

// Standing is what the acquirer's books say of a transaction.
type Standing string

const (
	Unseen   Standing = "nothing"  // it stands nowhere in them
	Held     Standing = "held"     // the money is held for the merchant
	Reversed Standing = "reversed" // it was, and was given back
	Voided   Standing = "voided"   // a sale whose void stands
	Refunded Standing = "refunded" // a sale that refunds have given back wholly
	Given    Standing = "given"    // a void or a refund that stands: its money went back to the card
	Refused  Standing = "declined" // it never was
	Absent   Standing = "absent"   // a reversal came for a request that had not come

	Completed Standing = "completed" // a pre-authorisation that was charged
	Cancelled Standing = "cancelled" // a pre-authorisation that was let go
	Lapsed    Standing = "lapsed"    // one that came back into force and found the account empty
	Done      Standing = "done"      // the cancellation of a pre-authorisation that stands
)

// Row is one transaction in the acquirer's books.
type Row struct {
	Batch, STAN uint32
	Kind        txn.Kind   // empty is a sale
	Of          Voucher    // what it undoes or follows
	Amount      txn.Amount // asked for
	Held        txn.Amount // held for the merchant now, or, of a pre-authorisation, on the card
	Back        txn.Amount // given back: of a sale by its void and refunds, of those what they gave
	Standing    Standing
	Reversals   int // requests to reverse it
	Account     string
	Paid        string // names the payment code that it was paid with, if it was
}

// Account is one cardholder's account, in minor units. No money is made or lost while Opening is Balance plus Held, and
// Held is what the rows say.
type Account struct {
	Name                   string
	Opening, Balance, Held txn.Amount
}

// Batch is what one side of one batch comes to in both sides' books.
type Batch struct {
	Number      uint32
	Credit      bool // what gave money back; else what charged, whatever was given back of it since
	Here, There Sum
}

// Sum is a number of transactions and what they come to.
type Sum struct {
	Count  int
	Amount txn.Amount
}

// Closing is the settlement of a batch as the terminal has it.
type Closing struct {
	Batch     uint32
	Step      txn.Step
	Own, Host txn.Totals
	Agrees    bool      // the acquirer's verdict, once it has given one
	Explains  []Voucher // in doubt here, and together the difference exactly
	Doubts    []Voucher // in doubt besides
	Told      int       // records that the acquirer has acknowledged
	Refused   int       // records that it has not taken
	Report    txn.Slip
}

// Settled is the settlement of a batch as the acquirer has it.
type Settled struct {
	Batch     uint32
	Own, Said txn.Totals // of its books, when it was asked last, and of the terminal
	Equal     bool
	Details   []Detail // records, in the order in which they came first
	Ended     bool
	Told      int // records, by the end message
}

// Detail is one record that the terminal told after the totals had differed.
type Detail struct {
	STAN   uint32
	Amount txn.Amount
	Match  bool // the acquirer has it so
}
