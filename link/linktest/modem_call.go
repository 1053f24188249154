package linktest

import (
	"context"
	"net"
	"strings"
	"time"
)

// dialLocked runs D (V.250 6.3.1): the rest of the line is the dial string.
func (m *Modem) dialLocked(dialString string) (done, ok bool) {
	if m.state == inOnlineCommand {
		return true, false // table 8
	}
	dialString, _, stays := strings.Cut(dialString, ";")
	if stays {
		m.resultLocked("OK")
		return true, true
	}
	number := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789*#+ABCD", r) {
			return r
		}
		return -1 // modifiers, and what is there for the eye
	}, dialString)
	wait := trainingTime + time.Duration(strings.Count(dialString, ",")*m.profile.s[8])*time.Second
	ctx, cancel := context.WithCancel(m.power)
	m.call++
	m.state, m.hangup, m.dialed = inDialling, cancel, time.Now()
	call, outcome, carrier := m.call, m.mood.outcome, time.Duration(m.profile.s[7])*time.Second
	m.running.Go(func() {
		defer cancel()
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		m.reach(ctx, call, number, outcome, carrier)
	})
	return true, true
}

// reach makes the connection, or not, and stays with it as the reader of its other side.
func (m *Modem) reach(ctx context.Context, call int, number, outcome string, carrier time.Duration) {
	address, listed := m.opts.PhoneBook[number]
	var remote net.Conn
	if outcome == "" && listed {
		ctx, cancel := context.WithTimeout(ctx, carrier) // S7
		remote, _ = m.opts.Dial(ctx, address)            // whatever the reason, it is NO CARRIER
		cancel()
	}
	if m.answered(call, remote, outcome) {
		m.running.Go(func() { m.forward(call, remote) })
		m.bridge(call, remote)
	}
}

// answered ends the dialling. It reports whether a call is up.
func (m *Modem) answered(call int, remote net.Conn, outcome string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if call != m.call { // the terminal thought better of it
		if remote != nil {
			_ = remote.Close()
		}
		return false
	}
	if remote == nil {
		m.endCallLocked()
		// Table 4 (6.2.7): X0 and X1 detect neither tone, X2 no busy tone, X3 no dial tone.
		unheard := outcome == "BUSY" && m.profile.x < 3 || outcome == "NO DIALTONE" && m.profile.x != 2 && m.profile.x != 4
		if outcome == "" || unheard {
			outcome = "NO CARRIER"
		}
		m.resultLocked(outcome)
		return false
	}
	m.remote, m.gone = remote, false
	m.onlineLocked()
	return true
}

// onlineLocked enters data state.
func (m *Modem) onlineLocked() {
	if m.profile.x == 0 {
		m.resultLocked("CONNECT")
	} else {
		m.resultLocked("CONNECT 9600")
	}
	m.state, m.lastByte, m.plus = inData, time.Now(), 0
	m.changed.Broadcast()
}

// resumeLocked runs O (6.3.7, table 10).
func (m *Modem) resumeLocked(n int) (done, ok bool) {
	switch {
	case n != 0:
		return true, false
	case m.state != inOnlineCommand || m.gone:
		m.endCallLocked()
		m.resultLocked("NO CARRIER")
	default:
		m.onlineLocked()
	}
	return true, true
}

// bridge brings what the other side sends to the terminal. In online command state it waits: the terminal would take
// payload for answers.
func (m *Modem) bridge(call int, remote net.Conn) {
	chunk := make([]byte, 1024)
	for {
		n, err := remote.Read(chunk)
		if !m.fromRemote(call, chunk[:n]) {
			return
		}
		if err != nil {
			m.lost(call)
			return
		}
	}
}

// forward brings payload to the other side.
func (m *Modem) forward(call int, remote net.Conn) {
	for {
		m.mu.Lock()
		for call == m.call && len(m.toward) == 0 {
			m.changed.Wait()
		}
		chunk, ended := m.toward, call != m.call
		if !ended {
			m.toward = nil
			m.changed.Broadcast()
		}
		m.mu.Unlock()
		if ended {
			return
		}
		if _, err := remote.Write(chunk); err != nil {
			return // bridge finds out as well, and tells the terminal
		}
	}
}

func (m *Modem) fromRemote(call int, p []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(p) > 0 && call == m.call && (m.state != inData || len(m.out) > bufferFull) {
		m.changed.Wait()
	}
	if call != m.call {
		return false
	}
	m.tellLocked(p...)
	return true
}

// lost is the other side ending the call. In online command state the terminal learns it when it asks (5.8.2, 3).
func (m *Modem) lost(call int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case call != m.call:
	case m.state == inData:
		m.endCallLocked()
		m.resultLocked("NO CARRIER")
	default:
		m.gone = true
	}
}

// endCallLocked goes on hook and to command state, whatever was going on.
func (m *Modem) endCallLocked() {
	m.call++
	if m.hangup != nil {
		m.hangup()
		m.hangup = nil
	}
	if m.remote != nil {
		_ = m.remote.Close()
		m.remote, m.toward = nil, nil
	}
	m.stopEscapeLocked()
	m.state, m.gone, m.plus = inCommand, false, 0
	m.typed = modemLine{last: m.typed.last}
	m.changed.Broadcast()
}

// fromTerminal takes bytes from the terminal. It returns when there is room for more: with a full buffer towards a side
// that does not read, the terminal is stopped, as by flow control.
func (m *Modem) fromTerminal(p []byte, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mood.silent {
		return
	}
	for _, b := range p {
		switch m.state {
		case inData:
			if m.remote != nil {
				m.toward = append(m.toward, b)
			}
			m.watchEscapeLocked(b, now)
		case inDialling:
			if now.Sub(m.dialed) >= abortDeaf {
				m.endCallLocked()
				m.resultLocked("NO CARRIER")
			}
		default:
			m.keyLocked(b)
		}
	}
	m.changed.Broadcast()
	for call := m.call; call == m.call && len(m.toward) > bufferFull; {
		m.changed.Wait()
	}
}

const abortDeaf = 125 * time.Millisecond // V.250 5.6.1: characters so soon after a command do not stop it

// watchEscapeLocked looks for the escape sequence: a guard time, three escape characters less than a guard time apart,
// a guard time. The characters are sent on all the same.
func (m *Modem) watchEscapeLocked(b byte, now time.Time) {
	m.stopEscapeLocked()
	guard, silence := m.guardLocked(), now.Sub(m.lastByte)
	m.lastByte = now
	switch {
	case int(b) != m.profile.s[2] || b > 127:
		m.plus = -1
	case silence >= guard:
		m.plus = 1
	case m.plus > 0:
		m.plus++
	}
	if m.plus != 3 {
		return
	}
	call := m.call
	m.escape = time.AfterFunc(guard, func() { m.escaped(call) })
}

func (m *Modem) escaped(call int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if call != m.call || m.state != inData || m.plus != 3 {
		return
	}
	m.state, m.plus = inOnlineCommand, 0
	m.resultLocked("OK")
}

func (m *Modem) stopEscapeLocked() {
	if m.escape != nil {
		m.escape.Stop()
		m.escape = nil
	}
}
