package devicetest

import (
	"fmt"
	"strings"
)

// holder is what the cardholder does whenever a PIN is asked for.
type holder string

const (
	typesNothing holder = ""          // until Type or Press
	typesRight   holder = "given"     // the card's own PIN
	typesWrong   holder = "wrong"     // another
	typesNone    holder = "none"      // enter alone
	cancels      holder = "cancelled" // the cancel key
)

const padHelp = "pin given, wrong, none, cancelled or awaited: what the cardholder does from now on; off, on; screen"

// Command does what a cardholder or a fault does, and says in one line what happened. No PIN is ever part of it.
func (p *PinPad) Command(line string) (string, error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case verb == "pin" && rest == "awaited":
		p.holder = typesNothing
		return "nobody types", nil
	case verb == "pin" && (holder(rest) == typesRight || holder(rest) == typesWrong || holder(rest) == typesNone || holder(rest) == cancels):
		p.holder = holder(rest)
		if p.entering != nil {
			p.actLocked()
		}
		return "pin " + rest, nil
	case line == "off" || line == "on":
		p.silent = line == "off"
		return line, nil
	case line == "screen":
		return fmt.Sprintf("%q", p.screen), nil
	case line == "help":
		return padHelp, nil
	}
	return "", fmt.Errorf("%q is not known; %s", line, padHelp)
}

// actLocked has the cardholder answer the entry under way. A card that the pad's file does not know has no PIN.
func (p *PinPad) actLocked() {
	switch pin := p.pinOf(p.entering.account); {
	case p.holder == typesNothing:
	case p.holder == cancels:
		p.entering = nil
		p.say(0x04)
	case p.holder == typesNone || pin == "":
		_ = p.typeLocked("")
	case p.holder == typesWrong:
		last := '0' + (pin[len(pin)-1]-'0'+1)%10
		_ = p.typeLocked(pin[:len(pin)-1] + string(rune(last)))
	default:
		_ = p.typeLocked(pin)
	}
}

func (p *PinPad) pinOf(account string) string {
	for _, card := range p.o.Cards {
		if card.PAN == account {
			return card.PIN
		}
	}
	return ""
}
