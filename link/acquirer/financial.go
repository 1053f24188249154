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

// Request sends what needs a decision (0100, 0200): a sale, a pre-authorisation, a completion, or what undoes one, and returns
// the acquirer's verdict. Without working keys it signs in first. The evidence
// is valid beside an error too. The error is an *AnswerError.
//
// Answers 09 (still being processed) and 10 (part of the amount approved) are no verdict on a sale of one amount: they
// come as errors with reason 06, and the sale is to be reversed. After A0, 99, 77 and 97 the next message signs in first.
func (h *Host) Request(ctx context.Context, t txn.Txn, p txn.Presented) (txn.Answer, txn.Evidence, error) {
	reply, answer, sent, err := h.financial(ctx, t, true, func(w keys.Working) (*iso8583.Message, error) {
		if err := h.checkPIN(w, p); err != nil {
			return nil, err
		}
		return h.requestMessage(t, p)
	})
	if err == nil && t.Card.Entry == txn.Inserted {
		answer.Chip = txn.NewChip(reply.Bytes(55)) // the issuer's word to the card, which waits for it
	}
	return answer, sent, err
}

// Advise tells the acquirer of what is done (0220), for the first time or again: every copy has the same STAN, batch and
// fields, and the acquirer books one of them. The answer 94 to a copy says that an earlier one was accepted; it comes as
// a refusal, because only the caller knows of earlier copies. The error is an *AnswerError.
func (h *Host) Advise(ctx context.Context, t txn.Txn) (txn.Answer, txn.Evidence, error) {
	first := t.Tries.Made-t.Tries.Unsent <= 1
	_, answer, sent, err := h.financial(ctx, t, first, func(keys.Working) (*iso8583.Message, error) {
		return h.adviceMessage(t, !first)
	})
	return answer, sent, err
}

// Reverse sends the reversal of t as the profile has it: a 0400 with t's own STAN, or a 0420 that is repeated as 0421.
// Answer.Approved says that the acquirer's code ends the repetition: 00, 12 or 25. 25 proves less than 00, because a host also answers it for what it reversed
// before and for yesterday's business, so the caller looks at Answer.Code again. The error is an *AnswerError; its reason
// is the one that the next try should carry.
func (h *Host) Reverse(ctx context.Context, t txn.Txn) (txn.Answer, txn.Evidence, error) {
	_, answer, sent, err := h.financial(ctx, t, false, func(keys.Working) (*iso8583.Message, error) {
		return h.reversalMessage(t, t.Tries.Made-t.Tries.Unsent > 1)
	})
	var failure *AnswerError
	if errors.As(err, &failure) {
		if failure.Reason == txn.NoAnswer {
			failure.Reason = t.Reason
		} else {
			failure.Reason = txn.OtherCause
		}
	}
	return answer, sent, err
}

// financial makes one exchange under a MAC. The message it returns is the answer that counts; with an error there is none.
func (h *Host) financial(ctx context.Context, t txn.Txn, fresh bool, build func(keys.Working) (*iso8583.Message, error)) (
	*iso8583.Message, txn.Answer, txn.Evidence, error) {
	working, err := h.ready(ctx, t, fresh)
	if err != nil {
		return nil, txn.Answer{}, txn.Evidence{}, err
	}
	request, err := build(working)
	if err == nil {
		defer request.Reset() // it holds card data
		err = errors.Join(h.hideTracks(working, request), h.sign(working, request))
	}
	if err != nil {
		return nil, txn.Answer{}, txn.Evidence{}, unsent("the message cannot be built", err)
	}
	reply, err := h.exchange(ctx, request)
	if err != nil {
		failure := unanswered(err)
		return nil, txn.Answer{}, failure.Sent, failure
	}
	answer, failure := h.judge(working, request, reply.Message)
	if failure != nil {
		failure.Sent = reply.Sent
		return nil, txn.Answer{}, reply.Sent, failure
	}
	return reply.Message, answer, reply.Sent, nil
}

// ready gives the working keys, signing in if there are none. A request that was recorded under another batch than the
// acquirer names at that sign-in would be refused (77): it is not sent, and begins again under the right one.
func (h *Host) ready(ctx context.Context, t txn.Txn, fresh bool) (keys.Working, error) {
	if h.fault != nil {
		return keys.Working{}, unsent("the acquirer's configuration is not usable", h.fault)
	}
	if t.Terminal != h.o.Terminal {
		return keys.Working{}, unsent(fmt.Sprintf("the transaction belongs to terminal %q, the keys to %s", t.Terminal, h.o.Terminal), nil)
	}
	if t.Profile != h.o.Profile.Mark {
		return keys.Working{}, unsent(fmt.Sprintf("the transaction was begun under profile %q and this is %q: start with that one until it is finished",
			orElse(t.Profile, profile.UnionPayName), orElse(h.o.Profile.Mark, profile.UnionPayName)), nil)
	}
	if w := h.current(); !w.MAC.IsZero() {
		return w, nil
	}
	batch, err := h.signIn(ctx)
	if err != nil {
		return keys.Working{}, unsent("not signed in", err)
	}
	if fresh && t.Batch != batch {
		return keys.Working{}, unsent(fmt.Sprintf("the acquirer has opened batch %06d and the transaction has %06d: begin again", batch, t.Batch), nil)
	}
	w := h.current()
	if w.MAC.IsZero() {
		return keys.Working{}, unsent("signed in, and signed out again at once", nil)
	}
	return w, nil
}

// sign adds the MAC, field 64 or 128, over the message as it will travel, the bit of that field set.
func (h *Host) sign(w keys.Working, m *iso8583.Message) error {
	field := m.MACField()
	m.SetBytes(field, make([]byte, keys.MACLength))
	packed, err := h.o.Profile.Dialect.Pack(nil, m)
	if err != nil {
		return err
	}
	defer clear(packed)
	covered := h.o.Profile.Dialect.Covered(m, packed)
	if covered == nil {
		return fmt.Errorf("field %d would not be the last of the message", field)
	}
	compute := h.o.MAC.Field64
	if h.o.Profile.Whole {
		compute = h.o.MAC.Whole
	}
	mac, err := compute(w.MAC, covered)
	m.SetBytes(field, mac[:])
	return err
}
