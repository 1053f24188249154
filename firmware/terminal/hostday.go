package terminal

import (
	"time"

	"posagent/txnstore/txn"
)

// dayChanged reports whether the acquirer's business day may have changed between a request and the answer to its reversal. Only
// the acquirer's dates count: the terminal's clock may be wrong by hours, or by the minute that matters at midnight. A request
// that was answered has one. Of any other the terminal's clock says how long ago it was begun, and the acquirer what time it is;
// a clock that was set back meanwhile, or an acquirer that gives no time, leaves nothing but the dates as they stand.
func dayChanged(x txn.Txn, a txn.Answer, now time.Time) bool {
	sold, today := x.Answer.HostDate, a.HostDate
	ago := now.Sub(x.Began)
	if there, err := time.Parse("0102150405", today+a.HostTime); err == nil && sold == "" && ago >= 0 {
		return there.Add(-ago).Format("0102") != today
	}
	if sold == "" {
		sold = x.Began.Local().Format("0102")
	}
	if today == "" {
		today = x.Tries.Last.Local().Format("0102")
	}
	return sold != today
}
