package terminal

import (
	"time"

	"posagent/txnstore/txn"
)

// So far the terminal's clock may be from the acquirer's, and have been set back, for its dates to prove anything.
const clockTrusted = 2 * time.Hour

// dayChanged reports whether the acquirer's business day may have changed between a request and the answer to its reversal. A
// request that was answered has the acquirer's date. Of any other the terminal's clock gives two: its own, which may be wrong by
// hours, or by the minute that matters at midnight, and how long before the acquirer's present time the request was begun, which
// misses a day that ends before midnight. Both must be today's, and the clock must agree with the acquirer's within two hours, now and
// before it was set back. What that cannot show is a clock that is a whole day wrong while the acquirer's day ends before midnight.
func dayChanged(x txn.Txn, a txn.Answer, now time.Time) bool {
	sold, today := x.Answer.HostDate, a.HostDate
	if today == "" {
		today = x.Tries.Last.Local().Format(monthDay)
	}
	if sold != "" {
		return sold != today
	}
	ago := now.Sub(x.Began)
	if there, err := time.Parse(monthDay+timeOfDay, today+a.HostTime); err == nil {
		here, _ := time.Parse(monthDay+timeOfDay, now.Local().Format(monthDay+timeOfDay)) // its own format
		if ago < -clockTrusted || here.Sub(there).Abs() > clockTrusted || there.Add(-ago).Format(monthDay) != today {
			return true
		}
	}
	return x.Began.Local().Format(monthDay) != today
}

const (
	monthDay  = "0102"
	timeOfDay = "150405"
)
