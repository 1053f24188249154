package terminal

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func TestNoChargeIsAboveItsLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour) // noon
		c := newCounter(t, Options{MaxCharge: 1000, MaxDay: 2500})
		_, err := c.sell(1001)
		require.ErrorIs(t, err, ErrLimit)
		for _, amount := range []txn.Amount{1000, 900} {
			_, err = c.sell(amount)
			require.NoError(t, err)
		}
		c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "51"}, nil }
		x, err := c.sell(600)
		require.NoError(t, err)
		require.Equal(t, txn.Declined, x.State)
		c.host.approve = nil
		_, err = c.sell(601)
		require.ErrorIs(t, err, ErrLimit, "a decline does not count, and what is held does")
		require.ErrorContains(t, err, "19.00 are charged")
		_, err = c.sell(600)
		require.NoError(t, err)
		sent := c.host.requests
		_, err = c.offline(1)
		require.ErrorIs(t, err, ErrLimit)
		_, err = c.PreAuth(t.Context(), c.order(1, Named{}))
		require.ErrorIs(t, err, ErrLimit)
		assert.Equal(t, sent, c.host.requests)
		time.Sleep(24 * time.Hour)
		_, err = c.sell(999)
		require.NoError(t, err, "another day")
	})
}

func TestADayOfManySalesIsStillCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour)
		c := newCounter(t, Options{MaxDay: 7000, Lookalike: time.Nanosecond})
		want := txn.Amount(0)
		for i := range 70 {
			want += txn.Amount(60 + i%20)
			_, err := c.sell(txn.Amount(60 + i%20))
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		sum, err := c.chargedToday()
		require.NoError(t, err)
		assert.Equal(t, want, sum)
		_, err = c.sell(7000 - want + 1)
		require.ErrorIs(t, err, ErrLimit)
	})
}

func TestABlockedCardIsNotCharged(t *testing.T) {
	broken := errors.New("no such file")
	blocked, fault := true, error(nil)
	c := newCounter(t, Options{Blocked: func(txn.PAN) (bool, error) { return blocked, fault }})
	_, err := c.sell(100)
	require.ErrorIs(t, err, ErrBlocked)
	blocked, fault = false, broken
	_, err = c.sell(100)
	require.ErrorIs(t, err, broken, "a list that cannot be asked charges nobody")
	assert.Zero(t, c.host.requests)
	fault = nil
	sale := c.held()
	blocked = true
	_, err = c.void(sale)
	require.NoError(t, err, "money may still go back")
}
