package printertest

import (
	"fmt"
	"strconv"
	"strings"
)

const commandHelp = "paper out [after LINES] | paper near | paper ok | cover open | cover closed | jam [cut|clear] | hot on|off | held on|off | broken on|off | " +
	"silent on|off | mute on|off | nonsense on|off | mingle on|off | feed | status"

// Command does what a hand on the printer would do, and answers with the state after it.
//
//	paper out|near|ok      take the paper away, nearly, or put a new roll in
//	paper out after LINES  the roll ends after so many more lines
//	cover open|closed
//	jam | jam cut          the blade is jammed now | jams at the next cut
//	jam clear              the paper is taken out of the blade; the error stays until the host recovers from it
//	hot on|off             the head is too hot | has cooled
//	held on|off            somebody leans on the feed button | lets it go
//	broken on|off          an error that only power off and on ends | a mechanic has ended it
//	silent on|off          switched off (forgets what it held) | on again
//	mute on|off            prints, but answers nothing
//	nonsense on|off        answers rubbish
//	mingle on|off          puts status and flow control bytes inside its block answers
//	feed                   feed button and tear: what is there becomes a slip
//	status                 changes nothing
func (p *Printer) Command(line string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	words := strings.Fields(line)
	change, err := p.deed(words)
	if err != nil {
		return "", err
	}
	if change != nil {
		p.changeLocked(change)
		p.executeLocked()
		p.tellLinesLocked()
	}
	return p.machine.words(), nil
}

// deed finds what a line asks for, as a change of the machine.
func (p *Printer) deed(words []string) (func(*machine), error) {
	refuse := fmt.Errorf("printer: %q is not a command: use %s", strings.Join(words, " "), commandHelp)
	switch strings.Join(words, " ") {
	case "status":
		return nil, nil
	case "feed":
		p.imageEndLocked()
		p.paper.end(cutMark, p.fault)
		return nil, nil
	case "paper out":
		return func(m *machine) { m.paperEnd, m.counting = true, false }, nil
	case "paper near":
		return func(m *machine) { m.paperEnd, m.nearEnd, m.counting = false, true, false }, nil
	case "paper ok":
		return func(m *machine) { m.paperEnd, m.nearEnd, m.counting = false, false, false }, nil
	case "cover open":
		return func(m *machine) { m.coverOpen = true }, nil
	case "cover closed":
		return func(m *machine) { m.coverOpen = false }, nil
	case "jam":
		return func(m *machine) { m.jammed, m.cutterError = true, true }, nil
	case "jam cut":
		return func(m *machine) { m.jamAtCut = true }, nil
	case "jam clear":
		return func(m *machine) { m.jammed, m.jamAtCut = false, false }, nil
	}
	if len(words) == 4 && strings.Join(words[:3], " ") == "paper out after" {
		lines, err := strconv.Atoi(words[3])
		if err != nil || lines < 1 {
			return nil, refuse
		}
		return func(m *machine) { m.counting, m.endsAfter = true, lines }, nil
	}
	if len(words) != 2 || words[1] != "on" && words[1] != "off" {
		return nil, refuse
	}
	on := words[1] == "on"
	switch words[0] {
	case "silent":
		p.switchPower(on)
		return nil, nil
	case "hot":
		return func(m *machine) { m.hot = on }, nil
	case "held":
		return func(m *machine) { m.held = on }, nil
	case "broken":
		return func(m *machine) { m.broken = on }, nil
	case "mute":
		return func(m *machine) { m.mute = on }, nil
	case "nonsense":
		return func(m *machine) { m.nonsense = on }, nil
	case "mingle":
		return func(m *machine) { m.mingle = on }, nil
	}
	return nil, refuse
}

// switchPower turns the printer off or on. It forgets its buffers and modes; the paper stays where it is.
func (p *Printer) switchPower(off bool) {
	p.machine.silent = off
	p.clearLocked()
	p.holding = false
	p.machine.powerOn()
	p.head.powerOn(p.columns)
}

func (m *machine) words() string {
	said := []string{"paper ok"}
	switch {
	case m.paperEnd:
		said[0] = "paper out"
	case m.counting:
		said[0] = fmt.Sprintf("paper out after %d", m.endsAfter)
	case m.nearEnd:
		said[0] = "paper near"
	}
	for _, part := range []struct {
		is   bool
		word string
	}{
		{m.coverOpen, "cover open"}, {!m.coverOpen, "cover closed"}, {m.cutterError, "cutter error"}, {m.jammed, "jammed"},
		{m.jamAtCut, "jams at the next cut"}, {m.hot, "hot"}, {m.held, "held"}, {m.broken, "broken"}, {m.silent, "silent"}, {m.mute, "mute"}, {m.nonsense, "nonsense"}, {m.mingle, "mingle"},
	} {
		if part.is {
			said = append(said, part.word)
		}
	}
	return strings.Join(said, ", ")
}
