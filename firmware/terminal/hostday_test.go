package terminal

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"posagent/txnstore/txn"
)

// An answer 25 counts on the acquirer's own day only, whatever the terminal's clock shows.
func TestTheDayIsTheAcquirers(t *testing.T) {
	clock := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, time.Local) }
	for name, c := range map[string]struct {
		answered   string    // date of the request's own answer
		began, now time.Time // by the terminal
		date, time string    // of the reversal's answer
		changed    bool
	}{
		"the same day":                             {"", clock(23, 12, 0), clock(23, 12, 5), "1123", "120500", false},
		"midnight in between":                      {"", clock(23, 23, 58), clock(24, 0, 3), "1124", "000300", true},
		"a fast clock hides it":                    {"", clock(24, 3, 28), clock(24, 3, 30), "1124", "000001", true},
		"a slow clock hides it":                    {"", clock(23, 22, 0), clock(23, 22, 10), "1124", "000500", true},
		"a fast clock sees another":                {"", clock(23, 23, 58), clock(24, 0, 3), "1123", "203000", true},
		"a clock that was set back":                {"", clock(23, 12, 0), clock(23, 11, 0), "1123", "120500", false},
		"a clock that was set back, days later":    {"", clock(23, 12, 0), clock(23, 11, 0), "1125", "120500", true},
		"new year":                                 {"", clock(23, 12, 0), clock(23, 12, 2), "0101", "000100", true},
		"answered that day":                        {"1123", clock(24, 3, 28), clock(24, 3, 30), "1123", "235900", false},
		"answered the day before":                  {"1123", clock(24, 3, 28), clock(24, 3, 30), "1124", "000100", true},
		"the acquirer gives no time, and the same": {"", clock(23, 12, 0), clock(23, 12, 5), "1123", "", false},
		"a business day that ends before midnight": {"", clock(23, 22, 58), clock(23, 23, 2), "1124", "230200", true},
		"the same, and a clock that is a day fast": {"", clock(24, 15, 11), clock(24, 15, 12), "1124", "091200", true},
		"a day fast, and put right meanwhile":      {"", clock(24, 15, 11), clock(23, 9, 12), "1124", "091200", true},
		"a clock a little fast":                    {"", clock(23, 12, 0), clock(23, 12, 5), "1123", "114500", false},
		"neither date nor time":                    {"", clock(23, 23, 58), clock(24, 0, 3), "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			x := txn.Txn{Began: c.began, Answer: txn.Answer{HostDate: c.answered}}
			x.Tries.Last = c.now
			assert.Equal(t, c.changed, dayChanged(x, txn.Answer{Code: notFound, HostDate: c.date, HostTime: c.time}, c.now))
		})
	}
}
