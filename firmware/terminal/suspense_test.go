package terminal

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// suspended is a sale of which nobody can prove what became of it.
func (c *counter) suspended() txn.Txn {
	c.t.Helper()
	c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence }
	c.host.reverse = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence }
	x, err := c.sell(1250)
	require.NoError(c.t, err)
	for range 5 {
		_ = c.Recover(c.t.Context())
	}
	x, err = c.store.Get(x.ID)
	require.NoError(c.t, err)
	require.Equal(c.t, txn.Suspense, x.State)
	c.paper = nil
	return x
}

func resolve(charged bool) Resolve {
	return Resolve{Amount: 1250, Charged: charged, Evidence: "statement of 11/22, page 3", By: Signature{Number: "00"}, With: Signature{Number: "07"}}
}

func TestTwoPeopleCloseWhatNoMachineCouldProve(t *testing.T) {
	for _, charged := range []bool{true, false} {
		c := newCounter(t, Options{Operator: "01"})
		x := c.suspended()
		lines := len(x.Journal)
		closed, err := c.Resolve(t.Context(), x.ID, resolve(charged))
		require.NoError(t, err)
		assert.Equal(t, txn.Resolved, closed.State)
		assert.Equal(t, txn.Resolution{Charged: charged, Evidence: "statement of 11/22, page 3", By: "00", With: "07"}, closed.Resolved)
		assert.Equal(t, charged, closed.MayHold())
		assert.GreaterOrEqual(t, len(closed.Journal), min(lines+1, txn.MaxJournal))
		assert.Contains(t, closed.Journal[len(closed.Journal)-1].Event, "by 00 and 07")
		require.NoError(t, c.Recover(t.Context()), "no slip of it is owed any more")
		_, err = c.Resolve(t.Context(), x.ID, resolve(charged))
		require.ErrorIs(t, err, ErrResolve, "once")
	}
}

func TestNothingIsClosedWithoutAmountEvidenceAndTwoPeople(t *testing.T) {
	d := &desk{}
	c := newCounter(t, Options{Operator: "01"})
	x := c.suspended()
	for why, spoil := range map[string]func(*Resolve){
		"another than the one typed": func(r *Resolve) { r.Amount = 1251 },
		"8 to 60 bytes":              func(r *Resolve) { r.Evidence = "call" },
		"on one line":                func(r *Resolve) { r.Evidence = "statement\nof 11/22" },
		"to 60 bytes":                func(r *Resolve) { r.Evidence = strings.Repeat("x", 61) },
		"two different people":       func(r *Resolve) { r.With = r.By },
		"other than the cashier":     func(r *Resolve) { r.With.Number = "01" },
		"two different":              func(r *Resolve) { r.With.Number = "" },
	} {
		r := resolve(true)
		spoil(&r)
		_, err := c.Resolve(t.Context(), x.ID, r)
		require.ErrorContains(t, err, why)
	}
	c.host.approve = nil
	sale, err := c.sell(99)
	require.NoError(t, err)
	r := resolve(true)
	_, err = c.Resolve(t.Context(), sale.ID, r)
	require.ErrorContains(t, err, "waits for nobody")
	c.o.Supervisors = d
	r.By.Password = txn.NewPassword("open sesame")
	_, err = c.Resolve(t.Context(), x.ID, r)
	require.ErrorIs(t, err, errWrongPassword, "the second one has to prove it too")
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Suspense, x.State)
}

func TestWhatWaitsForPeopleIsTriedAgainOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, Options{})
		x := c.suspended()
		tries := 0
		c.host.reverse = func(x txn.Txn) (txn.Answer, error) {
			tries++
			stored, err := c.store.Get(x.ID)
			require.NoError(t, err)
			assert.Equal(t, 3+tries, stored.Tries.Made, "counted before it is made")
			if tries < 3 {
				return txn.Answer{Code: "96"}, nil
			}
			return txn.Answer{Code: "00", Approved: true}, nil
		}
		require.NoError(t, c.Recover(t.Context()))
		assert.Zero(t, tries, "not on the same day")
		for range 4 {
			time.Sleep(25 * time.Hour)
			require.NoError(t, c.Recover(t.Context()))
			require.NoError(t, c.Recover(t.Context()))
		}
		assert.Equal(t, 3, tries)
		x, err := c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Reversed, x.State)
		assert.Equal(t, []string{"reversed merchant 000001 false"}, c.paper)
	})
}

// 25 on another day proves nothing, however often it is asked.
func TestADailyTryThatProvesNothingLeavesItToPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, Options{})
		x := c.suspended()
		c.host.reverse = func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "25", Approved: true}, nil }
		time.Sleep(25 * time.Hour)
		require.NoError(t, c.Recover(t.Context()))
		x, err := c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Suspense, x.State)
		assert.Contains(t, x.Journal[len(x.Journal)-1].Event, "daily try answered 25")
		c.host.approve = nil
		_, err = c.sell(99)
		require.NoError(t, err, "and the shop trades meanwhile")
	})
}

func TestASuspendedAdviceThatWasBookedIsClosedByItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, Options{})
		c.host.advise = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence }
		x, err := c.offline(1250)
		require.NoError(t, err)
		for range 3 {
			_ = c.Recover(t.Context())
		}
		c.host.advise = func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "94"}, nil }
		time.Sleep(25 * time.Hour)
		require.NoError(t, c.Recover(t.Context()))
		x, err = c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Resolved, x.State)
		assert.True(t, x.MayHold())
		_, doubtful, err := c.Totals()
		require.NoError(t, err)
		assert.Len(t, doubtful, 1, "the acquirer's totals have it, and the settlement can say why")
	})
}

func TestABalancedBatchIsEvidenceForWhatWaits(t *testing.T) {
	c := newCounter(t, Options{})
	x := c.suspended()
	c.host.approve = nil
	_, err := c.sell(99)
	require.NoError(t, err)
	_, err = c.CloseBatch(t.Context(), nil)
	require.NoError(t, err)
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Suspense, x.State, "evidence closes nothing by itself")
	assert.Equal(t, "its batch was balanced without it", x.Journal[len(x.Journal)-1].Event)
}

// reasoned is a failure as the acquirer's room gives it.
type reasoned struct{ why txn.Reason }

func (r reasoned) Error() string              { return "the answer does not fit" }
func (r reasoned) ReversalReason() txn.Reason { return r.why }

func TestTheReasonFollowsTheFacts(t *testing.T) {
	c := newCounter(t, Options{})
	c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence }
	var reasons []txn.Reason
	c.host.reverse = func(x txn.Txn) (txn.Answer, error) {
		reasons = append(reasons, x.Reason)
		switch len(reasons) {
		case 1:
			return txn.Answer{}, reasoned{txn.OtherCause}
		case 2:
			return txn.Answer{}, errSilence
		}
		return txn.Answer{Code: "00", Approved: true}, nil
	}
	x, err := c.sell(1250)
	require.NoError(t, err)
	_ = c.Recover(t.Context())
	require.NoError(t, c.Recover(t.Context()))
	assert.Equal(t, []txn.Reason{txn.NoAnswer, txn.OtherCause, txn.OtherCause}, reasons)
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Reversed, x.State)
}

// An acquirer may document that 01 says of a reversal that its original had been refused; without its word 01 ends nothing.
func TestOnlyDocumentedCodesEndAReversal(t *testing.T) {
	for _, ends := range [][]string{nil, {"01"}} {
		c := newCounter(t, Options{ReversalEnds: ends})
		c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence }
		c.host.reverse = func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "01"}, nil }
		x, err := c.sell(1250)
		require.NoError(t, err)
		want := txn.Reversing
		if ends != nil {
			want = txn.Reversed
		}
		assert.Equal(t, want, x.State)
	}
}

// While a batch is being closed the acquirer may have ended it already, and then it no longer looks for what was in it.
func TestNotFoundWhileTheBatchIsBeingClosedProvesNothing(t *testing.T) {
	c := newCounter(t, Options{Lookalike: 1})
	x := c.suspended()
	notThere := txn.Answer{Code: "25", Approved: true}
	why, err := c.doubted(x, notThere)
	require.NoError(t, err)
	assert.Empty(t, why)
	c.held()
	c.host.end = func(txn.Closing) error { return errSilence }
	_, err = c.CloseBatch(t.Context(), nil)
	require.ErrorIs(t, err, errSilence)
	require.Equal(t, x.Batch, c.store.Batch())
	why, err = c.doubted(x, notThere)
	require.NoError(t, err)
	assert.Equal(t, "25 after its batch was closed proves nothing", why)
}
