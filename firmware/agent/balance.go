package agent

import (
	"context"

	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Enquiry is what a card's account holds. It is told to whoever asked and kept nowhere.
type Enquiry struct {
	STAN     string          `json:"stan"`
	Card     string          `json:"card"` // masked
	Code     string          `json:"code"`
	RRN      string          `json:"rrn,omitempty"`
	Issuer   string          `json:"issuer,omitempty"`
	Balances []BalanceAmount `json:"balances,omitempty"`
}

// BalanceAmount is one amount of an account.
type BalanceAmount struct {
	Kind     words.Pair `json:"kind"`
	Account  string     `json:"account"` // two digits
	Currency string     `json:"currency"`
	Amount   string     `json:"amount"` // with a minus where the account is in debit
}

func enquiryOf(e txn.Enquiry) *Enquiry {
	q := &Enquiry{STAN: sixDigits(e.STAN), Card: e.Card.PAN.Masked(), Code: e.Answer.Code, RRN: e.Answer.RRN, Issuer: e.Answer.Issuer}
	for _, b := range e.Balances {
		q.Balances = append(q.Balances, BalanceAmount{words.OfBalance(b), b.Account, b.Currency.Letters, b.Currency.Format(b.Amount)})
	}
	return q
}

// balance runs an enquiry. The log says that there was one, and not what it told.
func (a *Agent) balance(ctx context.Context, q Request, view *saleView) Event {
	over := a.watch(view)
	e, err := a.terminal.Balance(ctx, q.Print, func(e terminal.Event) {
		view.stage(e.Stage, "", e.Txn)
		a.signStage(view, e)
	})
	a.cardAwaited(view, false)
	over()
	a.log.Info("balance", "stan", e.STAN, "code", e.Answer.Code, "cause", err)
	o := words.OutcomeRefused
	if e.Answer.Approved {
		o = words.OutcomeApproved
	} else if e.Answer.Code != "" {
		o = words.OutcomeDeclined
	}
	text := words.OfEnquiry(o)
	event := Event{Event: "outcome", Outcome: o, Text: &text}
	if e.Answer.Code != "" {
		advice := words.Advice(e.Answer.Code)
		event.Advice, event.Enquiry = &advice, enquiryOf(e)
	}
	if err != nil {
		event.Error, event.Fault = err.Error(), faultOf(err)
	}
	return event
}
