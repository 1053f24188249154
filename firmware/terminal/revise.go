package terminal

import "context"

// Revise changes the merchant's policy between two transactions, never within one. It waits for the one in progress.
func (t *Terminal) Revise(ctx context.Context, change func(*Options)) error {
	if err := t.takeTurn(ctx); err != nil {
		return err
	}
	defer t.giveTurn()
	change(&t.o)
	return nil
}
