package acquirer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/acquirer"
	"posagent/txnstore/txn"
)

func (w *world) desk(command string) {
	w.t.Helper()
	_, err := w.acquirer.Command(command)
	require.NoError(w.t, err)
}

func TestKeysOnTheWire(t *testing.T) {
	traced(t, "capk.trace", func(w *world) {
		w.desk("capk A000000333:08 A000000333:0B A000000003:92 A000000004:F1 A000000333:02:20201231")
		set, err := w.host.FetchSchemes(w.ctx, acquirer.SchemeKeys)
		require.NoError(t, err)
		require.Len(t, set.Rows, 4)
		assert.Equal(t, []string{"A00000033302"}, set.Expired)
		assert.Equal(t, "A00000000392", set.Rows[2].String())
		assert.NotZero(t, set.From.Bearer)
		require.NoError(t, w.host.EndSchemes(w.ctx, acquirer.SchemeKeys))
		assert.Equal(t, 2, w.acquirer.Counts()["0820"], "two pages")
		assert.Equal(t, 5, w.acquirer.Counts()["0800"], "four keys and the end")
	})
}

func TestApplicationsOnTheWire(t *testing.T) {
	traced(t, "aid.trace", func(w *world) {
		w.desk("aid A000000333010101 A000000333010102=00002710 A0000000031010 A0000000041010")
		set, err := w.host.FetchSchemes(w.ctx, acquirer.SchemeApplications)
		require.NoError(t, err)
		require.Len(t, set.Rows, 4)
		assert.Equal(t, "A000000333010102", set.Rows[1].String())
		set.Rows[1].Each(func(what byte, value []byte) {
			if what == txn.SaysFloor {
				assert.Equal(t, []byte{0, 0, 0x27, 0x10}, value)
			}
		})
		require.NoError(t, w.host.EndSchemes(w.ctx, acquirer.SchemeApplications))
	})
}

// Whatever is wrong with one exchange of a download, nothing of it is used.
func TestASetThatIsSpoiledIsNothing(t *testing.T) {
	for _, fault := range []string{"silent", "lost", "drop", "cut", "garbage", "swapped", "decline 96", "badpart", "tornpart", "samepart", "skippart", "longpart"} {
		for _, aim := range []string{"capk-list", "capk", "aid-list", "aid"} {
			t.Run(aim+", "+fault, func(t *testing.T) {
				inWorld(t, settings{}, func(w *world) {
					w.desk("capk A000000333:08 A000000333:0B A000000003:92 A000000004:F1")
					w.desk("aid A000000333010101 A000000333010102 A0000000031010 A0000000041010")
					w.fault("approve for " + aim) // the first of them is good
					w.fault(fault + " for " + aim)
					which := acquirer.SchemeKeys
					if aim[:3] == "aid" {
						which = acquirer.SchemeApplications
					}
					set, err := w.host.FetchSchemes(w.ctx, which)
					if fault == "skippart" && (aim == "capk-list" || aim == "aid-list") {
						return // there is no page behind the last: it is the same
					}
					if fault == "badpart" && aim == "aid" {
						return // no hash proves an application
					}
					require.Error(t, err)
					require.Nil(t, set.Rows)
				})
			})
		}
	}
}

func TestASetOfNoneAndOneOfOldKeysAreRefused(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		_, err := w.host.FetchSchemes(w.ctx, acquirer.SchemeKeys)
		require.ErrorIs(t, err, acquirer.ErrDownload)
		assert.Contains(t, err.Error(), "names none")
		_, err = w.host.FetchSchemes(w.ctx, acquirer.SchemeApplications)
		require.ErrorIs(t, err, acquirer.ErrDownload)

		w.desk("capk A000000333:08:20251231")
		w.host = w.newHost(func(o *acquirer.Options) { o.Now = func() time.Time { return began } })
		_, err = w.host.FetchSchemes(w.ctx, acquirer.SchemeKeys)
		require.ErrorIs(t, err, acquirer.ErrDownload)
		assert.Contains(t, err.Error(), "clock")
	})
}
