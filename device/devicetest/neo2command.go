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
//	swipe NAME       the same, by its stripe, whatever the card can do
//	insert NAME      a card is put into the slot; it stays there until it is taken away, and is read once
//	remove           the card that stays is taken away, also out of the slot, and out of a transaction
//	refuse           the card declines what it is asked to confirm next, once
//	at STEP TROUBLE  once, at start, authenticate or complete: restart, pull, silent, garbage, late, fail; decline or offline
//	                 (the card's own verdict, without the acquirer); or an ask: menu, pin, stripe
//	at none          nothing of this is planned any more
//	cipher on|off    a reader with a data key enciphers, which it does at the beginning, or gives card data in clear all the same
//	spoil            the next track that is enciphered comes out wrong, once
//	garbage          the next answer comes behind line noise and with a wrong checksum, once
//	nonsense on|off  every command is answered with whole frames that mean nothing
//	silent on|off    nothing is answered; commands are lost, a running transaction never ends by itself
//	signals          says what lamp and buzzer have told so far, oldest first
//	restart          the transaction is forgotten and the boot notification sent
//	memory replace   another reader in its place: it knows no keys and no applications
//	memory unknown   its firmware does not know the commands for them; memory contact|contactless unknown, those of one side
//	memory keys most N          so many keys fit into either side
//	memory refuses after N      it takes N more keys or applications, and then fails; memory refuses none
//	memory holds N keys N applications   an error unless its contact side does; memory contactless holds N keys
//	tamper on|off    every command is answered with "tamper detected", a running transaction too
//
// An unknown command, card or word is an error and changes nothing.
func (r *Reader) Command(line string) (string, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", fmt.Errorf("empty command: want %s", readerCommands)
	}
	verb, rest := words[0], words[1:]
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case (verb == "present" || verb == "swipe" || verb == "insert") && len(rest) == 1:
		return r.presentLocked(verb, rest[0])
	case verb == "remove" && len(rest) == 0:
		return r.removeLocked(), nil
	case verb == "refuse" && len(rest) == 0:
		r.slot.refuse = true
		return "the card will decline the acquirer's answer", nil
	case verb == "at":
		return r.planLocked(rest)
	case verb == "garbage" && len(rest) == 0:
		r.faults.garbage = true
		return "the next answer will be damaged", nil
	case verb == "spoil" && len(rest) == 0 && r.sealing.on():
		r.sealing.spoil = true
		return "the next track will be enciphered wrongly", nil
	case verb == "cipher" && r.sealing.key != nil:
		return r.switchLocked(verb, rest)
	case verb == "signals" && len(rest) == 0:
		return r.signalledTextLocked(), nil
	case verb == "restart" && len(rest) == 0:
		r.restartLocked()
		return "restarted", nil
	case verb == "memory":
		return r.memoryLocked(rest)
	case verb == "nonsense" || verb == "silent" || verb == "tamper":
		return r.switchLocked(verb, rest)
	default:
		return "", fmt.Errorf("command %q: want %s", verb, readerCommands)
	}
}

const readerCommands = "present NAME, swipe NAME, insert NAME, remove, refuse, at start|authenticate|complete TROUBLE, at none, " +
	"cipher on|off and spoil with a data key, garbage, nonsense on|off, silent on|off, signals, restart, memory replace|unknown|keys|refuses|holds|contact|contactless or tamper on|off"

func (r *Reader) removeLocked() string {
	switch {
	case r.queued != nil:
		name := r.queued.Name
		r.queued = nil
		return name + " taken away"
	case r.slot.card != nil:
		name := r.slot.card.Name
		r.pulledLocked()
		return name + " taken out"
	}
	return "no card was there"
}

// planLocked remembers what shall go wrong at a step of a chip card's transaction.
func (r *Reader) planLocked(words []string) (string, error) {
	if len(words) == 1 && words[0] == "none" {
		clear(r.slot.planned)
		r.slot.refuse = false
		return "nothing is planned", nil
	}
	if len(words) != 2 || steps[words[0]] == 0 || !slices.Contains(troubles, words[1]) {
		return "", fmt.Errorf("at wants start, authenticate or complete, and one of %s", strings.Join(troubles, ", "))
	}
	r.slot.planned[steps[words[0]]] = words[1]
	return words[1] + " at " + words[0], nil
}

// presentLocked brings a card in one of three ways.
func (r *Reader) presentLocked(way, name string) (string, error) {
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
	switch {
	case way == "insert" && card.AID == "":
		return "", fmt.Errorf("card %s has no chip", name)
	case way == "insert":
		return r.insertLocked(card), nil
	case way == "swipe":
		card.Entry = entrySwiped
	}
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
	case "cipher":
		r.sealing.off = !on
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
