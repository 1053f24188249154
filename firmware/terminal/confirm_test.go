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

// chipReader has a card in its slot, looks at the record behind the terminal's back, and remembers what it was asked.
type chipReader struct {
	c        *counter
	complete func() (txn.Confirmation, error)
	asked    []txn.Answer
	released int
}

func (r *chipReader) Present(context.Context, txn.Amount, txn.Currency) (txn.Presented, error) {
	pan, err := txn.ParsePAN("6224242900000113")
	r.released = 0
	return txn.Presented{Card: txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Inserted, Chip: txn.NewChip([]byte{0x95, 1, 0})},
		Chip: txn.NewChip([]byte{0x9F, 0x26, 1, 0})}, err
}

func (r *chipReader) Complete(_ context.Context, a txn.Answer) (txn.Confirmation, error) {
	require.Zero(r.c.t, r.released, "a card that was let go is not asked")
	r.asked = append(r.asked, a)
	if a.Approved {
		newest, err := r.c.store.List(1)
		require.NoError(r.c.t, err)
		require.Equal(r.c.t, txn.Authorized, newest[0].State, "the acquirer's word is durable before the card is asked")
		require.Empty(r.c.t, r.c.paper)
	}
	return r.complete()
}

func (r *chipReader) Release(context.Context) error { r.released++; return nil }

func withChip(t *testing.T) (*counter, *chipReader) {
	c := newCounter(t, Options{})
	r := &chipReader{c: c, complete: func() (txn.Confirmation, error) {
		return txn.Confirmation{Agreed: true, Signed: txn.NewChip([]byte{0x9F, 0x27, 1, 0x40}), Scripts: "2000000000"}, nil
	}}
	c.reader = r
	c.host.approve = func(txn.Txn) (txn.Answer, error) {
		return txn.Answer{Code: "00", Approved: true, Chip: txn.NewChip([]byte{0x91, 1, 7})}, nil
	}
	return c, r
}

func TestTheAcquirersWordAndTheCardsAreRecordedApart(t *testing.T) {
	c, r := withChip(t)
	x, err := c.sell(1250)
	require.NoError(t, err)
	assert.Equal(t, txn.Approved, x.State)
	assert.Equal(t, []byte{0x9F, 0x27, 1, 0x40}, x.Card.Chip.BytesInTheClear())
	require.Len(t, r.asked, 1)
	assert.Equal(t, []byte{0x91, 1, 7}, r.asked[0].Chip.BytesInTheClear(), "the issuer's data reaches the card")
	assert.Positive(t, r.released)
	assert.Len(t, c.paper, 2)
	var events []string
	for _, line := range x.Journal {
		events = append(events, line.Event)
	}
	assert.Contains(t, events, "approved 00, card to confirm")
	assert.Contains(t, events, "card confirmed, script 2000000000")
}

// reasonedError is a failure as the reader's room gives it.
type reasonedError struct {
	error
	why txn.Reason
}

func (r reasonedError) ReversalReason() txn.Reason { return r.why }
func (r reasonedError) Unwrap() error              { return r.error }

func TestWithoutTheCardsWordItIsReversed(t *testing.T) {
	said := txn.NewChip([]byte{0x95, 1, 0x40})
	for name, how := range map[string]struct {
		done   txn.Confirmation
		err    error
		reason txn.Reason
		stage  words.Stage
		chip   []byte
	}{
		"refused":   {txn.Confirmation{Reversal: said}, nil, txn.OtherCause, words.CardRefused, []byte{0x95, 1, 0x40}},
		"taken out": {txn.Confirmation{}, reasonedError{txn.ErrCardRemoved, txn.OtherCause}, txn.OtherCause, words.CardRemoved, []byte{0x95, 1, 0}},
		"restarted": {txn.Confirmation{}, reasonedError{errors.New("restarted"), txn.NotDone}, txn.NotDone, words.CardLost, []byte{0x95, 1, 0}},
		"no reason": {txn.Confirmation{}, errors.New("line"), txn.NotDone, words.CardLost, []byte{0x95, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			c, r := withChip(t)
			r.complete = func() (txn.Confirmation, error) { return how.done, how.err }
			c.host.reverse = func(x txn.Txn) (txn.Answer, error) {
				assert.Equal(t, how.reason, x.Reason)
				assert.Equal(t, how.chip, x.Card.Chip.BytesInTheClear(), "with the card's data")
				return txn.Answer{Code: "00", Approved: true}, nil
			}
			var shown []words.Stage
			x, err := c.Sale(t.Context(), Order{Amount: 1250, Reference: "a", Progress: func(e Event) { shown = append(shown, e.Stage) }})
			require.NoError(t, err)
			assert.Equal(t, txn.Reversed, x.State)
			assert.Contains(t, shown, how.stage)
			assert.NotContains(t, shown, words.Held)
			assert.Positive(t, r.released)
			assert.Equal(t, []string{"reversed merchant 000001 false"}, c.paper)
		})
	}
}

// A store that cannot record one of the two words undoes the sale, whichever it was.
func TestAWordThatCannotBeRecordedIsUndone(t *testing.T) {
	for _, breaks := range []txn.State{txn.Authorized, txn.Approved} {
		c, r := withChip(t)
		c.store.breaks = breaks
		x, err := c.sell(1250)
		require.NoError(t, err)
		assert.Equal(t, txn.Reversing, x.State)
		assert.Equal(t, txn.NotDone, x.Reason)
		assert.Positive(t, r.released)
		assert.Equal(t, breaks == txn.Approved, len(r.asked) == 1, "the card is not asked about what could not be recorded")
		assert.Empty(t, c.paper)
		require.NoError(t, c.Recover(t.Context()))
		x, err = c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Reversed, x.State)
	}
}

func TestADeclinedCardIsToldAndNothingDependsOnIt(t *testing.T) {
	c, r := withChip(t)
	c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "51"}, nil }
	r.complete = func() (txn.Confirmation, error) { return txn.Confirmation{}, errors.New("line") }
	x, err := c.sell(1250)
	require.NoError(t, err)
	assert.Equal(t, txn.Declined, x.State)
	require.Len(t, r.asked, 1)
	assert.Equal(t, "51", r.asked[0].Code)
	assert.Positive(t, r.released)
}

// Whatever ends a sale, the card is let go.
func TestTheCardIsLetGoHoweverItEnds(t *testing.T) {
	for name, spoil := range map[string]func(*counter){
		"not sent": func(c *counter) {
			c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent }
		},
		"no answer":    func(c *counter) { c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errDisk } },
		"not recorded": func(c *counter) { c.store.breaks = txn.Pending },
		"blocked":      func(c *counter) { c.o.Blocked = func(txn.PAN) (bool, error) { return true, nil } },
	} {
		c, r := withChip(t)
		spoil(c)
		_, _ = c.sell(1250)
		assert.Positive(t, r.released, name)
		assert.Empty(t, r.asked, name)
	}
}
