package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"posagent/txnstore/txn"
)

// Authority is an authorisation that was given otherwise than by the acquirer's answer.
type Authority struct {
	Code string // one to six letters and digits
	Mode string // two digits; by telephone when empty
	Unit string // up to eleven digits, where the acquirer wants to know who gave it
}

// ErrAuthority refuses an offline sale whose authorisation could not be told to the acquirer.
var ErrAuthority = errors.New("the authorisation cannot be told to the acquirer so")

// ErrMasked refuses an offline sale where the card reader keeps numbers to itself: the acquirer is told of one by its number alone.
var ErrMasked = errors.New("the card reader gives no whole card numbers, and an offline sale is told by its number; make a sale over the line")

func (a Authority) check() error {
	ascii := strings.IndexFunc(a.Code, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }) < 0
	digits := strings.Trim(a.Mode+a.Unit, "0123456789") == ""
	switch {
	case a.Code == "" || len(a.Code) > 6 || !ascii:
		return fmt.Errorf("%w: the code has one to six letters and digits", ErrAuthority)
	case a.Mode != "" && len(a.Mode) != 2 || a.Unit != "" && len(a.Unit) != txn.MaxUnit || !digits:
		return fmt.Errorf("%w: the mode has two digits, as 01 for telephone, and the authoriser's number %d or none", ErrAuthority, txn.MaxUnit)
	}
	return nil
}

// OfflineSale charges one card on an authorisation that was given otherwise, by telephone. It is done at the counter once it
// is recorded, needs no line, and is told to the acquirer until that has answered, before any settlement; nobody reverses it.
// What it returns is as for Sale.
//
//	advising ─► slip ─► told ─┬─ approved, or 94 to a copy ──────────► approved
//	                          ├─ refused, and no slip was given out ─► declined
//	                          ├─ refused after that, tries spent ────► suspense
//	                          └─ anything else, or no line ──────────► told again
func (t *Terminal) OfflineSale(ctx context.Context, o Order) (txn.Txn, error) {
	if !o.Amount.Valid() {
		return txn.Txn{}, fmt.Errorf("%w: %d minor units", txn.ErrAmount, o.Amount)
	}
	if err := o.Authority.check(); err != nil {
		return txn.Txn{}, err
	}
	if t.o.Masked {
		return txn.Txn{}, ErrMasked
	}
	given := txn.Original{AuthCode: o.Authority.Code, Mode: cmp.Or(o.Authority.Mode, txn.ByTelephone), Unit: o.Authority.Unit}
	return t.perform(ctx, o, deed{
		kind: txn.OfflineSale,
		same: func(earlier txn.Txn) (bool, error) {
			return earlier.Amount == o.Amount && earlier.Original == given, nil
		},
		draft:    func() (txn.Draft, error) { return txn.Draft{Amount: o.Amount, Original: given}, t.roomInBatch() },
		judge:    func(_ *txn.Draft, c txn.Card) error { return t.questionLookalike(txn.OfflineSale, o, c.PAN) },
		exchange: (*Terminal).queue,
	})
}
