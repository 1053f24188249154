package terminal

import (
	"context"
	"fmt"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// reservedEnquiry admits an enquiry in a sale's place. No caller's reference can be this one.
const reservedEnquiry = "\x00balance"

// Balance asks the issuer what a card's account holds. It is no transaction: nothing of it is recorded, and a power cut or
// a lost answer owes nothing. What is owed from before is settled first, as before every message with money in it. With
// paper the cardholder gets a slip at once; one that does not come out is not owed, and the error beside the enquiry says
// why. ctx may cancel it until the card is read.
//
// Errors: those of a sale that begin nothing, and what the host says when no answer counts.
func (t *Terminal) Balance(ctx context.Context, paper bool, progress func(Event)) (txn.Enquiry, error) {
	if !t.admit(reservedEnquiry) {
		return txn.Enquiry{}, ErrBusy
	}
	defer t.dismiss()
	if err := t.takeTurn(ctx); err != nil {
		return txn.Enquiry{}, err
	}
	defer t.giveTurn()
	o := Order{Progress: progress}
	if err := t.makeReady(ctx, o); err != nil {
		return txn.Enquiry{}, err
	}
	o.say(words.Present, txn.Txn{})
	presented, err := t.reader.Present(ctx, 0, t.o.Currency)
	if err != nil {
		return txn.Enquiry{}, fmt.Errorf("%w: %w", ErrNoCard, err)
	}
	t.letGo(ctx, presented.Card) // all that is wanted of it was read
	o.say(words.CardRead, txn.Txn{})
	if presented, err = t.takePIN(ctx, o, presented, 0); err != nil {
		return txn.Enquiry{}, err
	}
	if err := ctx.Err(); err != nil {
		return txn.Enquiry{}, fmt.Errorf("cancelled before it was sent: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	e, err := t.host.Enquire(ctx, t.o.Currency, presented)
	if err != nil {
		return txn.Enquiry{}, fmt.Errorf("no balance: %w", err)
	}
	e.At = t.o.Now()
	if !e.Answer.Approved {
		return e, nil
	}
	o.say(words.Enquired, txn.Txn{})
	if !paper {
		return e, nil
	}
	o.say(words.Printing, txn.Txn{})
	if err := t.printer.Balance(ctx, e); err != nil {
		return e, fmt.Errorf("the balance was not printed: %w", err)
	}
	return e, nil
}
