package agent

import (
	"context"
	"errors"
	"log/slog"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/txnstore/txn"
)

// tellingHost writes into the log why an answer did not count; the journal has room for a few words only. What repeats or
// undoes a request goes first to the acquirer's address that got it.
type tellingHost struct {
	*acquirer.Host
	log *slog.Logger
}

// SignIn signs in once more where the acquirer has named a new batch.
func (h tellingHost) SignIn(ctx context.Context) error {
	err := h.Host.SignIn(ctx)
	if errors.Is(err, errOnceMore) {
		err = h.Host.SignIn(ctx)
	}
	return err
}

func (h tellingHost) Request(ctx context.Context, x txn.Txn, p txn.Presented) (txn.Answer, txn.Evidence, error) {
	answer, sent, err := h.Host.Request(ctx, x, p)
	h.tell("request", x, err)
	return answer, sent, err
}

func (h tellingHost) Advise(ctx context.Context, x txn.Txn) (txn.Answer, txn.Evidence, error) {
	answer, sent, err := h.Host.Advise(link.Prefer(ctx, x.Sent.Address), x)
	h.tell("advice", x, err)
	return answer, sent, err
}

func (h tellingHost) Reverse(ctx context.Context, x txn.Txn) (txn.Answer, txn.Evidence, error) {
	answer, sent, err := h.Host.Reverse(link.Prefer(ctx, x.Sent.Address), x)
	h.tell("reversal", x, err)
	return answer, sent, err
}

func (h tellingHost) Enquire(ctx context.Context, c txn.Currency, p txn.Presented) (txn.Enquiry, error) {
	e, err := h.Host.Enquire(ctx, c, p)
	if err != nil {
		h.log.Warn("enquiry has no answer that counts", "stan", e.STAN, "batch", e.Batch, "cause", err)
	}
	return e, err
}

func (h tellingHost) tell(what string, x txn.Txn, err error) {
	if err != nil {
		h.log.Warn(what+" has no answer that counts", "stan", x.STAN, "batch", x.Batch, "cause", err)
	}
}
