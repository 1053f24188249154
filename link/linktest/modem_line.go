package linktest

import (
	"fmt"
	"time"
)

// modemProfile is what ATZ and AT&F set back.
type modemProfile struct {
	echo, quiet, verbose bool
	x, carrier, dtr      int
	s                    map[int]int
}

// modemRegister is an S-parameter: what it holds at power-on, and the values it takes.
type modemRegister struct{ value, min, max int }

// modemRegisters: S0 to S10 by V.250 6.2 and 6.3, S2, S12 and S25 by the Hayes Technical Reference.
func modemRegisters(guard time.Duration) map[int]modemRegister {
	return map[int]modemRegister{
		0:  {0, 0, 255},   // rings before answering
		2:  {'+', 0, 255}, // escape character; above 127 there is none
		3:  {'\r', 0, 127},
		4:  {'\n', 0, 127},
		5:  {'\b', 0, 127},
		6:  {2, 2, 10},
		7:  {50, 1, 255}, // seconds to carrier
		8:  {2, 0, 255},  // seconds of a comma
		10: {14, 1, 254},
		12: {int(guard / (20 * time.Millisecond)), 0, 255}, // guard time in 20 ms
		25: {5, 0, 255},                                    // DTR off, in 10 ms
	}
}

func (m *Modem) resetLocked() {
	m.profile = modemProfile{echo: !m.mood.noEcho, verbose: true, x: 4, carrier: 1, dtr: 2, s: map[int]int{}}
	for n, r := range modemRegisters(m.opts.Guard) {
		m.profile.s[n] = r.value
	}
}

func (m *Modem) guardLocked() time.Duration {
	return time.Duration(m.profile.s[12]) * 20 * time.Millisecond
}

// modemLine collects a command line (V.250 5.2.1).
type modemLine struct {
	prefix int // characters of "AT" seen
	first  byte
	body   []byte
	over   bool   // more than bodyMax characters
	last   string // for A/
}

const bodyMax = 40 // 5.2.1: what every modem accepts, and this one no more

// keyLocked takes one character in command state.
func (m *Modem) keyLocked(b byte) {
	if m.profile.echo {
		m.tellLocked(b)
	}
	t := &m.typed
	switch {
	case int(b) == m.profile.s[3]: // S3 is looked for first, then S5 (5.2.2)
		whole := t.prefix == 2
		body, over := string(t.body), t.over
		*t = modemLine{last: t.last}
		switch {
		case !whole: // not a command line: ignored (5.5)
		case over:
			m.resultLocked("ERROR")
		default:
			t.last = body
			m.executeLocked(body)
		}
	case int(b) == m.profile.s[5]:
		if len(t.body) > 0 {
			t.body = t.body[:len(t.body)-1]
		}
	case t.prefix == 2:
		if len(t.body) == bodyMax {
			t.over = true
		} else if b >= ' ' {
			t.body = append(t.body, b)
		}
	case t.prefix == 1 && b == t.first+('T'-'A'): // "AT" or "at"
		t.prefix = 2
	case t.prefix == 1 && b == '/':
		t.prefix = 0
		m.executeLocked(t.last)
	case b == 'A' || b == 'a':
		t.prefix, t.first = 1, b
	default:
		t.prefix = 0
	}
}

// modemCode is table 1 (V.250 5.7.1); 12 is what many manufacturers give for 9600 bit/s.
func modemCode(text string) int {
	return map[string]int{
		"OK": 0, "CONNECT": 1, "RING": 2, "NO CARRIER": 3, "ERROR": 4, "NO DIALTONE": 6, "BUSY": 7, "NO ANSWER": 8,
		"CONNECT 9600": 12,
	}[text]
}

// resultLocked sends a result code (V.250 6.2.5, 6.2.6).
func (m *Modem) resultLocked(text string) {
	if m.profile.quiet {
		return
	}
	if m.mood.nonsense {
		m.tellLocked(0xF8, 0x00, 0x86, 0x7E, 0xFE, 0xE0, 0x80)
		return
	}
	if m.mood.noise {
		m.mood.noise = false
		m.tellLocked(0x00, 0xFF, '~', '#', 0x80, 'K')
	}
	cr, lf := byte(m.profile.s[3]), byte(m.profile.s[4])
	if m.profile.verbose {
		m.tellLocked(cr, lf)
		m.tellLocked([]byte(text)...)
		m.tellLocked(cr, lf)
		return
	}
	m.tellLocked(append([]byte(fmt.Sprint(modemCode(text))), cr)...)
}

// infoLocked sends information text, which Q does not suppress.
func (m *Modem) infoLocked(text string) {
	cr, lf := byte(m.profile.s[3]), byte(m.profile.s[4])
	if m.profile.verbose {
		m.tellLocked(cr, lf)
	}
	m.tellLocked([]byte(text)...)
	m.tellLocked(cr, lf)
}
