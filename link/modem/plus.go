package modem

import (
	"bytes"
	"time"
)

// lonePlus keeps payload from being taken for the escape sequence: a guard time, three plus signs less than a guard time
// apart, a guard time. Modem and terminal do not measure a silence alike, so one of about a guard time may be either,
// and every reading that the modem may have is followed. Its owner is the call's writer.
type lonePlus struct {
	guard time.Duration
	runs  uint      // bit n: the modem may have seen a silence and then just n plus signs
	sent  time.Time // the last byte
}

// completes reports whether p may make the third lone plus sign. Its bytes must then be sent a guard time apart:
// characters that far apart are no escape sequence (Hayes Technical Reference, S12).
func (l *lonePlus) completes(p []byte, now time.Time) bool {
	silence := now.Sub(l.sent)
	if silence > l.guard-l.guard/10 {
		l.runs |= 1
	}
	if silence >= longer(l.guard) {
		l.runs = 1
	}
	return len(p) <= len(escape) && allPlus(p) && l.runs&(1<<(len(escape)-len(p))) != 0
}

func (l *lonePlus) wrote(p []byte, now time.Time) {
	if len(p) == 0 {
		return
	}
	l.sent = now
	l.runs <<= min(len(p), len(escape))
	l.runs &= 1<<len(escape) - 1
	if !allPlus(p) {
		l.runs = 0
	}
}

func allPlus(p []byte) bool { return len(bytes.Trim(p, "+")) == 0 }
