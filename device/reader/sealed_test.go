package reader_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/reader"
	"posagent/txnstore/txn"
)

// Initial key and serial number of ANSI X9.24-1:2009, annex A.4.
func dataKey(t *testing.T) *devicetest.DataKey {
	return &devicetest.DataKey{Initial: unhex(t, "6ac292faa1315b4d858ab3a3d7d5933a"), Serial: unhex(t, "ffff9876543210e00000")}
}

// sealed is a counter with a reader that enciphers, and a driver that expects it.
func sealed(t *testing.T, opts reader.Opts, story func(t *testing.T, c *counter)) {
	opts.Sealed = true
	atCounterOf(t, devicetest.ReaderOpts{Cards: cards, DataKey: dataKey(t)}, opts, story)
}

func (c *counter) given(way, name string) result {
	c.t.Helper()
	done := c.begin(c.t.Context(), order)
	c.do(way + " " + name)
	return <-done
}

func TestAReaderThatEnciphersShowsAMaskAndATrackThatNobodyHereReads(t *testing.T) {
	sealed(t, reader.Opts{}, func(t *testing.T, c *counter) {
		seen := map[string]bool{}
		for i, way := range []struct {
			way, name string
			entry     txn.Entry
			blocks    int
		}{{"present", "visa", txn.Swiped, 5}, {"present", "unionpay", txn.Contactless, 3}, {"present", "mastercard", txn.Contactless, 3},
			{"present", "stripe-tap", txn.Tapped, 6}, {"present", "long", txn.Contactless, 3}, {"insert", "unionpay", txn.Inserted, 3}} {
			got := c.given(way.way, way.name)
			require.NoError(t, got.err, way)
			p, want := got.card, cards[way.name]
			assert.Equal(t, way.entry, p.Card.Entry)
			whole, err := txn.ParsePAN(want.PAN)
			require.NoError(t, err)
			assert.True(t, p.Card.PAN.IsMasked())
			assert.Equal(t, whole.Masked(), p.Card.PAN.AsKept())
			assert.Equal(t, want.Expiry, p.Card.Expiry)
			assert.True(t, p.Track.IsZero())
			assert.Len(t, p.Cipher.DigitsForTheAcquirer(), 16*way.blocks)
			counter := i + 1
			if way.way == "insert" {
				counter++ // one when the card came, one for its track
			}
			assert.Equal(t, fmt.Sprintf("%X", unhex(t, fmt.Sprintf("ffff9876543210e%05x", counter))), fmt.Sprintf("%X", p.Cipher.SerialForTheAcquirer()))
			assert.False(t, seen[p.Cipher.DigitsForTheAcquirer()], "each under a key of its own")
			seen[p.Cipher.DigitsForTheAcquirer()] = true
			assert.NotContains(t, p.Cipher.DigitsForTheAcquirer(), want.PAN[6:12])
			for tag := range tags(t, p.Chip) {
				assert.NotContains(t, []uint32{0x57, 0x5A, 0x56, 0x9F6B, 0xDFEE12}, tag)
			}
			if way.entry == txn.Contactless || way.entry == txn.Inserted {
				assertChip(t, want, p)
			}
			require.NoError(t, c.drive.Release(t.Context()))
			c.do("remove")
		}
	})
}

// The chip's last word is read as ever.
func TestAnEncipheredChipAgrees(t *testing.T) {
	sealed(t, reader.Opts{}, func(t *testing.T, c *counter) {
		card := c.inserted("unionpay")
		done, err := c.drive.Complete(t.Context(), approval(t, card))
		require.NoError(t, err)
		assert.True(t, done.Agreed)
		require.NoError(t, c.drive.Release(t.Context()))
		c.do("remove")
		card = c.inserted("unionpay")
		c.do("refuse")
		done, err = c.drive.Complete(t.Context(), approval(t, card))
		require.NoError(t, err)
		assert.False(t, done.Agreed)
	})
}

// The service code is enciphered, and the reader says all the same that the card has a chip.
func TestAnEncipheredStripeOfAChipCardIsNotTaken(t *testing.T) {
	sealed(t, reader.Opts{}, func(t *testing.T, c *counter) {
		done := c.begin(t.Context(), order)
		c.do("swipe unionpay")
		c.do("insert unionpay")
		got := <-done
		require.NoError(t, got.err)
		assert.Equal(t, txn.Inserted, got.card.Card.Entry)
		assert.Contains(t, c.events, reader.InsertCard)
	})
	sealed(t, reader.Opts{Fallback: true}, func(t *testing.T, c *counter) {
		c.do("at start fail")
		done := c.begin(t.Context(), order)
		c.do("insert unionpay")
		c.do("remove")
		c.do("swipe unionpay")
		got := <-done
		require.NoError(t, got.err)
		assert.Equal(t, txn.Fallback, got.card.Card.Entry)
	})
}

// A reader that is not set up as the profile has it is refused with what is to be done, and nobody is asked to present the card
// again.
func TestAReaderThatIsSetUpOtherwise(t *testing.T) {
	sealed(t, reader.Opts{}, func(t *testing.T, c *counter) {
		c.do("cipher off")
		for _, way := range []string{"present visa", "present unionpay", "present stripe-tap", "insert unionpay"} {
			done := c.begin(t.Context(), order)
			c.do(way)
			got := <-done
			assert.ErrorIs(t, got.err, reader.ErrSetUp, way)
			assert.ErrorContains(t, got.err, "data key loaded", way)
			assert.Equal(t, txn.Presented{}, got.card)
			c.do("remove")
		}
		c.do("cipher on")
		require.NoError(t, c.given("present", "visa").err)
	})
	atCounterOf(t, devicetest.ReaderOpts{Cards: cards, DataKey: dataKey(t)}, reader.Opts{}, func(t *testing.T, c *counter) {
		_, err := c.drive.Activate(t.Context(), order)
		assert.ErrorIs(t, err, reader.ErrSetUp)
		assert.ErrorContains(t, err, "without a data key")
	})
}

func TestAnEncipheredFailureSaysWhy(t *testing.T) {
	onBenchWith(t, &reader.Opts{Sealed: true}, func(t *testing.T, b *bench, drive *reader.Reader) {
		done := activate(t.Context(), drive, plain)
		b.fence()
		b.frame()
		b.answer(0x02, 0x0A, unhex(t, "c1 dfee12 0a ffff9876543210e00001 ffee1f 04 02 6985 05"))
		err := (<-done).err
		assert.ErrorIs(t, err, reader.ErrUseContact)
		assert.ErrorContains(t, err, "02-40")
		assert.ErrorContains(t, err, "6985")
	})
}
