package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// takePIN asks for the PIN of a card that wants one, before anything is recorded. Whoever cancels it, or a PIN pad that does
// not work, ends the request with nothing begun: a card that wants a PIN is not charged without having asked for it. What
// comes back says whether there is a PIN, and the PIN itself lives no longer than the request.
func (t *Terminal) takePIN(ctx context.Context, o Order, p txn.Presented, a txn.Amount) (txn.Presented, error) {
	if t.o.PINPad == nil || !p.AsksPIN {
		return p, nil
	}
	o.say(words.EnterPIN, txn.Txn{})
	block, err := t.o.PINPad.Enter(ctx, p, a, t.o.Currency)
	switch {
	case err == nil:
	case ctx.Err() != nil, errors.Is(err, ErrNoPIN):
		return p, err
	default:
		return p, fmt.Errorf("%w: %w", ErrPINPad, err)
	}
	p.PIN, p.Card.PIN = block, !block.IsZero()
	return p, nil
}
