package terminal

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

func TestABalanceIsToldAndKeptNowhere(t *testing.T) {
	c := newCounter(t, Options{})
	var stages []words.Stage
	e, err := c.Terminal.Balance(t.Context(), true, func(e Event) { stages = append(stages, e.Stage) })
	require.NoError(t, err)
	assert.Equal(t, txn.Amount(498750), e.Balances[0].Amount)
	assert.Equal(t, []words.Stage{words.Present, words.CardRead, words.Enquired, words.Printing}, stages)
	assert.Equal(t, []string{"balance 498750"}, c.paper)
	list, err := c.store.List(10)
	require.NoError(t, err)
	assert.Empty(t, list)

	c.paper = nil
	_, err = c.Terminal.Balance(t.Context(), false, nil)
	require.NoError(t, err)
	assert.Empty(t, c.paper, "only who asks gets paper")
}

func TestABalanceThatFailsOwesNothing(t *testing.T) {
	c := newCounter(t, Options{})
	c.host.enquire = func() (txn.Enquiry, error) { return txn.Enquiry{}, errSilence }
	_, err := c.Terminal.Balance(t.Context(), true, nil)
	require.ErrorIs(t, err, errSilence)
	c.host.enquire = func() (txn.Enquiry, error) { return txn.Enquiry{Answer: txn.Answer{Code: "55"}}, nil }
	e, err := c.Terminal.Balance(t.Context(), true, nil)
	require.NoError(t, err)
	assert.Equal(t, "55", e.Answer.Code)
	c.host.enquire, c.jammed = nil, errors.New("no paper")
	e, err = c.Terminal.Balance(t.Context(), true, nil)
	require.ErrorIs(t, err, c.jammed)
	assert.True(t, e.Answer.Approved, "the balance is known without its slip")
	assert.Empty(t, c.paper)
	owed, err := c.store.Owed()
	require.NoError(t, err)
	assert.Empty(t, owed)
	require.NoError(t, c.Recover(t.Context()))
	assert.Equal(t, 3, c.host.enquired, "nothing is asked again by itself")
}

// What is owed from before comes first, as before a sale.
func TestABalanceWaitsForWhatIsOwed(t *testing.T) {
	c := newCounter(t, Options{})
	c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence }
	c.host.reverse = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent }
	_, err := c.sell(1250)
	require.NoError(t, err)
	_, err = c.Terminal.Balance(t.Context(), false, nil)
	var owed *OwedError
	require.ErrorAs(t, err, &owed)
	assert.Zero(t, c.host.enquired)
}

func TestAnEnquiryCancelledInTimeAsksNothing(t *testing.T) {
	c := newCounter(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Terminal.Balance(ctx, false, nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, c.host.enquired)
}
