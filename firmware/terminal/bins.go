package terminal

import (
	"errors"
	"fmt"

	"posagent/txnstore/txn"
)

// The refusals of a card by what it is. None of them began a transaction.
var (
	ErrBin       = errors.New("cards of this kind are not charged here; ask for another card")
	ErrBinOnline = errors.New("a card of this kind is charged only with the acquirer's own approval; make a sale over the line")
)

// BinRule is what is done with cards whose numbers lie in a range.
type BinRule string

// Rules of a range.
const (
	BinAccept BinRule = "accept"
	BinRefuse BinRule = "refuse"
	BinOnline BinRule = "online" // nothing that the acquirer is only told of afterwards
)

// BinRange is a range of beginnings of card numbers (ISO/IEC 7812), From and To of the same length, both included.
type BinRange struct {
	From, To  string
	Rule      BinRule
	MaxCharge txn.Amount // a charge of more is not begun; 0 sets no limit
}

// maxBin bounds a range's digits: more would be cards, and their numbers do not belong into a configuration.
const maxBin = 10

// Check refuses a range that means nothing.
func (r BinRange) Check() error {
	digits := func(s string) bool {
		for _, c := range s {
			if c < '0' || c > '9' {
				return false
			}
		}
		return len(s) >= 1 && len(s) <= maxBin
	}
	switch {
	case !digits(r.From):
		return fmt.Errorf("from: want 1 to %d digits, the beginning of card numbers", maxBin)
	case !digits(r.To) || len(r.To) != len(r.From):
		return errors.New("to: want as many digits as from has")
	case r.To < r.From:
		return errors.New("to: is below from")
	case r.Rule != BinAccept && r.Rule != BinRefuse && r.Rule != BinOnline:
		return fmt.Errorf("rule: %q is not known; use accept, refuse or online", r.Rule)
	case r.MaxCharge < 0 || r.Rule == BinRefuse && r.MaxCharge != 0:
		return errors.New("max_charge: has no meaning for cards that are refused")
	}
	return nil
}

// Meets reports whether some card number lies in both ranges.
func (r BinRange) Meets(o BinRange) bool {
	n := min(len(r.From), len(o.From))
	return r.From[:n] <= o.To[:n] && o.From[:n] <= r.To[:n]
}

// Contradicts reports whether one card would be treated in two ways.
func (r BinRange) Contradicts(o BinRange) bool {
	return r.Meets(o) && (r.Rule != o.Rule || r.MaxCharge != o.MaxCharge)
}

// admitted holds a card against the ranges. Money may always go back.
func (t *Terminal) admitted(kind txn.Kind, amount txn.Amount, pan txn.PAN) error {
	if kind.TakesBack() {
		return nil
	}
	rule, most := t.o.OtherBins, txn.Amount(0)
	for _, r := range t.o.Bins {
		if pan.Between(r.From, r.To) {
			rule, most = r.Rule, r.MaxCharge
			break
		}
	}
	switch {
	case rule == BinRefuse:
		return ErrBin
	case rule == BinOnline && kind.Final():
		return ErrBinOnline
	case most > 0 && amount > most:
		return fmt.Errorf("%w: at most %s at once for a card of this kind", ErrLimit, t.o.Currency.Format(most))
	}
	return nil
}

// mayCharge asks what only the card can answer, before anything is sent.
func (t *Terminal) mayCharge(kind txn.Kind, amount txn.Amount, pan txn.PAN) error {
	if err := t.admitted(kind, amount, pan); err != nil {
		return err
	}
	return t.withinCardDay(kind, amount, pan)
}
