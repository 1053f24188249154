package txnstore

import (
	"errors"
	"fmt"
)

// identity is written once, at birth, into archive.db and into the last block of shadow: whose store this is, and a
// constant sealed with its key.
type identity struct {
	terminal string
	keyCheck []byte
}

func (i identity) frame() []byte {
	b := append([]byte{byte(len(i.terminal))}, i.terminal...)
	return putFrame(identityFrame, append(b, i.keyCheck...))
}

func openIdentity(frame []byte) (identity, error) {
	b, err := openFrame(identityFrame, frame)
	if err != nil {
		return identity{}, fmt.Errorf("identity: %w", err)
	}
	terminal, check, ok := cutShort(b)
	if !ok || len(terminal) == 0 || len(terminal) > maxTerminal {
		return identity{}, errors.New("identity: cut short")
	}
	return identity{string(terminal), append([]byte(nil), check...)}, nil
}

// check asks whether a store with this identity may be opened by s.
func (i identity) check(s *sealer) error {
	if i.terminal != s.terminal {
		return otherTerminal(i.terminal, s.terminal)
	}
	if err := s.checkKey(i.keyCheck); err != nil {
		return fmt.Errorf("%w: use the key it was born with; nothing was changed", err)
	}
	return nil
}

func otherTerminal(stored, wanted string) error {
	return fmt.Errorf("%w: it holds %s, this is %s; correct the terminal number or use another directory",
		ErrOtherTerminal, stored, wanted)
}
