package acquirer

import (
	"context"
	"errors"
	"fmt"

	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// Enquire asks for what a card's account holds (0200 of type 01). It takes a STAN of its own and leaves nothing behind:
// whatever becomes of the question, nothing is owed. Without working keys it signs in first. An enquiry that the issuer
// refused comes with its code and no balances; the error is an *AnswerError, or says what is wrong with field 54.
func (h *Host) Enquire(ctx context.Context, c txn.Currency, p txn.Presented) (txn.Enquiry, error) {
	e := txn.Enquiry{Terminal: h.o.Terminal, Merchant: h.o.Merchant, Operator: h.o.Operator, Card: p.Card}
	message, answer, _, err := h.financial(ctx, txn.Txn{Terminal: h.o.Terminal, Profile: h.o.Profile.Mark}, false, func(w keys.Working) (*iso8583.Message, error) {
		if err := h.checkPIN(w, p); err != nil {
			return nil, err
		}
		stan, err := h.o.STAN()
		if err != nil {
			return nil, fmt.Errorf("no STAN: %w", err)
		}
		e.Batch, e.STAN = h.o.Batch(), stan
		return h.enquiryMessage(e, c, p)
	})
	if err != nil {
		return e, err
	}
	if e.Answer = answer; !answer.Approved {
		return e, nil
	}
	if !message.Has(54) {
		return e, errors.New("the answer tells no balance (field 54)")
	}
	e.Balances, err = txn.ParseBalances(message.Get(54))
	return e, err
}

func (h *Host) enquiryMessage(e txn.Enquiry, c txn.Currency, p txn.Presented) (*iso8583.Message, error) {
	content := h.managing("enquiry", e.STAN)
	content.batch, content.currency, content.scheme = e.Batch, c, organisationOf(e.Card.PAN)
	content.entry = e.Card.Entry
	m, err := h.write(h.o.Profile.Form(profile.Balance), content)
	if err != nil {
		return nil, err
	}
	if err := setEntry(m, e.Card); err != nil {
		return nil, err
	}
	h.setPINSerial(m, p.PIN)
	return m, h.setCard(m, e.Card, p)
}
