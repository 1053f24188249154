package terminal

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// masker is a card reader that shows masks.
type masker struct {
	reader
	mask string
}

func (r *masker) Present(context.Context, txn.Amount, txn.Currency) (txn.Presented, error) {
	pan, err := txn.ParseMasked(r.mask)
	return txn.Presented{Card: txn.Card{PAN: pan, Entry: txn.Swiped}}, err
}

func newMasked(t *testing.T, mask string, o Options) (*counter, *masker) {
	o.Masked = true
	c, r := newCounter(t, o), &masker{mask: mask}
	c.reader = r
	return c, r
}

// A mask raises the question of a second charge and proves no void's card: another mask is another card, the same may be one.
func TestAMaskAsksAndDoesNotProve(t *testing.T) {
	c, r := newMasked(t, "622424******0113", Options{})
	sale := c.held()
	_, err := c.sell(1250)
	var alike *LookalikeError
	require.ErrorAs(t, err, &alike)
	assert.Equal(t, sale.ID, alike.Earlier.ID)

	r.mask = "622424******0114"
	_, err = c.sell(1250)
	require.NoError(t, err, "another card for certain")
	_, err = c.void(sale)
	require.ErrorIs(t, err, ErrOtherCard)

	r.mask = "622424******0113"
	voided, err := c.void(sale)
	require.NoError(t, err, "which of the cards with this mask it is, the acquirer knows")
	assert.Equal(t, txn.Approved, voided.State)
}

// A sale whose whole number is on record is voided with a reader that shows masks, and by no card with another.
func TestAVoidAcrossAChangeOfReaders(t *testing.T) {
	c := newCounter(t, Options{})
	sale := c.held()
	r := &masker{mask: "622424******0114"}
	c.reader, c.o.Masked = r, true
	_, err := c.void(sale)
	require.ErrorIs(t, err, ErrOtherCard)
	r.mask = "622424******0113"
	_, err = c.void(sale)
	require.NoError(t, err)
}

func TestAnOfflineSaleNeedsANumber(t *testing.T) {
	c, _ := newMasked(t, "622424******0113", Options{})
	_, err := c.offline(100)
	require.ErrorIs(t, err, ErrMasked)
	all, err := c.store.List(10)
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestRangesGoByTheDigitsThatAreShown(t *testing.T) {
	c, _ := newMasked(t, "622424******0113", Options{Bins: []BinRange{{"622424", "622424", BinRefuse, 0}}})
	_, err := c.sell(100)
	require.ErrorIs(t, err, ErrBin)
	c, _ = newMasked(t, "622424******0113", Options{Bins: []BinRange{{"62242429", "62242429", BinAccept, 0}}, OtherBins: BinRefuse})
	_, err = c.sell(100)
	require.ErrorIs(t, err, ErrBin, "what is not shown is in no range")
}

// After a change of readers within a day, what may be of this card counts for it.
func TestWhatMayBeOfACardCountsForItsDay(t *testing.T) {
	c, _ := newMasked(t, "622424******0113", Options{MaxCardCount: 1})
	_, err := c.sell(100)
	require.NoError(t, err)
	c.reader, c.o.Masked = reader{}, false
	_, err = c.sell(200)
	require.ErrorIs(t, err, ErrCardLimit)
}
