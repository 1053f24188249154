package txnstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"posagent/txnstore/txn"
)

// The two parts of a record that are not plain fields.

// cardInTheClear is what is sealed: length and digits of the number, or the mask of one, length and digits of the expiry, and
// the chip data that a reversal repeats.
func cardInTheClear(card txn.Card) []byte {
	digits := card.PAN.AsKept()
	b := append([]byte{byte(len(digits))}, digits...)
	b = append(append(b, byte(len(card.Expiry))), card.Expiry...)
	return append(b, card.Chip.BytesInTheClear()...)
}

func readCard(card *txn.Card, clear []byte) error {
	digits, rest, ok := cutShort(clear)
	expiry, chip, ok2 := cutShort(rest)
	if !ok || !ok2 || len(expiry) > 4 || len(chip) > maxChip {
		return errors.New("sealed card is not well formed")
	}
	if len(digits) > 0 { // what was paid by payment code has no card
		pan, err := txn.ReadKept(string(digits))
		if err != nil {
			return err
		}
		card.PAN = pan
	}
	card.Expiry, card.Chip = string(expiry), txn.NewChip(chip)
	return nil
}

func cutShort(b []byte) (v, rest []byte, ok bool) {
	if len(b) == 0 || int(b[0]) > len(b)-1 {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}

// A journal line is written relative to its record: milliseconds since it began, boots since it began, the event.

func putLine(b []byte, t *txn.Txn, line txn.Line) []byte {
	b = binary.AppendVarint(b, line.At.UnixMilli()-t.Began.UnixMilli())
	b = binary.AppendVarint(b, int64(line.Boot)-int64(t.Boot))
	return append(b, line.Event...)
}

func readLine(t *txn.Txn, text string) (txn.Line, error) {
	v := []byte(text[:min(len(text), 2*binary.MaxVarintLen64)])
	since, n := binary.Varint(v)
	if n <= 0 {
		return txn.Line{}, errors.New("journal line is cut short")
	}
	boots, m := binary.Varint(v[n:])
	ms, boot := t.Began.UnixMilli()+since, int64(t.Boot)+boots
	event := text[max(0, n+m):]
	if m <= 0 || !sensible(ms) || boot < 0 || boot > 1<<32-1 || len(event) > txn.MaxEvent {
		return txn.Line{}, fmt.Errorf("journal line is out of range")
	}
	return txn.Line{At: time.UnixMilli(ms).UTC(), Boot: uint32(boot), Event: event}, nil
}
