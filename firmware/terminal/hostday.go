package terminal

import (
	"time"

	"posagent/txnstore/txn"
)

// dayChanged reports whether the acquirer's business day may have changed between a request and the answer to its reversal. A
// request that was answered has the acquirer's date. Of any other the terminal's clock gives two: its own, which may be wrong by
// hours, or by the minute that matters at midnight, and how long before the acquirer's present time the request was begun, which
// misses a day that ends before midnight. Both must be today's. A clock that was set back meanwhile gives the first one only.
func dayChanged(x txn.Txn, a txn.Answer, now time.Time) bool {
	sold, today := x.Answer.HostDate, a.HostDate
	if today == "" {
		today = x.Tries.Last.Local().Format("0102")
	}
	if sold != "" {
		return sold != today
	}
	ago := now.Sub(x.Began)
	if there, err := time.Parse("0102150405", today+a.HostTime); err == nil && ago >= 0 && there.Add(-ago).Format("0102") != today {
		return true
	}
	return x.Began.Local().Format("0102") != today
}
