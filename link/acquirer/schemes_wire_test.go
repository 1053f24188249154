package acquirer_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/acquirer"
)

func (w *world) desk(command string) {
	w.t.Helper()
	_, err := w.acquirer.Command(command)
	require.NoError(w.t, err)
}

func TestKeysOnTheWire(t *testing.T) {
	traced(t, "capk.trace", func(w *world) {
		w.desk("capk A000000333:08 A000000333:0B A000000003:92 A000000004:F1 A000000333:02:20201231")
		set, from, err := w.host.FetchKeys(w.ctx)
		require.NoError(t, err)
		require.Len(t, set.Keys, 4)
		assert.Equal(t, []string{"A000000333 02"}, set.Expired)
		assert.Equal(t, "A000000003 92", set.Keys[2].Name())
		assert.NotZero(t, from.Bearer)
		require.NoError(t, w.host.EndKeys(w.ctx))
		assert.Equal(t, 2, w.acquirer.Counts()["0820"], "two pages")
		assert.Equal(t, 5, w.acquirer.Counts()["0800"], "four keys and the end")
	})
}

func TestApplicationsOnTheWire(t *testing.T) {
	traced(t, "aid.trace", func(w *world) {
		w.desk("aid A000000333010101 A000000333010102=00002710 A0000000031010 A0000000041010")
		set, _, err := w.host.FetchApplications(w.ctx)
		require.NoError(t, err)
		require.Len(t, set, 4)
		assert.Equal(t, "A000000333010102", set[1].Name())
		assert.Equal(t, "00002710", hexOf(set[1].Floor))
		require.NoError(t, w.host.EndApplications(w.ctx))
	})
}

func hexOf(b interface{ MarshalText() ([]byte, error) }) string {
	text, _ := b.MarshalText()
	return string(text)
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
					var err error
					if aim[:3] == "aid" {
						_, _, err = w.host.FetchApplications(w.ctx)
					} else {
						_, _, err = w.host.FetchKeys(w.ctx)
					}
					if fault == "skippart" && (aim == "capk-list" || aim == "aid-list") {
						return // there is no page behind the last: it is the same
					}
					if fault == "badpart" && aim == "aid" {
						return // no hash proves an application
					}
					require.Error(t, err)
				})
			})
		}
	}
}

func TestASetOfNoneAndOneOfOldKeysAreRefused(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		_, _, err := w.host.FetchKeys(w.ctx)
		require.ErrorIs(t, err, acquirer.ErrDownload)
		assert.Contains(t, err.Error(), "has none")
		_, _, err = w.host.FetchApplications(w.ctx)
		require.ErrorIs(t, err, acquirer.ErrDownload)

		w.desk("capk A000000333:08:20251231")
		w.host = w.newHost(func(o *acquirer.Options) { o.Now = func() time.Time { return began } })
		_, _, err = w.host.FetchKeys(w.ctx)
		require.ErrorIs(t, err, acquirer.ErrDownload)
		assert.Contains(t, err.Error(), "clock")
	})
}
