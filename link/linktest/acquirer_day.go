package linktest

import "time"

// nowLocked is the host's clock. It runs ahead of the real one by the business days that were called for: the books know
// only the date, and a day that has changed makes yesterday's transactions strangers to a reversal.
func (a *Acquirer) nowLocked() time.Time { return a.o.Now().AddDate(0, 0, a.books.Days) }

// NextDay changes the business day, as the cut-over of a switch does. It returns the new date, MMDD.
func (a *Acquirer) NextDay() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.books.Days++
	a.keepLocked("")
	return a.nowLocked().Format("0102"), a.broken
}
