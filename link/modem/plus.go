package modem

import (
	"bytes"
	"time"
)

// lonePlus keeps payload from being taken for the escape sequence: three plus signs and nothing else between two guard
// times. Its owner is the call's writer.
type lonePlus struct {
	guard time.Duration
	run   int       // plus signs since the last silence, or -1 when something else was sent since
	sent  time.Time // the last byte
}

// completes reports whether p would make the third lone plus sign. The last byte of p must then wait for a guard time:
// characters that far apart are no escape sequence (Hayes Technical Reference, S12).
func (l *lonePlus) completes(p []byte, now time.Time) bool {
	if now.Sub(l.sent) >= l.guard-l.guard/10 {
		l.run = 0
	}
	return l.run >= 0 && l.run+len(p) == len(escape) && len(bytes.Trim(p, "+")) == 0
}

func (l *lonePlus) wrote(p []byte, now time.Time) {
	if len(p) == 0 {
		return
	}
	l.sent = now
	if l.run < 0 || len(bytes.Trim(p, "+")) > 0 || l.run+len(p) > len(escape) {
		l.run = -1
		return
	}
	l.run += len(p)
}
