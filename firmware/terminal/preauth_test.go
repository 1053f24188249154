package terminal

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// approvesHolds is an acquirer's approval that can be named days later.
func approvesHolds(x txn.Txn) (txn.Answer, error) {
	return txn.Answer{Code: "00", Approved: true, RRN: fmt.Sprintf("%012d", x.STAN), AuthCode: fmt.Sprintf("A%05d", x.STAN), HostDate: "1121"}, nil
}

func (c *counter) order(amount txn.Amount, n Named) Order {
	c.sold++
	return Order{Reference: fmt.Sprint("order ", c.sold), Amount: amount, Approver: "00", Original: n}
}

// preauthed is a pre-authorisation in force.
func (c *counter) preauthed(amount txn.Amount) txn.Txn {
	c.t.Helper()
	c.host.approve = approvesHolds
	o := c.order(amount, Named{})
	o.Again = true
	x, err := c.PreAuth(c.t.Context(), o)
	require.NoError(c.t, err)
	require.Equal(c.t, txn.Approved, x.State)
	c.paper = nil
	return x
}

func (c *counter) completed(hold txn.Txn, amount txn.Amount) txn.Txn {
	c.t.Helper()
	x, err := c.Complete(c.t.Context(), c.order(amount, Named{Reference: hold.Reference}))
	require.NoError(c.t, err)
	require.Equal(c.t, txn.Approved, x.State)
	return x
}

func TestACompletionIsNamedByCodeAndDateAndFoundByItsCard(t *testing.T) {
	c := newCounter(t, Options{})
	hold := c.preauthed(50000)
	x, err := c.Complete(t.Context(), c.order(48000, Named{AuthCode: hold.Answer.AuthCode, Date: "1121"}))
	require.NoError(t, err)
	assert.Equal(t, hold.ID, x.Original.ID, "these books hold it")
	assert.Equal(t, hold.Answer.AuthCode, x.Original.AuthCode)
	_, err = c.Complete(t.Context(), c.order(100, Named{AuthCode: hold.Answer.AuthCode, Date: "1121"}))
	require.ErrorIs(t, err, ErrOriginal)
	require.ErrorContains(t, err, "has a completion already")

	unknown, err := c.Complete(t.Context(), c.order(99900, Named{AuthCode: "Z99999", Date: "1120"}))
	require.NoError(t, err, "the acquirer alone knows it, and alone judges")
	assert.Zero(t, unknown.Original.ID)
}

func TestACompletionStaysWithinItsCap(t *testing.T) {
	for limit, most := range map[int]txn.Amount{0: 57500, 100: 50000, 120: 60000} {
		c := newCounter(t, Options{CompletionCap: limit})
		hold := c.preauthed(50000)
		for _, n := range []Named{{Reference: hold.Reference}, {STAN: hold.STAN}, {AuthCode: hold.Answer.AuthCode, Date: "1121"}} {
			_, err := c.Complete(t.Context(), c.order(most+1, n))
			require.ErrorIs(t, err, txn.ErrAmount)
		}
		assert.Equal(t, 1, c.host.requests)
		c.completed(hold, most)
	}
}

func TestACancelledCompletionPutsItsHoldBackIntoForce(t *testing.T) {
	c := newCounter(t, Options{})
	hold := c.preauthed(50000)
	completion := c.completed(hold, 48000)
	_, err := c.CancelPreAuth(t.Context(), c.order(0, Named{Reference: hold.Reference}))
	require.ErrorContains(t, err, "has a completion already")
	cancel, err := c.CancelCompletion(t.Context(), c.order(0, Named{STAN: completion.STAN}))
	require.NoError(t, err)
	assert.Equal(t, txn.Amount(48000), cancel.Amount)
	assert.Equal(t, completion.ID, cancel.Original.ID)
	_, err = c.CancelCompletion(t.Context(), c.order(0, Named{STAN: completion.STAN}))
	require.ErrorContains(t, err, "has a completion-cancel already")
	gone, err := c.CancelPreAuth(t.Context(), c.order(0, Named{Reference: hold.Reference}))
	require.NoError(t, err)
	assert.Equal(t, txn.Amount(50000), gone.Amount)
	_, err = c.Complete(t.Context(), c.order(100, Named{Reference: hold.Reference}))
	require.ErrorContains(t, err, "has a preauth-cancel already")
}

func TestWhatIsHeldForLaterIsInNoSettlement(t *testing.T) {
	c := newCounter(t, Options{})
	hold := c.preauthed(50000)
	other := c.preauthed(20000)
	completion := c.completed(hold, 57500)
	own, _, err := c.Totals()
	require.NoError(t, err)
	assert.Equal(t, txn.Sums{Debit: txn.Sum{Count: 1, Amount: 57500}}, own.All())
	_, err = c.CancelCompletion(t.Context(), c.order(0, Named{STAN: completion.STAN}))
	require.NoError(t, err)
	_, err = c.CancelPreAuth(t.Context(), c.order(0, Named{Reference: other.Reference}))
	require.NoError(t, err)
	own, _, err = c.Totals()
	require.NoError(t, err)
	assert.Equal(t, txn.Sums{Debit: txn.Sum{Count: 1, Amount: 57500}, Credit: txn.Sum{Count: 1, Amount: 57500}}, own.All())

	kept, err := c.store.Recount()
	require.NoError(t, err)
	assert.True(t, kept.Agrees())
	c.host.settle = func(txn.Closing) (txn.Totals, txn.Verdict, txn.Verdict, error) {
		return txn.Totals{}, txn.Unbalanced, txn.Balanced, nil
	}
	_, err = c.CloseBatch(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, c.host.details, 2, "only what is settled is told")
	late := c.completed(hold, 100)
	assert.Greater(t, late.Batch, hold.Batch, "a pre-authorisation outlives its batch")
}

// Every kind that is asked for is recorded before it is sent, and whatever step of its outcome the disk refuses, it is reversed.
func TestTheWholeFamilyIsReversedWhenItsFateIsUnknown(t *testing.T) {
	deeds := map[txn.Kind]func(*counter) (txn.Txn, error){
		txn.PreAuth: func(c *counter) (txn.Txn, error) { return c.PreAuth(c.t.Context(), c.order(700, Named{})) },
		txn.PreAuthCancel: func(c *counter) (txn.Txn, error) {
			return c.CancelPreAuth(c.t.Context(), c.order(0, Named{Reference: "order 1"}))
		},
		txn.Completion: func(c *counter) (txn.Txn, error) {
			return c.Complete(c.t.Context(), c.order(50000, Named{Reference: "order 1"}))
		},
		txn.CompletionCancel: func(c *counter) (txn.Txn, error) {
			return c.CancelCompletion(c.t.Context(), c.order(0, Named{Reference: "order 3"}))
		},
	}
	for kind, do := range deeds {
		for state, answer := range map[txn.State]func(txn.Txn) (txn.Answer, error){
			txn.Pending:   approvesHolds,
			txn.Declined:  func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "51"}, nil },
			txn.Reversing: func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence },
			txn.Abandoned: func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent },
			txn.Approved:  approvesHolds,
			"silence":     func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence },
		} {
			t.Run(fmt.Sprint(kind, " ", state), func(t *testing.T) {
				c := newCounter(t, Options{})
				c.preauthed(50000)
				c.completed(c.preauthed(9000), 9000) // orders 2 and 3
				sent := c.host.requests
				c.paper = nil
				c.store.breaks = state
				c.host.approve = func(x txn.Txn) (txn.Answer, error) {
					stored, err := c.store.Get(x.ID)
					require.NoError(t, err)
					require.Equal(t, txn.Pending, stored.State, "nothing is sent before it is durable")
					return answer(x)
				}
				x, err := do(c)
				if state == txn.Pending {
					require.ErrorIs(t, err, errDisk)
					require.Equal(t, sent, c.host.requests)
					return
				}
				if state != txn.Approved && state != "silence" {
					require.ErrorIs(t, err, errDisk)
				}
				require.Equal(t, kind, x.Kind)
				require.NoError(t, c.Recover(t.Context()))
				x, err = c.store.Get(x.ID)
				require.NoError(t, err)
				assert.Equal(t, txn.Reversed, x.State)
				assert.Equal(t, []string{fmt.Sprintf("reversed merchant %06d false", x.STAN)}, c.paper)
				c.host.approve = approvesHolds
				again, err := do(c)
				require.NoError(t, err)
				assert.Equal(t, txn.Approved, again.State, "and may then be made again")
			})
		}
	}
}

func TestTheFamilyAsksForASupervisorWhereMoneyGoesBack(t *testing.T) {
	c := newCounter(t, Options{Operator: "01"})
	hold := c.preauthed(50000)
	completion := c.completed(c.preauthed(100), 100)
	for _, approver := range []string{"", "01", "0000"} {
		o := c.order(0, Named{Reference: hold.Reference})
		o.Approver = approver
		_, err := c.CancelPreAuth(t.Context(), o)
		require.ErrorIs(t, err, ErrApproval)
		o.Original = Named{STAN: completion.STAN}
		_, err = c.CancelCompletion(t.Context(), o)
		require.ErrorIs(t, err, ErrApproval)
	}
	assert.Equal(t, 3, c.host.requests)
}

func TestWhatCannotBeFollowedIsRefused(t *testing.T) {
	c := newCounter(t, Options{})
	sale := c.held()
	hold := c.preauthed(50000)
	for why, do := range map[string]func() (txn.Txn, error){
		"no preauth":    func() (txn.Txn, error) { return c.Complete(t.Context(), c.order(100, Named{STAN: sale.STAN})) },
		"no completion": func() (txn.Txn, error) { return c.CancelCompletion(t.Context(), c.order(0, Named{STAN: hold.STAN})) },
		"no sale":       func() (txn.Txn, error) { return c.Void(t.Context(), c.order(0, Named{STAN: hold.STAN})) },
		"name it":       func() (txn.Txn, error) { return c.Complete(t.Context(), c.order(100, Named{})) },
		"cancelled as a whole": func() (txn.Txn, error) {
			return c.CancelPreAuth(t.Context(), c.order(49999, Named{STAN: hold.STAN}))
		},
		"date as MMDD": func() (txn.Txn, error) {
			return c.Complete(t.Context(), c.order(100, Named{AuthCode: "A1", Date: "112"}))
		},
		"name the amount too": func() (txn.Txn, error) {
			return c.CancelPreAuth(t.Context(), c.order(0, Named{AuthCode: "A1", Date: "1121"}))
		},
		"amount not accepted": func() (txn.Txn, error) { return c.PreAuth(t.Context(), c.order(0, Named{})) },
	} {
		_, err := do()
		require.ErrorContains(t, err, why)
	}
	assert.Equal(t, 2, c.host.requests)
}

func TestANoticeIsDoneOnceItIsRecordedAndToldUntilItIsAcknowledged(t *testing.T) {
	c := newCounter(t, Options{})
	hold := c.preauthed(50000)
	c.host.advise = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent }
	var stages []words.Stage
	o := c.order(48000, Named{Reference: hold.Reference})
	o.Progress = func(e Event) { stages = append(stages, e.Stage) }
	x, err := c.NotifyCompletion(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, txn.Advising, x.State)
	assert.Equal(t, words.OutcomeQueued, words.OutcomeIn(x.Kind, x.State))
	assert.Equal(t, []words.Stage{words.Present, words.CardRead, words.Recorded, words.Queued, words.Printing}, stages)
	assert.Len(t, c.paper, 2, "the slip does not wait for the line")
	var owed *OwedError
	require.ErrorAs(t, c.Recover(t.Context()), &owed)
	c.host.advise = nil
	require.NoError(t, c.Recover(t.Context()))
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Approved, x.State)
	assert.Len(t, c.paper, 2, "and is not printed again")
	_, err = c.CancelCompletion(t.Context(), c.order(0, Named{STAN: x.STAN}))
	require.ErrorContains(t, err, "no completion", "a notice cannot be undone")
}

func TestANoticeRefusedAfterItsSlipWaitsForPeople(t *testing.T) {
	for _, given := range []bool{true, false} {
		c := newCounter(t, Options{})
		hold := c.preauthed(50000)
		refuse := func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "61"}, nil }
		c.host.advise = refuse
		if given {
			c.host.advise = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent }
		}
		x, err := c.NotifyCompletion(t.Context(), c.order(48000, Named{Reference: hold.Reference}))
		require.NoError(t, err)
		if !given {
			assert.Equal(t, txn.Declined, x.State, "the customer still stands there")
			assert.Empty(t, c.paper)
			continue
		}
		c.host.advise = refuse
		require.NoError(t, c.Recover(t.Context()))
		x, err = c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Suspense, x.State)
		assert.Contains(t, x.Journal[len(x.Journal)-1].Event, "after the slip was given out")
		assert.Len(t, c.paper, 3)
	}
}

func TestMoreNoticesThanSlotsAreKeptAndBounded(t *testing.T) {
	c := newCounter(t, Options{MaxQueued: 9})
	c.host.advise = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent }
	for i := range 9 {
		x, err := c.NotifyCompletion(t.Context(), c.order(txn.Amount(100+i), Named{AuthCode: fmt.Sprintf("Q%05d", i), Date: "1120"}))
		require.NoError(t, err)
		require.Equal(t, txn.Advising, x.State)
	}
	_, err := c.NotifyCompletion(t.Context(), c.order(500, Named{AuthCode: "Q99999", Date: "1120"}))
	require.ErrorIs(t, err, ErrQueue)
	c.host.advise = nil
	require.NoError(t, c.Recover(t.Context()))
	own, doubtful, err := c.Totals()
	require.NoError(t, err)
	assert.Empty(t, doubtful)
	assert.Equal(t, 9, own.All().Debit.Count)
}

// While totals are being compared nothing is added to them.
func TestNoNoticeJoinsABatchThatIsBeingClosed(t *testing.T) {
	c := newCounter(t, Options{})
	c.held()
	c.host.settle = func(txn.Closing) (txn.Totals, txn.Verdict, txn.Verdict, error) {
		return txn.Totals{}, "", "", errSilence
	}
	_, err := c.CloseBatch(context.Background(), nil)
	require.ErrorIs(t, err, errSilence)
	_, err = c.NotifyCompletion(t.Context(), c.order(500, Named{AuthCode: "Q99999", Date: "1120"}))
	var closing *ClosingError
	require.ErrorAs(t, err, &closing)
}
