package txn

import "errors"

// ErrCardRemoved means that a chip card left the slot before it had said what it thinks of the acquirer's answer.
var ErrCardRemoved = errors.New("the card was taken out too early")

// MaxKeptChip is how much chip data a record has room for, in bytes.
const MaxKeptChip = 64

// Confirmation is what a chip card made of the acquirer's answer: the second cryptogram (EMV Book 3, 10.11). Where Agreed is
// false the card has declined what the acquirer approved, and the acquirer must be told.
type Confirmation struct {
	Agreed      bool
	Signed      Chip   // what the card agreed to, for a slip and for later proof: 9F26 9F27 95 9F36 9F10; at most MaxKeptChip
	Certificate Chip   // the rest of what it certified: 9F37 9A 82 9F33 9F34
	Reversal    Chip   // what a reversal says of the card: 95 9F1E 9F10 9F36 DF31; at most MaxKeptChip
	Scripts     string // results of the issuer's scripts in hex, at most 20 digits; empty where none ran
}

// Confirmed reports whether a chip card has the last word on k. It has where money is charged or held on its cryptogram. What
// undoes or follows another transaction takes only the card's data, and does not wait for it.
func (k Kind) Confirmed() bool { return k == Sale || k == PreAuth }
