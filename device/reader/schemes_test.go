package reader_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/reader"
	"posagent/txnstore/txn"
)

func schemeKey(index byte, size int) txn.SchemeKey {
	k := txn.SchemeKey{RID: txn.Hex{0xA0, 0, 0, 3, 0x33}, Index: index, Modulus: bytes.Repeat([]byte{0xC0 | index&15}, size), Exponent: txn.Hex{1, 0, 1}}
	sum := sha1.Sum(bytes.Join([][]byte{k.RID, {index}, k.Modulus, k.Exponent}, nil))
	k.Hash = sum[:]
	return k
}

func schemeKeys(size int, indexes ...byte) (keys []txn.SchemeKey) {
	for _, i := range indexes {
		keys = append(keys, schemeKey(i, size))
	}
	return keys
}

func applications(floor byte, ends ...byte) (apps []txn.Application) {
	for _, end := range ends {
		apps = append(apps, txn.Application{AID: txn.Hex{0xA0, 0, 0, 3, 0x33, 1, 1, end}, Version: txn.Hex{0, 0x20}, Default: make(txn.Hex, 5), Online: make(txn.Hex, 5),
			Denial: make(txn.Hex, 5), Floor: txn.Hex{0, 0, 0, floor}, Threshold: make(txn.Hex, 4), Target: txn.Hex{0}, MaxTarget: txn.Hex{0}, DDOL: txn.Hex{0x9F, 0x37, 4}})
	}
	return apps
}

func (c *counter) install(s reader.Schemes) (reader.Installed, error) {
	c.t.Helper()
	return c.drive.Install(c.t.Context(), s)
}

func (c *counter) holds(keys, apps int) {
	c.t.Helper()
	k, a, _ := c.sim.Holds()
	assert.Equal(c.t, [2]int{keys, apps}, [2]int{k, a}, "keys and applications in the reader")
}

func TestAReaderIsMadeToHoldASetAndNothingElse(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		first := reader.Schemes{Keys: schemeKeys(248, 1, 2, 3), Applications: applications(0, 1, 2)}
		done, err := c.install(first)
		require.NoError(t, err)
		assert.Equal(t, reader.Installed{Written: 5}, done)
		c.holds(3, 2)

		done, err = c.install(first)
		require.NoError(t, err)
		assert.Zero(t, done, "what is there already is not written again")

		done, err = c.install(reader.Schemes{Keys: append(schemeKeys(128, 2), schemeKeys(248, 3, 4)...)})
		require.NoError(t, err)
		assert.Equal(t, reader.Installed{Written: 2, Removed: 1}, done, "2 is another key now, 4 is new, 1 is named no more")
		c.holds(3, 2)

		done, err = c.install(reader.Schemes{Applications: append(applications(1, 2), applications(0, 3)...)})
		require.NoError(t, err)
		assert.Equal(t, reader.Installed{Written: 2, Removed: 1}, done, "one has another floor limit")
		c.holds(3, 2)
		c.do("restart")
		done, err = c.install(reader.Schemes{Applications: append(applications(1, 2), applications(0, 3)...)})
		require.NoError(t, err)
		assert.Zero(t, done, "it keeps them over its own restart")
		c.do("memory replace")
		c.holds(0, 0)
		done, err = c.install(first)
		require.NoError(t, err)
		assert.Equal(t, reader.Installed{Written: 5}, done)
	})
}

func TestAFullReaderGivesUpWhatIsNoLongerNamed(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.do("memory keys most 3")
		_, err := c.install(reader.Schemes{Keys: schemeKeys(96, 1, 2, 3)})
		require.NoError(t, err)
		done, err := c.install(reader.Schemes{Keys: schemeKeys(96, 3, 4, 5)})
		require.NoError(t, err)
		assert.Equal(t, reader.Installed{Written: 2, Removed: 2}, done)
		_, err = c.install(reader.Schemes{Keys: schemeKeys(96, 3, 4, 5, 6)})
		require.ErrorIs(t, err, reader.ErrFull)
		assert.Contains(t, err.Error(), "key A000000333 06, of 4")
		_, err = c.install(reader.Schemes{Applications: applications(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)})
		require.ErrorIs(t, err, reader.ErrFull)
	})
}

// Wherever an installation ends, the next one goes on there and ends with the whole set.
func TestAnInstallationThatIsCutGoesOn(t *testing.T) {
	old := reader.Schemes{Keys: schemeKeys(96, 1, 2, 3), Applications: applications(0, 1, 2)}
	new := reader.Schemes{Keys: append(schemeKeys(112, 2), schemeKeys(96, 4, 5)...), Applications: append(applications(7, 2), applications(0, 3)...)}
	for step := range 30 {
		atCounter(t, func(t *testing.T, c *counter) {
			_, err := c.install(old)
			require.NoError(t, err)
			ctx := &countdown{Context: t.Context(), left: step}
			_, err = c.drive.Install(ctx, new)
			if err != nil {
				require.ErrorIs(t, err, context.Canceled)
				_, err = c.install(new)
			}
			require.NoError(t, err)
			c.holds(3, 2)
			done, err := c.install(new)
			require.NoError(t, err)
			assert.Zero(t, done)
		})
	}
	for _, trouble := range []string{"memory refuses after 1", "garbage", "nonsense on", "silent on", "tamper on"} {
		atCounter(t, func(t *testing.T, c *counter) {
			_, err := c.install(old)
			require.NoError(t, err)
			c.do(trouble)
			_, err = c.install(new)
			if trouble != "garbage" { // which is repeated
				require.Error(t, err, trouble)
			}
			for _, calm := range []string{"memory refuses none", "nonsense off", "silent off", "tamper off"} {
				c.do(calm)
			}
			_, err = c.install(new)
			require.NoError(t, err, trouble)
			c.holds(3, 2)
		})
	}
}

// countdown ends after it was asked so often.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestNothingIsInstalledWhileACardIsAwaited(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		ends := c.begin(t.Context(), order)
		synctest.Wait()
		_, err := c.install(reader.Schemes{Keys: schemeKeys(96, 1)})
		require.ErrorIs(t, err, reader.ErrBusy)
		require.NoError(t, c.drive.Cancel(t.Context()))
		require.ErrorIs(t, (<-ends).err, reader.ErrCancelled)
		c.holds(0, 0)
	})
}
