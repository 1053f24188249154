package terminal

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

var errSilence = errors.New("silence")

// approvesWith is an acquirer's approval that can be undone.
func approvesWith(x txn.Txn) (txn.Answer, error) {
	return txn.Answer{Code: "00", Approved: true, RRN: fmt.Sprintf("%012d", x.STAN), HostDate: "1121"}, nil
}

// held is a sale that may be voided or refunded.
func (c *counter) held() txn.Txn {
	c.host.approve = approvesWith
	x, err := c.sell(1250)
	require.NoError(c.t, err)
	require.Equal(c.t, txn.Approved, x.State)
	c.paper = nil
	return x
}

func (c *counter) void(sale txn.Txn) (txn.Txn, error) {
	c.sold++
	return c.Void(c.t.Context(), Order{Reference: fmt.Sprint("void ", c.sold), Approver: "00", Original: Named{STAN: sale.STAN}})
}

func (c *counter) refund(sale txn.Txn, amount txn.Amount) (txn.Txn, error) {
	c.sold++
	return c.Refund(c.t.Context(), Order{Reference: fmt.Sprint("refund ", c.sold), Amount: amount, Approver: "00", Original: Named{Reference: sale.Reference}})
}

// Whatever step of a void's outcome the disk refuses, the void is reversed in the end and the sale may be voided again.
func TestAVoidWhoseOutcomeCannotBeRecordedIsReversed(t *testing.T) {
	for state, answer := range map[txn.State]func(txn.Txn) (txn.Answer, error){
		txn.Declined:  func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "51"}, nil },
		txn.Reversing: func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errSilence },
		txn.Abandoned: func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent },
		txn.Approved:  approvesWith,
	} {
		c := newCounter(t, Options{})
		sale := c.held()
		c.host.approve = answer
		c.store.breaks = state
		void, err := c.void(sale)
		if state != txn.Approved {
			require.ErrorIs(t, err, errDisk, state)
		}
		assert.Equal(t, words.OutcomeUnknown, words.OutcomeOf(void.State), state)
		_, err = c.voidable(Named{STAN: sale.STAN}, txn.Sale)
		require.ErrorIs(t, err, ErrOriginal, "it may have been voided")
		require.NoError(t, c.Recover(t.Context()), state)
		void, err = c.store.Get(void.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Reversed, void.State, state)
		c.host.approve = approvesWith
		void, err = c.void(sale)
		require.NoError(t, err)
		assert.Equal(t, txn.Approved, void.State)
	}
}

func TestNothingOfAnUndoIsSentBeforeItIsDurable(t *testing.T) {
	c := newCounter(t, Options{})
	sale := c.held()
	c.store.breaks = txn.Pending
	_, err := c.void(sale)
	require.ErrorIs(t, err, errDisk)
	assert.Equal(t, 1, c.host.requests)
	c.host.advise = func(x txn.Txn) (txn.Answer, error) {
		stored, err := c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Advising, stored.State)
		assert.Equal(t, 1, stored.Tries.Made, "the attempt is counted before it is made")
		return txn.Answer{Code: "00", Approved: true}, nil
	}
	refund, err := c.refund(sale, 250)
	require.NoError(t, err)
	assert.Equal(t, txn.Approved, refund.State)
	assert.Len(t, c.paper, 2)
}

// A refund whose outcome cannot be recorded is told again, and 94 then says that it was accepted.
func TestARefundWhoseOutcomeCannotBeRecordedIsToldAgain(t *testing.T) {
	for _, state := range []txn.State{txn.Approved, txn.Declined, txn.Abandoned} {
		c := newCounter(t, Options{})
		sale := c.held()
		booked := 0
		c.host.advise = func(txn.Txn) (txn.Answer, error) {
			switch {
			case booked > 0:
				return txn.Answer{Code: "94"}, nil
			case state == txn.Declined && c.host.told == 1:
				return txn.Answer{Code: "51"}, nil
			case state == txn.Abandoned && c.host.told == 1:
				return txn.Answer{}, txn.ErrNotSent
			}
			booked++
			return txn.Answer{Code: "00", Approved: true}, nil
		}
		c.store.breaks = state
		refund, err := c.refund(sale, 250)
		require.NotZero(t, refund.ID, err)
		require.NoError(t, c.Recover(t.Context()), state)
		refund, err = c.store.Get(refund.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Approved, refund.State, state)
		assert.Equal(t, 1, booked)
	}
}

func TestTheFirstCopyOfARefundIsNoDuplicate(t *testing.T) {
	c := newCounter(t, Options{})
	sale := c.held()
	c.host.advise = func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "94"}, nil }
	refund, err := c.refund(sale, 250)
	require.NoError(t, err)
	assert.Equal(t, txn.Declined, refund.State, "that STAN is another's; nothing of this refund is booked")
}

func TestWhatADifferenceIsMadeOf(t *testing.T) {
	sale := func(id txn.ID, amount txn.Amount) txn.Txn {
		return txn.Txn{ID: id, Kind: txn.Sale, State: txn.Suspense, Amount: amount, Answer: txn.Answer{Scheme: "CUP"}}
	}
	void := sale(9, 500)
	void.Kind = txn.Void
	held := sale(4, 200)
	held.Kind = txn.PreAuth
	doubtful := []txn.Txn{sale(1, 100), sale(2, 200), sale(3, 300), held, void}
	own := txn.Totals{Domestic: txn.Sums{Debit: txn.Sum{Count: 5, Amount: 5000}}}
	for name, c := range map[string]struct {
		debit, credit    txn.Sum
		explains, others []txn.ID
	}{
		"nothing":                 {txn.Sum{}, txn.Sum{}, nil, []txn.ID{1, 2, 3, 4, 9}}, // though what is held comes to it
		"one":                     {txn.Sum{Count: 1, Amount: 200}, txn.Sum{}, []txn.ID{2}, []txn.ID{1, 3, 4, 9}},
		"the count tells two":     {txn.Sum{Count: 2, Amount: 300}, txn.Sum{}, []txn.ID{1, 2}, []txn.ID{3, 4, 9}},
		"and one":                 {txn.Sum{Count: 1, Amount: 300}, txn.Sum{}, []txn.ID{3}, []txn.ID{1, 2, 4, 9}},
		"both sides":              {txn.Sum{Count: 1, Amount: 100}, txn.Sum{Count: 1, Amount: 500}, []txn.ID{1, 9}, []txn.ID{2, 3, 4}},
		"not of these":            {txn.Sum{Count: 1, Amount: 101}, txn.Sum{}, nil, []txn.ID{1, 2, 3, 4, 9}},
		"the acquirer holds less": {txn.Sum{Count: -1, Amount: -100}, txn.Sum{}, nil, []txn.ID{1, 2, 3, 4, 9}},
	} {
		host := own
		host.Domestic.Debit.Count += c.debit.Count
		host.Domestic.Debit.Amount += c.debit.Amount
		host.Domestic.Credit = c.credit
		explains, others := explain(txn.Closing{Own: own, Host: host}, doubtful)
		assert.Equal(t, c.explains, explains, name)
		assert.Equal(t, c.others, others, name)
	}
	many := make([]txn.Txn, 30)
	for i := range many {
		many[i] = sale(txn.ID(i+1), 100)
	}
	host := own
	host.Domestic.Debit = txn.Sum{Count: 6, Amount: 5100}
	explains, others := explain(txn.Closing{Own: own, Host: host}, many)
	assert.Empty(t, explains, "too many to try")
	assert.Len(t, others, txn.MaxDoubts)
}

// forgetful is a store whose commits of a closing fail at the nth, and are not made.
type forgetful struct {
	*brittle
	saves, fails int
}

func (f *forgetful) SaveClosing(c txn.Closing) (txn.Closing, error) {
	if f.saves++; f.saves == f.fails {
		return c, errDisk
	}
	return f.brittle.SaveClosing(c)
}

// Whatever commit of a closing the disk refuses, the next call goes on, and each record is acknowledged once.
func TestAClosingWhoseStepCannotBeRecordedGoesOn(t *testing.T) {
	for fails := 1; ; fails++ {
		c := newCounter(t, Options{Lookalike: 1})
		c.host.approve = approvesWith
		for range 10 {
			_, err := c.sell(1250)
			require.NoError(t, err)
		}
		c.paper = nil
		acknowledged := map[txn.ID]int{}
		c.host.settle = func(c txn.Closing) (txn.Totals, txn.Verdict, txn.Verdict, error) {
			return txn.Totals{}, txn.Unbalanced, txn.Unbalanced, nil
		}
		c.host.upload = func(block []txn.Txn) error {
			require.LessOrEqual(t, len(block), blockSize)
			for _, x := range block {
				acknowledged[x.ID]++
			}
			return nil
		}
		store := &forgetful{brittle: c.store, fails: fails}
		c.Terminal.store = store
		closing, err := c.CloseBatch(t.Context(), nil)
		if err != nil {
			closing, err = c.CloseBatch(t.Context(), nil)
		}
		require.NoError(t, err, "at %d", fails)
		assert.Equal(t, txn.Closed, closing.Step)
		assert.Equal(t, 10, closing.Told)
		assert.Len(t, acknowledged, 10)
		for id, n := range acknowledged {
			assert.LessOrEqual(t, n, 2, id)
		}
		assert.Equal(t, uint32(2), c.store.Batch())
		assert.GreaterOrEqual(t, len(c.paper), 1)
		_, err = c.CloseBatch(t.Context(), nil)
		require.ErrorIs(t, err, ErrEmptyBatch)
		if store.saves < fails {
			require.Greater(t, fails, 8, "asking, details twice and their end, advices, ending, the attempt, closed, the report")
			return
		}
	}
}

func TestAnEndThatWasAcknowledgedBeforeIsKnownByItsAnswer(t *testing.T) {
	c := newCounter(t, Options{})
	c.held()
	c.host.end = func(x txn.Closing) error {
		if x.Tries == 1 {
			return errSilence
		}
		return errCode("77") // the acquirer has gone on to the next batch
	}
	c.host.signIn = func() error { return c.store.AdoptBatch(2) }
	closing, err := c.CloseBatch(t.Context(), nil)
	require.ErrorIs(t, err, errSilence)
	assert.Equal(t, txn.Ending, closing.Step)
	require.NoError(t, c.Recover(t.Context()))
	closing, _, err = c.store.Closing(0)
	require.NoError(t, err)
	assert.Equal(t, txn.Closed, closing.Step)

	c = newCounter(t, Options{})
	c.held()
	c.host.end = func(txn.Closing) error { return errCode("77") }
	closing, err = c.CloseBatch(t.Context(), nil)
	require.Error(t, err, "it may be a plain refusal")
	assert.Equal(t, txn.Ending, closing.Step)
	for range 2 {
		require.Error(t, c.Recover(t.Context()), "and of a copy, too")
	}
	require.NoError(t, c.store.AdoptBatch(2), "but the acquirer may say at a sign-in that it has gone on")
	require.NoError(t, c.Recover(t.Context()))
	closing, _, err = c.store.Closing(1)
	require.NoError(t, err)
	assert.Equal(t, txn.Closed, closing.Step)
}

func TestABlockThatTheAcquirerRefusesIsLeftBehindAndCounted(t *testing.T) {
	c := newCounter(t, Options{Lookalike: 1})
	c.host.approve = approvesWith
	for range 9 {
		_, err := c.sell(1250)
		require.NoError(t, err)
	}
	c.host.settle = func(c txn.Closing) (txn.Totals, txn.Verdict, txn.Verdict, error) {
		return c.Own, txn.Balanced, txn.Mistaken, nil
	}
	c.host.upload = func(block []txn.Txn) error {
		if len(block) == blockSize {
			return errCode("30")
		}
		return nil
	}
	closing, err := c.CloseBatch(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, 8, closing.Unaccepted)
	assert.Equal(t, 1, closing.Told)
	assert.Equal(t, "30", closing.Code)
}
