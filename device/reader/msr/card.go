package msr

import (
	"bytes"
	"errors"
	"fmt"

	"posagent/device/reader"
	"posagent/txnstore/txn"
)

// ErrBadSwipe is a swipe that cannot be used. Every one is reader.ErrCardUnread too.
var ErrBadSwipe = errors.New("the swipe could not be read")

// badSwipe says what is wrong with a swipe, and never what was on the stripe.
type badSwipe struct{ why error }

func (b badSwipe) Error() string {
	return ErrBadSwipe.Error() + ": swipe the card again (" + b.why.Error() + ")"
}
func (b badSwipe) Unwrap() []error { return []error{ErrBadSwipe, reader.ErrCardUnread, b.why} }

func bad(format string, args ...any) error { return badSwipe{fmt.Errorf(format, args...)} }

// card judges a whole swipe.
func (s *swipe) card(o Opts) (txn.Presented, error) {
	if s.twice {
		return txn.Presented{}, bad("two swipes ran into each other")
	}
	text, err := s.read(1)
	if err != nil {
		return txn.Presented{}, bad("track 2 %w", err)
	}
	two, err := txn.ParseTrack(string(text))
	if err != nil {
		return txn.Presented{}, bad("%w", err)
	}
	pan, expiry, err := two.Card()
	if err != nil {
		return txn.Presented{}, bad("%w", err)
	}
	if err := checkDates(text, expiry); err != nil {
		return txn.Presented{}, err
	}
	if !o.NoCheckDigit && !CheckDigit(pan.DigitsInTheClear()) {
		return txn.Presented{}, bad("the number's check digit is wrong")
	}
	if one, err := s.read(0); err == nil && !agrees(one, pan, expiry) {
		return txn.Presented{}, bad("tracks 1 and 2 name different cards")
	}
	if o.RefuseChip && hasChip(text) {
		return txn.Presented{}, fmt.Errorf("%w: it has a chip, which must be used: insert or tap it", reader.ErrCardRefused)
	}
	return txn.Presented{Card: txn.Card{PAN: pan, Expiry: expiry, Entry: txn.Swiped}, Track: two}, nil
}

// checkDates wants the date and service code that follow the separator (ISO/IEC 7813): YYMM and three digits. A card
// whose expiry date stands elsewhere has a second separator here, which txn.ParseTrack has refused.
func checkDates(two []byte, expiry string) error {
	if expiry[2:] < "01" || expiry[2:] > "12" {
		return bad("the expiry date is not a date")
	}
	if serviceCode(two) == "" {
		return bad("there is no service code")
	}
	return nil
}

// serviceCode is the three digits behind the expiry date, or nothing.
func serviceCode(two []byte) string {
	if _, rest, found := bytes.Cut(two, []byte{separator2}); found && len(rest) >= 7 {
		return string(rest[4:7])
	}
	return ""
}

// hasChip reads the first digit of the service code: 2 and 6 say that the card has a chip and wants it used.
func hasChip(two []byte) bool {
	code := serviceCode(two)
	return code != "" && (code[0] == '2' || code[0] == '6')
}

// agrees compares a bank card's track 1, format B, with what track 2 says. Another format has no number to compare.
func agrees(one []byte, pan txn.PAN, expiry string) bool {
	if one[0] != formatBank {
		return true
	}
	number, rest, _ := bytes.Cut(one[1:], []byte{separator1})
	other, err := txn.ParsePAN(string(bytes.ReplaceAll(number, []byte{' '}, nil)))
	if err != nil || !other.Equal(pan) {
		return false
	}
	_, rest, found := bytes.Cut(rest, []byte{separator1})
	return found && len(rest) >= 4 && string(rest[:4]) == expiry
}
