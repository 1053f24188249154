package receipt

import (
	"time"

	"posagent/txnstore/txn"
)

// clockTrusted is the first year in which a terminal of this program can have been switched on. A clock that shows
// less has lost its battery (it boots in 1970), and a slip then omits the year rather than print a wrong one.
const clockTrusted = 2024

// moment is the date and time of a transaction for the slip: the acquirer's (fields 13 and 12) when both are known and
// make sense, else the record's own stamp.
func moment(t txn.Txn, zone *time.Location) string {
	began := t.Began
	if zone != nil {
		began = began.In(zone)
	}
	host, err := time.Parse("0102150405", t.Answer.HostDate+t.Answer.HostTime)
	if err != nil {
		return stamp(began)
	}
	return stamp(inNearestYear(host, began))
}

// inNearestYear gives host, which has no year, the year that brings it closest to the record's stamp: around New Year the
// acquirer's day and the terminal's may lie in different years.
func inNearestYear(host, near time.Time) time.Time {
	var best time.Time
	for year := near.Year() - 1; year <= near.Year()+1; year++ {
		candidate := time.Date(year, host.Month(), host.Day(), host.Hour(), host.Minute(), host.Second(), 0, near.Location())
		if candidate.Day() != host.Day() {
			continue // 29 February in a common year
		}
		if best.IsZero() || candidate.Sub(near).Abs() < best.Sub(near).Abs() {
			best = candidate
		}
	}
	if best.IsZero() {
		return near
	}
	return best
}

func stamp(at time.Time) string {
	if at.Year() < clockTrusted {
		return at.Format("01/02 15:04:05")
	}
	return at.Format("2006/01/02 15:04:05")
}
