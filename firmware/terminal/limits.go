package terminal

import (
	"errors"
	"fmt"

	"posagent/txnstore/txn"
)

// The refusals of the merchant's own guards. None of them began a transaction.
var (
	ErrLimit   = errors.New("more than this terminal may charge")
	ErrBlocked = errors.New("this card is blocked at this terminal; call the acquirer")
)

// withinLimits holds a charge against what the terminal may charge at once and in a day. What was reversed, declined or not
// sent does not count; what nobody can prove does. A day is that of the terminal's clock, and what lies after it counts as well:
// a clock that was set back frees nothing.
func (t *Terminal) withinLimits(kind txn.Kind, amount txn.Amount) error {
	if !kind.Charges() && kind != txn.PreAuth {
		return nil
	}
	if t.o.MaxCharge > 0 && amount > t.o.MaxCharge {
		return fmt.Errorf("%w: at most %s at once", ErrLimit, t.o.Currency.Format(t.o.MaxCharge))
	}
	if t.o.MaxDay == 0 {
		return nil
	}
	sum, err := t.chargedToday()
	if err == nil && sum+amount > t.o.MaxDay {
		err = fmt.Errorf("%w: %s today, and %s are charged or held", ErrLimit, t.o.Currency.Format(t.o.MaxDay), t.o.Currency.Format(sum))
	}
	return err
}

// mostInDay bounds how far a day is looked back; a terminal that has made more in a day is over any limit.
const mostInDay = 4096

// chargedToday adds the day up. Only a terminal with a limit for the day pays for it.
func (t *Terminal) chargedToday() (sum txn.Amount, err error) {
	all, err := t.today(func(x txn.Txn) {
		if (x.Kind.Charges() || x.Kind == txn.PreAuth) && x.MayHold() {
			sum += x.Amount
		}
	})
	if err == nil && !all {
		sum = txn.MaxAmount
	}
	return sum, err
}

// unblocked refuses a card on the list of blocked ones. Where the list cannot be read nothing is charged.
func (t *Terminal) unblocked(kind txn.Kind, pan txn.PAN) error {
	if t.o.Blocked == nil || kind.TakesBack() {
		return nil
	}
	blocked, err := t.o.Blocked(pan)
	switch {
	case err != nil:
		return fmt.Errorf("the list of blocked cards cannot be asked, so nothing is charged: %w", err)
	case blocked:
		return ErrBlocked
	}
	return nil
}
