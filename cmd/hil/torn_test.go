package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/firmware/agent"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// The power fails while a message is on its way: the acquirer has its first bytes and nobody has the rest. Then the same
// with the answer.
func TestNoTornMessageLosesMoney(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]bool{"request": false, "answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bench(t, settings{Bearers: []string{"tcp"}, Answer: patience, Guard: 20 * time.Millisecond,
				Retry: 50 * time.Millisecond, Lookalike: 5 * time.Minute})
			torn := 0
			for bytes := 0; r.saleTornAt(t, bytes, answers); bytes += 1 + bytes/8 {
				torn++
			}
			require.Empty(t, r.audit(t))
			require.Greater(t, torn, 15, "the message is longer than that")
			t.Logf("%d cuts inside the %s", torn, name)
		})
	}
}

// saleTornAt lets that many bytes of a sale pass. It reports whether the message was longer.
func (r *rig) saleTornAt(t *testing.T, bytes int, answers bool) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testWithin)
	defer cancel()
	require.NoError(t, r.boot(ctx))
	sell := func(reference, amount string) (agent.Event, error) {
		_, err := r.tell("devices", "reader present visa-4242")
		require.NoError(t, err)
		return r.ask(ctx, agent.Request{Op: "sale", Reference: reference, Amount: amount}, nil)
	}
	signedIn, err := sell(fmt.Sprintf("first-%d", bytes), fmt.Sprintf("1.%02d", bytes%100))
	require.NoError(t, err)
	require.Equal(t, words.OutcomeApproved, signedIn.Outcome, signedIn.Error)

	reference := fmt.Sprintf("torn-%d", bytes)
	r.cable.failAfter(bytes, answers, r.terminal.kill)
	e, err := sell(reference, fmt.Sprintf("%d.00", 2+bytes))
	torn := err != nil
	if !torn {
		require.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
		require.NoError(t, r.settled(ctx))
		r.cutPower()
	}
	r.cable.pull()
	require.NoError(t, r.cable.replug())
	want := txn.Reversed
	if !torn {
		want = txn.Approved
	}
	require.Equal(t, want, r.stateOf(t, ctx, reference, bytes))
	return torn
}
