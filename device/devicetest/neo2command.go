package devicetest

import (
	"fmt"
	"slices"
	"strings"

	"posagent/device/reader/neo2"
)

// Command does what a person or a fault does to the reader, and says in one line what happened:
//
//	present NAME     a card is swiped or tapped; without a transaction it stays until the next one
//	remove           the card that stays is taken away
//	garbage          the next answer comes behind line noise and with a wrong checksum, once
//	nonsense on|off  every command is answered with whole frames that mean nothing
//	silent on|off    nothing is answered; commands are lost, a running transaction never ends by itself
//	restart          the transaction is forgotten and the boot notification sent
//	tamper on|off    every command is answered with "tamper detected", a running transaction too
//
// An unknown command, card or word is an error and changes nothing.
func (r *Reader) Command(line string) (string, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", fmt.Errorf("empty command: want present NAME, remove, garbage, nonsense, silent, restart or tamper")
	}
	verb, rest := words[0], words[1:]
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case verb == "present" && len(rest) == 1:
		return r.presentLocked(rest[0])
	case verb == "remove" && len(rest) == 0:
		if r.queued == nil {
			return "no card was there", nil
		}
		name := r.queued.Name
		r.queued = nil
		return name + " taken away", nil
	case verb == "garbage" && len(rest) == 0:
		r.faults.garbage = true
		return "the next answer will be damaged", nil
	case verb == "restart" && len(rest) == 0:
		r.forgetLocked()
		r.sendLocked(neo2.Frame{Command: neo2.Boot, Sub: neo2.BootSub, Data: []byte(readerPlatform)})
		return "restarted", nil
	case verb == "nonsense" || verb == "silent" || verb == "tamper":
		return r.switchLocked(verb, rest)
	default:
		return "", fmt.Errorf("command %q: want present NAME, remove, garbage, nonsense on|off, silent on|off, restart or tamper on|off", verb)
	}
}

func (r *Reader) presentLocked(name string) (string, error) {
	card, known := r.cards[name]
	if !known {
		names := make([]string, 0, len(r.cards))
		for name := range r.cards {
			names = append(names, name)
		}
		slices.Sort(names)
		return "", fmt.Errorf("card %q is not known: there are %s", name, strings.Join(names, ", "))
	}
	card.Name = name
	if r.waiting == nil || r.faults.silent {
		r.queued = &card
		return name + " waits for the next transaction", nil
	}
	r.readCardLocked(card)
	return name + " " + card.Entry, nil
}

func (r *Reader) switchLocked(verb string, rest []string) (string, error) {
	if len(rest) != 1 || rest[0] != "on" && rest[0] != "off" {
		return "", fmt.Errorf("command %q: want on or off", verb)
	}
	on := rest[0] == "on"
	switch verb {
	case "nonsense":
		r.faults.nonsense = on
	case "silent":
		r.faults.silent = on
		if on {
			r.forgetLocked()
		}
	case "tamper":
		r.faults.tampered = on
		if on && r.waiting != nil {
			r.forgetLocked()
			r.answerLocked(neo2.Activate, neo2.Tampered, nil)
		}
	}
	return verb + " " + rest[0], nil
}
