package gpio_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/gpio"
)

func TestLinesAreFoundByNameOrByNumber(t *testing.T) {
	chip := devicetest.NewChip("CARD_IN", "TAMPER", "LED")
	lines, err := gpio.Open(chip, map[string]gpio.Place{"tamper": {Name: "TAMPER", ActiveLow: true}, "ready": {Chip: "sim", Number: 2}})
	require.NoError(t, err)
	assert.True(t, lines.Tamper.On(), "low, and active low: a torn wire is an alarm")
	chip.Drive("TAMPER", true)
	assert.False(t, lines.Tamper.On())
	require.NoError(t, lines.Ready.Set(true))
	assert.True(t, chip.Level("LED"))
	assert.Equal(t, "sim:2", lines.Ready.String())

	require.NoError(t, lines.Buzzer.Set(true), "what the terminal does not have is set all the same")
	assert.False(t, lines.PowerFail.On())
}

func TestEveryFaultOfTheLinesIsToldAtOnce(t *testing.T) {
	chip := devicetest.NewChip("A", "B")
	chip.Take("B")
	_, err := gpio.Open(chip, map[string]gpio.Place{"tamper": {Name: "C"}, "ready": {Name: "A"}, "fault": {Chip: "sim", Number: 0}, "buzzer": {},
		"lamp": {Name: "A"}, "modem_key": {Name: "A", Chip: "sim"}, "power_fail": {Name: "B"}, "paper_out": {Chip: "sim", Number: 5000}})
	require.ErrorIs(t, err, gpio.ErrNoLine)
	for _, said := range []string{"gpio.tamper: there is no such line: C", "too", "gpio.buzzer: names no line", "gpio.lamp: there is no such use", "gpio.modem_key: has a name and a chip", "gpio.power_fail: B: device or resource busy", "want 0 to 1023"} {
		assert.ErrorContains(t, err, said)
	}
}

func TestAKeyIsPressedForSoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := devicetest.NewChip("PWRKEY")
		lines, err := gpio.Open(chip, map[string]gpio.Place{"modem_key": {Name: "PWRKEY", ActiveLow: true}})
		require.NoError(t, err)
		require.NoError(t, lines.ModemKey.Pulse(t.Context(), 600*time.Millisecond))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		require.ErrorIs(t, lines.ModemKey.Pulse(ctx, time.Second), context.Canceled)
		d := chip.Driven("PWRKEY")
		require.Len(t, d, 5)
		assert.Equal(t, []bool{true, false, true, false, true}, []bool{d[0].Level, d[1].Level, d[2].Level, d[3].Level, d[4].Level}, "never left pressed")
		assert.Equal(t, 600*time.Millisecond, d[2].At.Sub(d[1].At))
		assert.Equal(t, 100*time.Millisecond, d[4].At.Sub(d[3].At))
	})
}

func TestAWatchedLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := devicetest.NewChip("POWER")
		lines, err := gpio.Open(chip, map[string]gpio.Place{"power_fail": {Name: "POWER"}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		type told struct {
			on bool
			at time.Duration
		}
		var all []told
		began := time.Now()
		done := make(chan error)
		go func() {
			done <- lines.PowerFail.Watch(ctx, time.Second, func(on bool) { all = append(all, told{on, time.Since(began)}) })
		}()
		at := func(d time.Duration, level bool) {
			time.Sleep(d - time.Since(began))
			chip.Drive("POWER", level)
			synctest.Wait()
		}
		at(time.Second, true)
		at(1100*time.Millisecond, false) // it bounces
		at(1900*time.Millisecond, true)
		at(2*time.Second, false)
		at(5*time.Second, true) // too short to be read
		chip.Drive("POWER", false)
		time.Sleep(5 * time.Second)
		cancel()
		require.NoError(t, <-done)
		require.Len(t, all, 4)
		assert.Equal(t, told{true, time.Second}, all[0], "at once")
		assert.False(t, all[1].on)
		assert.GreaterOrEqual(t, all[1].at, 3*time.Second, "calm")
		assert.Equal(t, told{true, 5 * time.Second}, all[2])
		assert.False(t, all[3].on)
	})
}

func TestAShortEdgeCountsAsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := devicetest.NewChip("TAMPER")
		lines, err := gpio.Open(chip, map[string]gpio.Place{"tamper": {Name: "TAMPER"}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		opened := 0
		done := make(chan error)
		go func() {
			done <- lines.Tamper.Watch(ctx, time.Second, func(on bool) {
				if on {
					opened++
				}
			})
		}()
		synctest.Wait()
		chip.Drive("TAMPER", true)
		chip.Drive("TAMPER", false)
		synctest.Wait()
		assert.Equal(t, 1, opened)
		cancel()
		require.NoError(t, <-done)
	})
}
