package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"posagent/link/acquirer"
	"posagent/txnstore/txn"
)

// tellingHost writes into the log why an answer did not count; the journal has room for a few words only.
type tellingHost struct {
	*acquirer.Host
	log  *slog.Logger
	held func() error // what forbids to send, if anything
}

// mayLeave is asked before anything financial is sent: what is forbidden has not been sent.
func (h tellingHost) mayLeave() error {
	if err := h.held(); err != nil {
		return fmt.Errorf("%w: %w", txn.ErrNotSent, err)
	}
	return nil
}

// SignIn signs in once more where the acquirer has named a new batch.
func (h tellingHost) SignIn(ctx context.Context) error {
	if err := h.held(); err != nil {
		return err
	}
	err := h.Host.SignIn(ctx)
	if errors.Is(err, errOnceMore) {
		err = h.Host.SignIn(ctx)
	}
	return err
}

func (h tellingHost) Request(ctx context.Context, x txn.Txn, p txn.Presented) (txn.Answer, txn.Evidence, error) {
	if err := h.mayLeave(); err != nil {
		return txn.Answer{}, txn.Evidence{}, err
	}
	answer, sent, err := h.Host.Request(ctx, x, p)
	h.tell("request", x, err)
	return answer, sent, err
}

func (h tellingHost) Advise(ctx context.Context, x txn.Txn) (txn.Answer, txn.Evidence, error) {
	if err := h.mayLeave(); err != nil {
		return txn.Answer{}, txn.Evidence{}, err
	}
	answer, sent, err := h.Host.Advise(ctx, x)
	h.tell("advice", x, err)
	return answer, sent, err
}

func (h tellingHost) Reverse(ctx context.Context, x txn.Txn) (txn.Answer, txn.Evidence, error) {
	if err := h.mayLeave(); err != nil {
		return txn.Answer{}, txn.Evidence{}, err
	}
	answer, sent, err := h.Host.Reverse(ctx, x)
	h.tell("reversal", x, err)
	return answer, sent, err
}

func (h tellingHost) Settle(ctx context.Context, c txn.Closing) (txn.Totals, txn.Verdict, txn.Verdict, error) {
	if err := h.held(); err != nil {
		return txn.Totals{}, "", "", err
	}
	return h.Host.Settle(ctx, c)
}

func (h tellingHost) Upload(ctx context.Context, c txn.Closing, all []txn.Txn) error {
	if err := h.held(); err != nil {
		return err
	}
	return h.Host.Upload(ctx, c, all)
}

func (h tellingHost) EndBatch(ctx context.Context, c txn.Closing) error {
	if err := h.held(); err != nil {
		return err
	}
	return h.Host.EndBatch(ctx, c)
}

func (h tellingHost) tell(what string, x txn.Txn, err error) {
	if err != nil {
		h.log.Warn(what+" has no answer that counts", "stan", x.STAN, "batch", x.Batch, "cause", err)
	}
}
