package acquirer

import (
	"context"
	"errors"
	"fmt"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

const (
	processingBalance = "310000"
	typeBalance       = "01" // field 60.1
)

// Enquire asks for what a card's account holds (0200 of type 01). It takes a STAN of its own and leaves nothing behind:
// whatever becomes of the question, nothing is owed. Without working keys it signs in first. An enquiry that the issuer
// refused comes with its code and no balances; the error is an *AnswerError, or says what is wrong with field 54.
func (h *Host) Enquire(ctx context.Context, c txn.Currency, p txn.Presented) (txn.Enquiry, error) {
	e := txn.Enquiry{Terminal: h.o.Terminal, Merchant: h.o.Merchant, Operator: h.o.Operator, Card: p.Card}
	message, answer, _, err := h.financial(ctx, txn.Txn{Terminal: h.o.Terminal}, false, func() (*iso8583.Message, error) {
		stan, err := h.o.STAN()
		if err != nil {
			return nil, fmt.Errorf("no STAN: %w", err)
		}
		e.Batch, e.STAN = h.o.Batch(), stan
		return enquiryMessage(e, c, p)
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

func enquiryMessage(e txn.Enquiry, c txn.Currency, p txn.Presented) (*iso8583.Message, error) {
	m := new(iso8583.Message)
	m.SetMTI(mtiRequest)
	m.Set(3, processingBalance)
	m.Set(11, fmt.Sprintf("%06d", e.STAN))
	m.Set(25, conditionNormal)
	m.Set(41, e.Terminal)
	m.Set(42, e.Merchant)
	m.Set(49, c.Number)
	m.Set(60, private60(typeBalance, e.Batch, e.Card.Entry))
	if err := setEntry(m, e.Card); err != nil {
		return nil, err
	}
	return m, setCard(m, e.Card, p)
}
