package reader_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/reader"
	"posagent/device/reader/neo2"
)

func (c *counter) signals() string {
	c.t.Helper()
	said, err := c.sim.Command("signals")
	require.NoError(c.t, err)
	return said
}

func TestTheReaderShowsAndSoundsAnOutcome(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		began := time.Now()
		require.NoError(t, c.drive.Signal(t.Context(), reader.Signal{Green: true, Lasting: 2 * time.Second, Beeps: 1}))
		assert.Equal(t, 2*time.Second, time.Since(began))
		require.NoError(t, c.drive.Signal(t.Context(), reader.Signal{Red: true, Blink: true, Lasting: time.Hour, Beeps: 4}))
		assert.Equal(t, 2*time.Second+reader.MaxLasting, time.Since(began))
		require.NoError(t, c.drive.Signal(t.Context(), reader.Signal{Long: 800 * time.Millisecond}))
		assert.Equal(t, "lamp green, beep 1, lamp off, lamp red blinking, beep 4, lamp off, beep 800ms", c.signals())
		c.do("present visa")
		_, err := c.drive.Activate(t.Context(), order)
		require.NoError(t, err, "pass-through mode has ended")
	})
}

// The wire, as the guide has it on p. 282-284.
func TestTheSignalsWire(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		done := make(chan error, 1)
		go func() {
			done <- drive.Signal(t.Context(), reader.Signal{Red: true, Lasting: time.Second, Long: 800 * time.Millisecond})
		}()
		for _, want := range []struct {
			command, sub byte
			data         string
		}{{0x2C, 0x01, "01"}, {0x0A, 0x03, "010100"}, {0x0B, 0x02, "03"}, {0x0A, 0x03, "010000"}, {0x2C, 0x01, "00"}} {
			f := b.frame()
			assert.Equal(t, []any{want.command, want.sub, unhex(t, want.data)}, []any{f.Command, f.Sub, f.Data})
			b.answer(f.Command, neo2.OK, nil)
		}
		require.NoError(t, <-done)
	})
}

// The guide has the checksum of the buzzer's command the other way about than that of all others.
func TestAReaderThatWantsTheOtherChecksumOrderHasIt(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		done := make(chan error, 1)
		go func() { done <- drive.Signal(t.Context(), reader.Signal{Beeps: 4}) }()
		b.expect("0b 01 00 01 04 dc 22")
		b.answer(neo2.Buzzer, neo2.BadChecksum, nil)
		b.expect("0b 01 00 01 04 22 dc")
		b.answer(neo2.Buzzer, neo2.OK, nil)
		require.NoError(t, <-done)
		go func() { done <- drive.Ping(t.Context()) }()
		b.ping() // as ever
		require.NoError(t, <-done)
	})
}

func TestNobodyWaitsForASignal(t *testing.T) {
	atCounterWith(t, reader.Opts{Lights: true}, func(t *testing.T, c *counter) {
		shown := make(chan error, 1)
		go func() { shown <- c.drive.Signal(t.Context(), reader.Signal{Green: true, Lasting: 5 * time.Second}) }()
		time.Sleep(time.Second)
		began := time.Now()
		c.do("present visa")
		_, err := c.drive.Activate(t.Context(), order)
		require.NoError(t, err)
		assert.Zero(t, time.Since(began), "of virtual time: the lamp is put out at once")
		require.NoError(t, <-shown)
		assert.Equal(t, "lamp green, lamp off", c.signals())

		done := c.begin(t.Context(), order)
		assert.ErrorIs(t, c.drive.Signal(t.Context(), reader.Signal{Beeps: 1}), reader.ErrBusy, "a card is awaited")
		c.do("insert unionpay")
		got := <-done
		require.NoError(t, got.err)
		assert.ErrorIs(t, c.drive.Signal(t.Context(), reader.Signal{Beeps: 1}), reader.ErrBusy, "a card waits in the slot")
		_, err = c.drive.Complete(t.Context(), approval(t, got.card))
		require.NoError(t, err, "which has not noticed")
	})
}

func TestAReaderThatDoesNotAnswerASignalCostsAMoment(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.do("silent on")
		began := time.Now()
		assert.ErrorIs(t, c.drive.Signal(t.Context(), reader.Signal{Green: true, Lasting: 5 * time.Second, Beeps: 1}), reader.ErrNoAnswer)
		assert.LessOrEqual(t, time.Since(began), 300*time.Millisecond)
		c.do("silent off")
		c.do("present visa")
		_, err := c.drive.Activate(t.Context(), order)
		require.NoError(t, err)
	})
}

// A program that ended while the lamp was on has left the reader in pass-through mode.
func TestPassThroughModeOfAnEarlierProgramIsEnded(t *testing.T) {
	atCounterWith(t, reader.Opts{Lights: true}, func(t *testing.T, c *counter) {
		left := neo2.Frame{Command: neo2.PassThrough, Sub: neo2.PassMode, Data: []byte{neo2.PassStart}}
		_, err := c.line.Write(left.Append(nil, neo2.LowFirst))
		require.NoError(t, err)
		c.do("present visa")
		_, err = c.drive.Activate(t.Context(), order)
		require.NoError(t, err)
	})
}

func TestSignalsThatNoReaderHas(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		for _, s := range []reader.Signal{{Beeps: 5}, {Beeps: -1}, {Beeps: 1, Long: 200 * time.Millisecond}, {Long: 300 * time.Millisecond}, {Long: time.Second}, {Long: time.Nanosecond}} {
			assert.ErrorContains(t, c.drive.Signal(t.Context(), s), "beep", s)
		}
		assert.Equal(t, "nothing", c.signals())
	})
}

// What the reader asks for in the middle of a chip's transaction is answered, and told.
func TestWhatTheReaderAsksForIsTold(t *testing.T) {
	for ask, told := range map[string]reader.Prompt{"menu": reader.FirstChosen, "pin": reader.NoPINHere, "stripe": reader.NoOtherStripe} {
		t.Run(ask, func(t *testing.T) {
			atCounter(t, func(t *testing.T, c *counter) {
				c.do("at authenticate " + ask)
				c.inserted("unionpay")
				assert.Contains(t, c.events, told)
			})
		})
	}
}
