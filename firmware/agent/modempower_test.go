package agent

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/gpio"
	"posagent/link/modem"
)

func modemLines(t *testing.T, uses ...string) (*devicetest.Chip, *gpio.Lines) {
	t.Helper()
	chip, places := devicetest.NewChip(uses...), map[string]gpio.Place{}
	for _, use := range uses {
		places[use] = gpio.Place{Name: use}
	}
	lines, err := gpio.Open(chip, places)
	require.NoError(t, err)
	return chip, lines
}

func pressed(chip *devicetest.Chip, line string) (lengths []time.Duration) {
	var since time.Time
	for _, d := range chip.Driven(line) {
		switch {
		case d.Level:
			since = d.At
		case !since.IsZero():
			lengths, since = append(lengths, d.At.Sub(since)), time.Time{}
		}
	}
	return lengths
}

func TestAModemIsRestartedByItsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip, lines := modemLines(t, "modem_key")
		p := &ModemPower{Key: lines.ModemKey, File: filepath.Join(t.TempDir(), "restarts"), Now: time.Now}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		require.NoError(t, p.Cycle(ctx), "what is begun goes to its end")
		assert.Equal(t, []time.Duration{keyOff, keyOn}, pressed(chip, "modem_key"))
		require.ErrorIs(t, p.Cycle(ctx), context.Canceled)

		chip, lines = modemLines(t, "modem_key", "modem_reset")
		p.Key, p.Reset = lines.ModemKey, lines.ModemReset
		require.NoError(t, p.Cycle(t.Context()))
		assert.Empty(t, pressed(chip, "modem_key"))
		assert.Equal(t, []time.Duration{resetFor}, pressed(chip, "modem_reset"))
	})
}

func TestADaysRestartsAreCountedOverStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip, lines := modemLines(t, "modem_reset")
		file := filepath.Join(t.TempDir(), "restarts")
		wrong := time.Duration(0)
		start := func() *ModemPower {
			return &ModemPower{Reset: lines.ModemReset, File: file, Day: 3, Now: func() time.Time { return time.Now().Add(wrong) }}
		}
		for range 3 {
			require.NoError(t, start().Cycle(t.Context()))
			time.Sleep(time.Hour)
		}
		require.ErrorIs(t, start().Cycle(t.Context()), modem.ErrBudget)
		wrong = -5 * time.Hour
		require.ErrorIs(t, start().Cycle(t.Context()), modem.ErrBudget, "a clock that is set back brings nothing")
		wrong = 0
		assert.Len(t, pressed(chip, "modem_reset"), 3)
		time.Sleep(22 * time.Hour)
		require.NoError(t, start().Cycle(t.Context()), "the first is a day old")

		require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
		require.ErrorContains(t, start().Cycle(t.Context()), "remove "+file)
		p := start()
		p.File = filepath.Join(file, "no directory", "restarts")
		require.Error(t, p.Cycle(t.Context()))
		assert.Len(t, pressed(chip, "modem_reset"), 4, "what cannot be written down is not done")
	})
}
