package linktest

import (
	"fmt"
	"slices"
	"strings"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// Tracks that a card reader has enciphered (ID TECH 80000502-001): a swipe as text, sentinels and check character included; a
// chip's or a tapped stripe's as the whole object, tag and length included; both filled up with zeros. No number comes beside
// them, and none at all where a message tells of something earlier: the host finds the account by what it calls that.

// unread is the track of a card that nobody has: what the host makes of ciphertext in which there is no track.
const unread = "0000000000000000=0000000"

// readSealed puts track 2 into inner, and number and expiry date where the books want them beside it.
func (a *Acquirer) readSealed(inner *iso8583.Message, b []byte) {
	text := unread
	if two, found := trackIn(b); found {
		if _, err := txn.ParseTrack(two); err == nil {
			text = two
		}
	}
	inner.Set(35, text)
	if way := inner.Get(22); strings.HasPrefix(way, "05") || strings.HasPrefix(way, "07") {
		number, rest, _ := strings.Cut(text, "=")
		inner.Set(2, number)
		inner.Set(14, fmt.Sprintf("%.4s", rest))
	}
}

// trackIn finds track 2 in what was deciphered.
func trackIn(b []byte) (text string, found bool) {
	object := func(tag string) (string, bool) {
		value, is := strings.CutPrefix(string(b), tag)
		if !is || value == "" || int(value[0]) > len(value)-1 || strings.Trim(value[1+value[0]:], "\x00") != "" {
			return "", false
		}
		return value[1 : 1+value[0]], true
	}
	if packed, is := object("\x57"); is {
		return strings.Replace(strings.TrimRight(fmt.Sprintf("%X", packed), "F"), "D", "=", 1), true
	}
	if text, is := object("\xDF\xEF\x18"); is {
		return text, true
	}
	inside, is := strings.CutPrefix(strings.TrimRight(string(b), "\x00"), ";")
	text, check, ended := strings.Cut(inside, "?")
	return text, is && ended && len(check) == 1
}

// nameCardLocked puts number and expiry date into a reversal or an advice, whose account is that of the transaction itself, or of
// the one that it names.
func (a *Acquirer) nameCardLocked(inner *iso8583.Message) {
	if inner.MTI() != mtiReversal && inner.MTI() != mtiAdvice || scanned(inner) {
		return
	}
	facts := a.heard.facts
	number, expiry := a.accountLocked(inner.Get(41), func(r Row) bool {
		switch stan := fmt.Sprintf("%06d", r.STAN); {
		case inner.MTI() == mtiReversal:
			return stan == inner.Get(11)
		case facts["of.reference"] != "":
			return r.RRN == facts["of.reference"]
		case facts["of.auth"] != "":
			return r.Auth == facts["of.auth"]
		default:
			return stan == facts["of.stan"]
		}
	})
	inner.Set(2, number)
	inner.Set(14, expiry)
}

// accountLocked is the number and the expiry date of the account that the newest such row is about. Without one it is nobody's.
func (a *Acquirer) accountLocked(terminal string, about func(Row) bool) (number, expiry string) {
	for _, row := range slices.Backward(a.books.Terminals[terminal].Rows) {
		if account, known := a.o.Accounts[row.Account]; known && about(row) {
			return account.PAN.DigitsInTheClear(), account.Expiry
		}
	}
	return "000000000000", "0000"
}
