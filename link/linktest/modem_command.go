package linktest

import (
	"fmt"
	"strings"
	"unicode"
)

// modemParser walks through the body of a command line (V.250 5.3).
type modemParser struct{ rest string }

func (p *modemParser) take() byte {
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

// number reads digits; none are 0 (5.3.1). More than a value can have is a value nothing accepts.
func (p *modemParser) number() (n int, given bool) {
	for p.rest != "" && unicode.IsDigit(rune(p.rest[0])) {
		n, given = min(n*10+int(p.take()-'0'), 1_000_000), true
	}
	return n, given
}

// executeLocked runs the commands of a line in order. The first that fails ends the line with ERROR; else only the last
// result code is sent (5.6).
func (m *Modem) executeLocked(body string) {
	p := &modemParser{strings.ToUpper(strings.ReplaceAll(body, " ", ""))}
	for p.rest != "" {
		done, ok := m.oneLocked(p)
		if !ok {
			m.resultLocked("ERROR")
			return
		}
		if done {
			return
		}
	}
	m.resultLocked("OK")
}

// oneLocked runs one command. done says that it ends the line and has seen to the result code itself.
func (m *Modem) oneLocked(p *modemParser) (done, ok bool) {
	name := string(p.take())
	switch {
	case name == "&" && p.rest != "":
		name += string(p.take())
	case name == "D":
		return m.dialLocked(p.rest)
	case name == "S":
		return false, m.registerLocked(p)
	}
	n, given := p.number()
	switch name {
	case "E":
		return false, choose(&m.profile.echo, n)
	case "Q":
		return false, choose(&m.profile.quiet, n)
	case "V":
		return false, choose(&m.profile.verbose, n)
	case "X":
		return false, set(&m.profile.x, n, 4)
	case "&C":
		return false, set(&m.profile.carrier, n, 1)
	case "&D":
		return false, set(&m.profile.dtr, n, 2)
	case "L":
		return false, n <= 3
	case "M":
		return false, n <= 2
	case "P", "T":
		return false, !given
	case "I":
		m.infoLocked("SIMULATED MODEM 9600")
		return false, n == 0
	case "&F", "H", "Z":
		if n != 0 {
			return false, false
		}
		if name != "&F" {
			m.endCallLocked()
		}
		if name != "H" {
			m.resetLocked()
		}
		if name == "Z" {
			p.rest = "" // 6.1.1: what follows may be ignored
		}
		return false, true
	case "A":
		m.resultLocked("NO CARRIER") // nobody calls
		return true, !given
	case "O":
		return m.resumeLocked(n)
	default:
		return false, false
	}
}

func choose(flag *bool, n int) bool {
	if n > 1 {
		return false
	}
	*flag = n == 1
	return true
}

func set(value *int, n, max int) bool {
	if n > max {
		return false
	}
	*value = n
	return true
}

// registerLocked runs S<n>? and S<n>=<value> (5.3.2).
func (m *Modem) registerLocked(p *modemParser) bool {
	n, given := p.number()
	limits, known := modemRegisters(m.opts.Guard)[n]
	if !given || !known || p.rest == "" {
		return false
	}
	switch p.take() {
	case '?':
		m.infoLocked(fmt.Sprintf("%03d", m.profile.s[n]))
		return true
	case '=':
		value, given := p.number()
		if !given || value < limits.min || value > limits.max {
			return false
		}
		m.profile.s[n] = value
		return true
	default:
		return false
	}
}
