package terminal

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func (c *counter) offline(amount txn.Amount) (txn.Txn, error) {
	o := c.order(amount, Named{})
	o.Authority = Authority{Code: "654321"}
	return c.OfflineSale(c.t.Context(), o)
}

// unreachable is an acquirer without a line.
func unreachable(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent }

func TestAnOfflineSaleIsDoneWithoutALine(t *testing.T) {
	c := newCounter(t, Options{})
	c.host.advise = unreachable
	x, err := c.offline(1250)
	require.NoError(t, err)
	assert.Equal(t, txn.Advising, x.State)
	assert.Equal(t, txn.Original{AuthCode: "654321", Mode: "01"}, x.Original)
	assert.Len(t, c.paper, 2)
	assert.Zero(t, c.host.requests)
	stored, err := c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Zero(t, stored.Tries.Made-stored.Tries.Unsent, "a try without a line does not count")

	_, err = c.sell(700)
	var owed *OwedError
	require.ErrorAs(t, err, &owed, "what asks the acquirer waits for the line")
	c.host.advise = nil
	_, err = c.sell(700)
	require.NoError(t, err)
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Approved, x.State, "told before the next sale")
}

func TestABatchIsSettledAfterItsOfflineSalesWereTold(t *testing.T) {
	c := newCounter(t, Options{})
	c.host.advise = unreachable
	_, err := c.offline(1250)
	require.NoError(t, err)
	_, err = c.CloseBatch(t.Context(), nil)
	require.Error(t, err)
	assert.Zero(t, c.host.asked, "no totals before all is told")
	c.host.advise = nil
	closed, err := c.CloseBatch(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, txn.Sum{Count: 1, Amount: 1250}, closed.Own.All().Debit)
	assert.Equal(t, 3, c.host.told, "at the counter, before the closing without a line, and before this one")
}

// Every step of its outcome that the disk refuses is told again, and 94 then says that it was accepted.
func TestAnOfflineSaleWhoseOutcomeCannotBeRecordedIsToldAgain(t *testing.T) {
	for _, state := range []txn.State{txn.Approved, txn.Suspense} {
		c := newCounter(t, Options{})
		c.host.advise = unreachable
		x, err := c.offline(1250)
		require.NoError(t, err)
		c.host.advise = func(txn.Txn) (txn.Answer, error) {
			switch {
			case state == txn.Suspense:
				return txn.Answer{Code: "61"}, nil
			case c.host.told > 2:
				return txn.Answer{Code: "94"}, nil
			}
			return txn.Answer{Code: "00", Approved: true}, nil
		}
		c.store.breaks = state
		require.Error(t, c.Recover(t.Context()))
		require.NoError(t, c.Recover(t.Context()))
		x, err = c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, state, x.State)
	}
	c := newCounter(t, Options{})
	c.store.breaks = txn.Advising
	x, err := c.offline(1250)
	require.NoError(t, err)
	assert.Equal(t, txn.Approved, x.State)
}

func TestAnOfflineSaleThatNobodyAnswersWaitsForPeople(t *testing.T) {
	c := newCounter(t, Options{ReversalTries: 3})
	c.host.advise = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence }
	x, err := c.offline(1250)
	require.NoError(t, err)
	assert.Len(t, c.paper, 2)
	for range 2 {
		_ = c.Recover(t.Context())
	}
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Suspense, x.State)
	assert.Equal(t, 3, c.host.told)
}

func TestAnAuthorisationThatCannotBeToldIsRefused(t *testing.T) {
	c := newCounter(t, Options{})
	for _, a := range []Authority{{}, {Code: "1234567"}, {Code: "12 45"}, {Code: "授权"}, {Code: "1", Mode: "1"}, {Code: "1", Mode: "a1"},
		{Code: "1", Unit: "123"}, {Code: "1", Unit: "1234567890x"}} {
		o := c.order(100, Named{})
		o.Authority = a
		_, err := c.OfflineSale(t.Context(), o)
		require.ErrorIs(t, err, ErrAuthority, "%+v", a)
	}
	assert.Zero(t, c.host.told)
}

func TestTheSameOfflineSaleIsMadeOnce(t *testing.T) {
	c := newCounter(t, Options{MaxBatch: 2})
	o := c.order(100, Named{})
	o.Authority = Authority{Code: "654321", Unit: "00001030000"}
	first, err := c.OfflineSale(t.Context(), o)
	require.NoError(t, err)
	again, err := c.OfflineSale(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, first.ID, again.ID)
	o.Authority.Code = "654322"
	_, err = c.OfflineSale(t.Context(), o)
	var taken *ReferenceError
	require.ErrorAs(t, err, &taken)
	_, err = c.offline(100)
	var lookalike *LookalikeError
	require.ErrorAs(t, err, &lookalike)
	_, err = c.offline(200)
	require.NoError(t, err)
	_, err = c.offline(300)
	require.ErrorIs(t, err, ErrBatch)
}
