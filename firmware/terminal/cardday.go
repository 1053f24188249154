package terminal

import (
	"errors"
	"fmt"

	"posagent/txnstore/txn"
)

// ErrCardLimit refuses a card that was charged enough for one day. No transaction was begun.
var ErrCardLimit = errors.New("this card was charged here today as often or as much as this terminal may")

// withinCardDay holds a charge against what one card may be charged here in a day. It is counted from the records, which no
// power cut loses, and its cost follows the day's trade. What was reversed, declined, not sent or voided since does not count; what nobody can
// prove does. What ends a pre-authorisation was counted when that was made.
func (t *Terminal) withinCardDay(kind txn.Kind, amount txn.Amount, pan txn.PAN) error {
	if t.o.MaxCardDay == 0 && t.o.MaxCardCount == 0 || kind.Uses() || !kind.Charges() && kind != txn.PreAuth {
		return nil
	}
	sum, count := txn.Amount(0), 0
	undone := map[txn.ID]bool{}
	all, err := t.today(func(x txn.Txn) {
		switch {
		case !x.Card.PAN.MayBe(pan): // a record that has a mask alone may be this card's, and then counts
		case x.State == txn.Approved && (x.Kind == txn.Void || x.Kind == txn.PreAuthCancel):
			undone[x.Original.ID] = true // newer than what it undoes, so it is met first
		case (x.Kind == txn.Sale || x.Kind == txn.OfflineSale || x.Kind == txn.PreAuth) && x.MayHold() && !undone[x.ID]:
			sum += x.Amount
			count++
		}
	})
	switch {
	case err != nil:
		return err
	case !all:
		return fmt.Errorf("%w: the day has more than %d transactions, and not all were counted", ErrCardLimit, mostInDay)
	case t.o.MaxCardCount > 0 && count >= t.o.MaxCardCount:
		return fmt.Errorf("%w: %d times today, and at most %d", ErrCardLimit, count, t.o.MaxCardCount)
	case t.o.MaxCardDay > 0 && sum+amount > t.o.MaxCardDay:
		return fmt.Errorf("%w: %s today, and at most %s", ErrCardLimit, t.o.Currency.Format(sum), t.o.Currency.Format(t.o.MaxCardDay))
	}
	return nil
}

// today visits the records of the day, newest first, and reports whether that is all of them. A day is that of the terminal's
// clock, and what lies after it belongs to it as well: a clock that was set back frees nothing.
func (t *Terminal) today(visit func(txn.Txn)) (all bool, err error) {
	now := t.o.Now()
	year, month, day := now.Date()
	seen := 0
	for n := 64; ; n *= 4 {
		newest, err := t.store.List(n)
		if err != nil {
			return false, err
		}
		for _, x := range newest[min(seen, len(newest)):] {
			began := x.Began.In(now.Location())
			if y, m, d := began.Date(); began.Before(now) && (y != year || m != month || d != day) {
				return true, nil
			}
			visit(x)
		}
		if seen = len(newest); seen < n {
			return true, nil
		}
		if n >= mostInDay {
			return false, nil
		}
	}
}
