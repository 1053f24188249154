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

// schemes are what a reader shall hold.
type schemes struct{ keys, apps []txn.SchemeRow }

func schemeKeys(size int, indexes ...byte) (keys []txn.SchemeRow) {
	for _, index := range indexes {
		name, modulus := []byte{0xA0, 0, 0, 3, 0x33, index}, bytes.Repeat([]byte{0xC0 | index&15}, size)
		hash := sha1.Sum(bytes.Join([][]byte{name, modulus, {1, 0, 1}}, nil))
		keys = append(keys, txn.SchemeRow{Name: name, Says: bytes.Join([][]byte{hash[:], {0, 1, 0, 1}, modulus}, nil)})
	}
	return keys
}

func applications(floor byte, ends ...byte) (apps []txn.SchemeRow) {
	for _, end := range ends {
		apps = append(apps, txn.SchemeRow{Name: []byte{0xA0, 0, 0, 3, 0x33, 1, 1, end},
			Says: []byte{txn.SaysVersion, 2, 0, 0x20, txn.SaysFloor, 4, 0, 0, 0, floor, txn.SaysDDOL, 3, 0x9F, 0x37, 4, txn.SaysDefault, 5, 1, 2, 3, 4, 5}})
	}
	return apps
}

func (c *counter) install(s schemes) (int, error) {
	c.t.Helper()
	return c.drive.Install(c.t.Context(), s.keys, s.apps)
}

func (c *counter) holds(keys, apps int) {
	c.t.Helper()
	k, a, _ := c.sim.Holds()
	assert.Equal(c.t, [2]int{keys, apps}, [2]int{k, a}, "keys and applications in the reader")
	c.taps(keys)
}

// taps is how many keys its contactless side has.
func (c *counter) taps(keys int) {
	c.t.Helper()
	_, _, taps := c.sim.Memory()
	assert.Len(c.t, taps, keys, "keys of the contactless side")
}

func TestAReaderIsMadeToHoldASetAndNothingElse(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		first := schemes{keys: schemeKeys(248, 1, 2, 3), apps: applications(0, 1, 2)}
		done, err := c.install(first)
		require.NoError(t, err)
		assert.Equal(t, 8, done, "three keys on both sides, two applications")
		c.holds(3, 2)

		done, err = c.install(first)
		require.NoError(t, err)
		assert.Zero(t, done, "what is there already is not written again")

		done, err = c.install(schemes{keys: append(schemeKeys(128, 2), schemeKeys(248, 3, 4)...)})
		require.NoError(t, err)
		assert.Equal(t, 6, done, "2 is another key now, 4 is new, 1 is named no more")
		c.holds(3, 2)

		done, err = c.install(schemes{apps: append(applications(1, 2), applications(0, 3)...)})
		require.NoError(t, err)
		assert.Equal(t, 3, done, "one has another floor limit")
		c.holds(3, 2)
		c.do("restart")
		done, err = c.install(schemes{apps: append(applications(1, 2), applications(0, 3)...)})
		require.NoError(t, err)
		assert.Zero(t, done, "it keeps them over its own restart")
		c.do("memory replace")
		c.holds(0, 0)
		done, err = c.install(first)
		require.NoError(t, err)
		assert.Equal(t, 8, done)
	})
}

func TestAFullReaderGivesUpWhatIsNoLongerNamed(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.do("memory keys most 3")
		_, err := c.install(schemes{keys: schemeKeys(96, 1, 2, 3)})
		require.NoError(t, err)
		done, err := c.install(schemes{keys: schemeKeys(96, 3, 4, 5)})
		require.NoError(t, err)
		assert.Equal(t, 8, done)
		_, err = c.install(schemes{keys: schemeKeys(96, 3, 4, 5, 6)})
		require.ErrorIs(t, err, reader.ErrFull)
		assert.Contains(t, err.Error(), "A00000033306, of 4")
		_, err = c.install(schemes{apps: applications(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)})
		require.ErrorIs(t, err, reader.ErrFull)
	})
}

// Wherever an installation ends, the next one goes on there and ends with the whole set.
func TestAnInstallationThatIsCutGoesOn(t *testing.T) {
	old := schemes{keys: schemeKeys(96, 1, 2, 3), apps: applications(0, 1, 2)}
	new := schemes{keys: append(schemeKeys(112, 2), schemeKeys(96, 4, 5)...), apps: append(applications(7, 2), applications(0, 3)...)}
	for step := range 60 {
		atCounter(t, func(t *testing.T, c *counter) {
			_, err := c.install(old)
			require.NoError(t, err)
			ctx := &countdown{Context: t.Context(), left: step}
			_, err = c.drive.Install(ctx, new.keys, new.apps)
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

// What one side does not know is done on the other. A reader that knows it on neither is said to, and so is one that has nowhere to
// put applications.
func TestAReaderOfOneSideIsGivenWhatThatSideTakes(t *testing.T) {
	all := schemes{keys: schemeKeys(128, 1, 2, 3), apps: applications(0, 1)}
	for _, one := range []struct {
		lacks      string
		give       schemes
		keys, taps int
		err        error
	}{
		{"memory contactless unknown", all, 3, 0, nil},
		{"memory contact unknown", schemes{keys: all.keys}, 0, 3, nil},
		{"memory contact unknown", all, 0, 3, reader.ErrNoSchemes},
		{"memory unknown", all, 0, 0, reader.ErrNoSchemes},
	} {
		atCounter(t, func(t *testing.T, c *counter) {
			c.do(one.lacks)
			for range 2 {
				_, err := c.install(one.give)
				require.ErrorIs(t, err, one.err, one.lacks)
			}
			keys, _, _ := c.sim.Holds()
			assert.Equal(t, one.keys, keys, one.lacks)
			c.taps(one.taps)
		})
	}
}

// The contactless side is mended by itself: what it holds otherwise, too much and too little.
func TestKeysOfTheContactlessSideAreAskedFor(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.do("memory contact unknown")
		_, err := c.install(schemes{keys: append(schemeKeys(96, 2, 9), schemeKeys(248, 3)...)})
		require.NoError(t, err)
		c.do("restart")
		done, err := c.install(schemes{keys: schemeKeys(112, 1, 2, 3)})
		require.NoError(t, err)
		assert.Equal(t, 4, done, "1 is new, 2 and 3 are others, 9 is named no more")
		c.taps(3)
		c.do("memory keys most 3")
		_, err = c.install(schemes{keys: schemeKeys(112, 1, 2, 3, 4)})
		require.ErrorIs(t, err, reader.ErrFull)
		done, err = c.install(schemes{keys: schemeKeys(112, 1, 2, 5)})
		require.NoError(t, err, "a full side is first made to give up what is no longer named")
		assert.Equal(t, 2, done)
	})
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
		_, err := c.install(schemes{keys: schemeKeys(96, 1)})
		require.ErrorIs(t, err, reader.ErrBusy)
		require.NoError(t, c.drive.Cancel(t.Context()))
		require.ErrorIs(t, (<-ends).err, reader.ErrCancelled)
		c.holds(0, 0)
	})
}
