package txnstore

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// identity is written at birth, and again by a migration, into archive.db and into the last block of shadow: whose store
// this is, a constant sealed with its key, and the schema its files follow.
//
//	┌─────┬──────────┬───────────┬────────┐
//	│ n   │ terminal │ key check │ schema │   a varint; schema 1 has none
//	└─────┴──────────┴───────────┴────────┘
type identity struct {
	terminal string
	keyCheck []byte
	schema   uint64
}

func (i identity) frame() []byte {
	b := append([]byte{byte(len(i.terminal))}, i.terminal...)
	b = append(b, i.keyCheck...)
	if i.schema > 1 {
		b = binary.AppendUvarint(b, i.schema)
	}
	return putFrame(identityFrame, b)
}

const keyCheckSize = sealOverhead + len(purposeCheck)

func openIdentity(frame []byte) (identity, error) {
	b, err := openFrame(identityFrame, frame)
	if err != nil {
		return identity{}, fmt.Errorf("identity: %w", err)
	}
	terminal, rest, ok := cutShort(b)
	if !ok || len(terminal) == 0 || len(terminal) > maxTerminal || len(rest) < keyCheckSize {
		return identity{}, errors.New("identity: cut short")
	}
	id := identity{string(terminal), append([]byte(nil), rest[:keyCheckSize]...), 1}
	if rest = rest[keyCheckSize:]; len(rest) == 0 {
		return id, nil
	}
	n := 0
	if id.schema, n = binary.Uvarint(rest); n <= 0 || id.schema <= 1 {
		return identity{}, errors.New("identity: schema is not a number")
	}
	return id, nil // a newer schema may say more behind it
}

// check asks whether a store with this identity may be opened by s.
func (i identity) check(s *sealer) error {
	if err := i.newer(); err != nil {
		return err
	}
	if i.terminal != s.terminal {
		return otherTerminal(i.terminal, s.terminal)
	}
	if err := s.checkKey(i.keyCheck); err != nil {
		return fmt.Errorf("%w: use the key it was born with; nothing was changed", err)
	}
	return nil
}

// newer refuses a schema that only a later program understands.
func (i identity) newer() error {
	if i.schema <= schema {
		return nil
	}
	return fmt.Errorf("%w: it has schema %d and this program knows 1 to %d; start the newer program again; nothing was changed",
		ErrNewer, i.schema, schema)
}

func otherTerminal(stored, wanted string) error {
	return fmt.Errorf("%w: it holds %s, this is %s; correct the terminal number or use another directory",
		ErrOtherTerminal, stored, wanted)
}
