package linktest

import (
	"errors"
	"fmt"
)

// modemMood is what Command asks for.
type modemMood struct {
	outcome  string // of the next calls; empty lets them through
	noEcho   bool   // the profile at power-on
	noise    bool   // before the next result code
	silent   bool
	nonsense bool
}

// Command changes the modem's mood, at any time. An answer of several words is for people.
//
//	nocarrier                     the carrier is lost now
//	drop                          the line is cut: the other side is gone and the modem does not notice
//	busy, nodialtone, noanswer    what the next calls meet; ok lets them through again
//	echo on|off                   now and after every reset
//	garbage                       noise before the next result code
//	silent on|off                 the modem is dead: it hears and says nothing
//	nonsense on|off               every result code is unreadable, as with the wrong speed
//	state                         command, dialling, data or online command
func (m *Modem) Command(line string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch line {
	case "state":
		return m.state.String(), nil
	case "nocarrier":
		if m.state == inCommand {
			return "", errors.New("there is no call")
		}
		m.endCallLocked()
		m.resultLocked("NO CARRIER")
		return "carrier lost", nil
	case "drop":
		if m.remote == nil {
			return "", errors.New("there is no call")
		}
		_ = m.remote.Close()
		m.call, m.remote, m.toward = m.call+1, nil, nil
		m.changed.Broadcast()
		return "line cut", nil
	case "ok", "busy", "nodialtone", "noanswer":
		m.mood.outcome = map[string]string{"busy": "BUSY", "nodialtone": "NO DIALTONE", "noanswer": "NO ANSWER"}[line]
		return "next calls: " + line, nil
	case "echo on", "echo off":
		m.mood.noEcho = line == "echo off"
		m.profile.echo = !m.mood.noEcho
	case "garbage":
		m.mood.noise = true
		return "noise before the next result code", nil
	case "silent on", "silent off":
		m.mood.silent = line == "silent on"
	case "nonsense on", "nonsense off":
		m.mood.nonsense = line == "nonsense on"
	default:
		return "", fmt.Errorf("modem does not know %.40q: use nocarrier, drop, ok, busy, nodialtone, noanswer, "+
			"echo on|off, garbage, silent on|off, nonsense on|off, state", line)
	}
	return line, nil
}
