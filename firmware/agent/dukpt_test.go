package agent

import (
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/acquirer/keys"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn/words"
)

// Base key, initial key and serial number of ANSI X9.24-1:2009, annex A.4.
const (
	baseKey    = "0123456789ABCDEFFEDCBA9876543210"
	initialKey = "6AC292FAA1315B4D858AB3A3D7D5933A"
)

// Sales over power cuts, with tracks under DUKPT and an acquirer who refuses a counter that it has seen: each is approved, and
// what was in doubt is reversed without a track and without a counter.
func TestTracksUnderDUKPTOverPowerCuts(t *testing.T) {
	p, err := profile.Open(filepath.Join("..", "..", "testdata", "profiles", "dukpt.toml"))
	require.NoError(t, err)
	base, err := hex.DecodeString(baseKey)
	require.NoError(t, err)
	f := beginDUKPT(t)
	load := func() *keys.Family {
		family, err := f.Load()
		require.NoError(t, err)
		return family
	}
	inWorldWith(t, p, func(bank *linktest.AcquirerOpts, o *Options) {
		bank.DUKPT, o.DUKPT = map[string][]byte{"FFFF987654": base}, load()
	}, func(w *world) {
		for _, amount := range []string{"1.00", "2.00", "3.00"} {
			approved(t, w.sell("visa-4242", amount))
			w.cutPower()
			w.options.DUKPT = load()
			w.boot()
		}
		assert.Equal(t, "FFFF9876543210E0001F", w.options.DUKPT.KSN().String(), "three times one of ten")
		w.fault("silent for sale")
		w.fault("silent for reversal")
		require.Equal(t, words.OutcomeUnknown, w.sell("unionpay-0005", "88.00").Outcome)
		w.cutPower()
		w.options.DUKPT = load()
		w.boot()
		w.after(2 * time.Minute)
		row, found := w.acquirer.Ledger().Find(testTerminal, w.lastRecord().STAN)
		require.True(t, found)
		assert.Equal(t, linktest.Reversed, row.State)
		asked, undone := 0, 0
		for _, s := range w.acquirer.Seen() {
			switch s.MTI {
			case "0200":
				asked++
				assert.Subset(t, s.Fields, []int{35, 59})
			case "0420", "0421":
				undone++
				assert.NotContains(t, s.Fields, 35)
				assert.NotContains(t, s.Fields, 59)
			}
		}
		assert.Equal(t, 4, asked)
		assert.GreaterOrEqual(t, undone, 2)
		for _, digits := range []string{initialKey, "4242424242424242", "6200000000000005"} {
			assert.NotContains(t, strings.ToUpper(w.log.String()), digits)
		}
	})
}

func beginDUKPT(t *testing.T) *keys.FamilyFile {
	dir, device := t.TempDir(), make([]byte, keys.DeviceKeyLength)
	f, err := keys.NewFamilyFile(filepath.Join(dir, "dukpt.key"), device, testTerminal)
	require.NoError(t, err)
	log, err := keys.OpenLog(filepath.Join(dir, "keys.log"), device)
	require.NoError(t, err)
	defer log.Close()
	secret, err := hex.DecodeString(initialKey)
	require.NoError(t, err)
	initial, err := keys.NewMaster(secret)
	require.NoError(t, err)
	ksn, err := keys.ParseKSN("FFFF9876543210E00000")
	require.NoError(t, err)
	require.NoError(t, keys.Begin(f, log, keys.Set{Master: initial, Source: keys.FromComponents}, ksn, time.Now()))
	return f
}
