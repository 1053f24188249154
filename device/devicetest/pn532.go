package devicetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"posagent/device/reader/pn532/hsu"
)

// Board is a simulated PN532 board on its high speed UART, with a field in which a test card may lie. It sleeps until it is
// woken and configured, takes one command at a time, waits for a card until an ACK ends that, and repeats its last answer on
// a NACK. Its methods are safe for concurrent use. Nothing it says or returns holds a card
// number; its line does.
type Board struct {
	station
	cards map[string]TestCard

	mu       sync.Mutex
	decoder  hsu.Decoder
	awake    bool
	ready    bool     // SAMConfiguration was carried out
	field    bool     // the field is on
	waiting  bool     // InListPassiveTarget is under way
	card     *payCard // in the field, or nil
	last     []byte   // the answer that a NACK asks for
	damage   int      // so many answers leave damaged
	lostAcks int      // so many commands are not taken
	silent   bool
	yank     int // after so many commands the card is taken away; 0 is never
}

// NewBoard makes a board that has power, sleeps, and has no card in its field.
func NewBoard(cards map[string]TestCard) *Board { return &Board{cards: cards} }

// Serve speaks with a terminal on rw until ctx ends or the line does, and returns nil in both cases. One Serve at a time.
func (b *Board) Serve(ctx context.Context, rw io.ReadWriter) error { return b.serve(ctx, rw, b.hear) }

// FieldOn reports whether a card would be powered.
func (b *Board) FieldOn() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.field
}

// Command does what a person or a fault does, and says in one line what happened:
//
//	present NAME     a card comes into the field and stays there until it is removed
//	remove           it is taken away
//	yank N           the card is taken away after N more of its commands
//	garbage [N]      the next answer, or the next N, leave with a flipped bit; a repetition counts
//	deaf [N]         the next command, or the next N, are not heard
//	silent on|off    nothing is heard and nothing said
//	restart          the board loses its power for a moment and sleeps
func (b *Board) Command(text string) (string, error) {
	words := strings.Fields(text)
	b.mu.Lock()
	defer b.mu.Unlock()
	number := 1
	switch {
	case len(words) == 2 && words[0] == "present":
		return b.presentLocked(words[1])
	case len(words) == 2 && words[0] == "silent" && (words[1] == "on" || words[1] == "off"):
		b.silent = words[1] == "on"
	case len(words) == 1 && words[0] == "remove":
		b.card = nil
	case len(words) == 1 && words[0] == "restart":
		b.awake, b.ready, b.field, b.waiting, b.last = false, false, false, false, nil
	case len(words) == 2 && !scanNumber(words[1], &number), len(words) != 1 && len(words) != 2:
		return "", b.usage(text)
	case words[0] == "yank" && len(words) == 2:
		b.yank = number
	case words[0] == "garbage":
		b.damage = number
	case words[0] == "deaf":
		b.lostAcks = number
	default:
		return "", b.usage(text)
	}
	return text, nil
}

func scanNumber(text string, into *int) bool {
	n, err := fmt.Sscanf(text, "%d", into)
	return err == nil && n == 1 && *into > 0 && *into <= 1000
}

func (b *Board) usage(text string) error {
	return fmt.Errorf("command %.20q: want present NAME, remove, yank N, garbage [N], deaf [N], silent on|off or restart", text)
}

func (b *Board) presentLocked(name string) (string, error) {
	card, known := b.cards[name]
	if !known {
		return "", fmt.Errorf("card %.40q is not known", name)
	}
	b.card = newPayCard(card)
	if b.waiting && !b.silent {
		b.waiting = false
		b.foundLocked()
	}
	return name + " in the field", nil
}

func (b *Board) hear(wire []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent {
		return
	}
	if !b.awake {
		at := bytes.Index(wire, hsu.WakeUp[:2])
		if at < 0 {
			return
		}
		b.awake, wire = true, wire[at+2:]
	}
	b.decoder.Write(wire)
	for item, ok := b.decoder.Next(); ok; item, ok = b.decoder.Next() {
		b.obeyLocked(item)
	}
}

func (b *Board) obeyLocked(item hsu.Item) {
	switch {
	case item.Fault != hsu.Whole:
		b.say(hsu.NackFrame[:])
	case item.Kind == hsu.Ack:
		b.waiting = false
	case item.Kind == hsu.Nack:
		if b.last != nil {
			b.sendLocked(b.last)
		}
	case b.waiting: // only an ACK ends a search
	case item.Kind == hsu.Info && item.TFI == hsu.ToChip && len(item.Data) > 0:
		if b.lostAcks > 0 {
			b.lostAcks--
			return
		}
		b.say(hsu.AckFrame[:])
		b.carryOutLocked(item.Data[0], item.Data[1:])
	}
}

func (b *Board) carryOutLocked(command byte, data []byte) {
	switch {
	case command == hsu.SAMConfiguration && len(data) >= 1 && data[0] == hsu.SAMNormal:
		b.ready = true
		b.answerLocked(command)
	case command == hsu.GetFirmwareVersion && len(data) == 0:
		b.answerLocked(command, hsu.ChipPN532, 0x01, 0x06, 0x07)
	case command == hsu.RFConfiguration && len(data) == 2 && data[0] == hsu.RFField:
		b.field = data[1]&1 == 1
		b.answerLocked(command)
	case command == hsu.InListPassiveTarget && b.ready && bytes.Equal(data, []byte{1, hsu.TypeA106}):
		b.field = true
		if b.card == nil {
			b.waiting = true
			return
		}
		b.foundLocked()
	case command == hsu.InDataExchange && len(data) > 1 && data[0] == 1:
		b.exchangeLocked(data[1:])
	case command == hsu.InDataExchange && len(data) == 1:
		b.answerLocked(command, 0x27)
	default:
		b.last = hsu.ErrorFrame[:]
		b.sendLocked(b.last)
	}
}

// foundLocked describes the card in the field: SENS_RES, SEL_RES, a random number as NFCID, and the ATS of a payment card.
func (b *Board) foundLocked() {
	b.card.begin()
	selRes := hsu.SpeaksISODEP
	if b.card.stripe() {
		selRes = 0x08 // a ticket
	}
	answer := []byte{1, 1, 0x00, 0x04, selRes, 4, 0x08, 0x12, 0x34, 0x56}
	if selRes == hsu.SpeaksISODEP {
		answer = append(answer, 5, 0x78, 0x80, 0x70, 0x02)
	}
	b.answerLocked(hsu.InListPassiveTarget, answer...)
}

func (b *Board) exchangeLocked(apdu []byte) {
	if b.card == nil || !b.field {
		b.answerLocked(hsu.InDataExchange, 0x01)
		return
	}
	answer := b.card.answer(apdu)
	b.answerLocked(hsu.InDataExchange, append([]byte{hsu.StatusOK}, answer...)...)
	if b.yank > 0 {
		if b.yank--; b.yank == 0 {
			b.card = nil
		}
	}
}

func (b *Board) answerLocked(command byte, data ...byte) {
	b.last = hsu.AppendInfo(nil, hsu.FromChip, append([]byte{command + 1}, data...))
	b.sendLocked(b.last)
}

func (b *Board) sendLocked(wire []byte) {
	wire = bytes.Clone(wire)
	if b.damage > 0 {
		b.damage--
		wire[len(wire)/2] ^= 0x04
	}
	b.say(wire)
}
