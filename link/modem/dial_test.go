package modem

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACallIsMadeUsedAndEnded(t *testing.T) {
	for name, echo := range map[string]string{"echo on": "echo on", "echo off": "echo off"} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(b *bench) {
				b.tell(echo)
				var told []string
				m := b.driver(Opts{Progress: func(s string) { told = append(told, s) }})
				terminal, acquirer := b.dial(m)
				b.requireState("data")
				talk(b.t, terminal, acquirer)
				ended := make(chan string, 1)
				go func() { ended <- drain(t, acquirer) }()
				require.NoError(t, terminal.Close())
				assert.Equal(t, "+++", <-ended, "the escape sequence is all that leaks")
				b.requireState("command")
				assert.Equal(t, []string{"dialling 95516", "CONNECT 9600"}, told)
				assert.Equal(t, "dial-up 95516", m.String())
			})
		})
	}
}

func TestBytesMayComeOneAtATime(t *testing.T) {
	onBench(t, func(b *bench) {
		b.port.single = true
		m := b.driver(Opts{})
		for range 2 {
			terminal, acquirer := b.dial(m)
			talk(b.t, terminal, acquirer)
			go func() { _ = drain(t, acquirer) }()
			require.NoError(t, terminal.Close())
		}
	})
}

func TestACallThatFailsSaysWhyAndLeavesTheModemUsable(t *testing.T) {
	for command, want := range map[string]error{
		"busy": ErrBusy, "nodialtone": ErrNoDialtone, "noanswer": ErrNoAnswer,
	} {
		t.Run(command, func(t *testing.T) {
			onBench(t, func(b *bench) {
				b.tell(command)
				m := b.driver(Opts{})
				_, err := m.Dial(b.t.Context())
				require.ErrorIs(t, err, want)
				var result *ResultError
				require.ErrorAs(t, err, &result)
				assert.Contains(t, err.Error(), result.Code)
				b.requireState("command")
				b.tell("ok")
				var terminal, acquirer = b.dial(m)
				talk(b.t, terminal, acquirer)
				go func() { _ = drain(t, acquirer) }()
				require.NoError(t, terminal.Close())
			})
		})
	}
}

func TestAnUnknownNumberHasNoCarrier(t *testing.T) {
	onBench(t, func(b *bench) {
		_, err := b.driver(Opts{Number: "0,12345"}).Dial(b.t.Context())
		require.ErrorIs(t, err, ErrNoCarrier)
		b.requireState("command")
	})
}

func TestNobodyAnswersAndTheModemGivesUpFirst(t *testing.T) {
	onBench(t, func(b *bench) {
		b.ring = true
		m := b.driver(Opts{Carrier: 5 * time.Minute}) // S7 has no more than 255 s
		spent := took(func() {
			_, err := m.Dial(b.t.Context())
			var result *ResultError
			require.ErrorAs(t, err, &result)
			require.ErrorIs(t, err, ErrNoCarrier)
		})
		assert.Less(t, spent, 260*time.Second)
		b.requireState("command")
	})
}

func TestNobodyAnswersAndTheModemNeverGivesUp(t *testing.T) {
	onBench(t, func(b *bench) {
		m := b.driver(Opts{Carrier: 10 * time.Second, Number: number + ",,,,,,,"}) // pausing does not count for S7
		spent := took(func() {
			_, err := m.Dial(b.t.Context())
			require.ErrorIs(t, err, ErrNoCarrier)
			require.ErrorContains(t, err, "within 10s")
		})
		assert.Less(t, spent, 15*time.Second)
		b.requireState("command")
		require.Empty(t, b.calls)
	})
}

func TestDialEndsSoonAfterItsContext(t *testing.T) {
	for _, when := range []time.Duration{
		0, time.Millisecond, time.Second, 2500 * time.Millisecond, 2800 * time.Millisecond, 2900 * time.Millisecond,
		3 * time.Second, 4 * time.Second,
	} {
		t.Run(when.String(), func(t *testing.T) {
			onBench(t, func(b *bench) {
				b.ring = true
				m := b.driver(Opts{})
				ctx, cancel := context.WithTimeout(b.t.Context(), when)
				defer cancel()
				spent := took(func() {
					_, err := m.Dial(ctx)
					require.ErrorIs(t, err, context.DeadlineExceeded)
				})
				assert.LessOrEqual(t, spent-when, time.Second)
				b.requireState("command")

				b.ring = false
				terminal, acquirer := b.dial(m)
				talk(b.t, terminal, acquirer)
				require.NoError(t, acquirer.Close())
				require.NoError(t, terminal.Close())
			})
		})
	}
}

func TestSilentModem(t *testing.T) {
	onBench(t, func(b *bench) {
		b.tell("silent on")
		m := b.driver(Opts{})
		spent := took(func() {
			_, err := m.Dial(b.t.Context())
			require.ErrorIs(t, err, ErrNoModem)
		})
		assert.Less(t, spent, 17*time.Second)
		b.tell("silent off")
		terminal, acquirer := b.dial(m)
		talk(b.t, terminal, acquirer)
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
	})
}

func TestModemAtTheWrongSpeed(t *testing.T) {
	onBench(t, func(b *bench) {
		b.tell("echo off")
		b.tell("nonsense on")
		_, err := b.driver(Opts{}).Dial(b.t.Context())
		require.ErrorIs(t, err, ErrGarbage)
	})
}

func TestNoiseBeforeAResultIsTolerated(t *testing.T) {
	onBench(t, func(b *bench) {
		m := b.driver(Opts{})
		b.tell("garbage")
		terminal, acquirer := b.dial(m)
		talk(b.t, terminal, acquirer)
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
	})
}

func TestAModemSetToNumbersOrToSilenceIsSetBack(t *testing.T) {
	for _, profile := range []string{"ATV0", "ATQ1", "ATE1Q1V0"} {
		t.Run(profile, func(t *testing.T) {
			onBench(t, func(b *bench) {
				m := b.driver(Opts{})
				require.NoError(t, m.at.write(profile+"\r"))
				terminal, acquirer := b.dial(m)
				talk(b.t, terminal, acquirer)
				require.NoError(t, acquirer.Close())
				require.NoError(t, terminal.Close())
			})
		})
	}
}

func TestAnInitLineThatIsRefusedIsNamed(t *testing.T) {
	onBench(t, func(b *bench) {
		_, err := b.driver(Opts{Init: []string{"ATX4", "AT+MS=V22"}}).Dial(b.t.Context())
		require.ErrorIs(t, err, ErrRefused)
		require.ErrorContains(t, err, "AT+MS=V22")
		b.requireState("command")
	})
}

func TestOneCallAtATime(t *testing.T) {
	onBench(t, func(b *bench) {
		m := b.driver(Opts{})
		terminal, acquirer := b.dial(m)
		_, err := m.Dial(b.t.Context())
		require.ErrorIs(t, err, ErrInUse)
		talk(b.t, terminal, acquirer)
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
		require.Error(t, terminal.Close(), "a second Close says so")
	})
}

// A modem may lose a command that begins less than a tenth of a second after its last result code (V.250 5.5).
func TestCommandsKeepTheirDistance(t *testing.T) {
	onBench(t, func(b *bench) {
		m := b.driver(Opts{})
		terminal, acquirer := b.dial(m)
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
		commands := 0
		var heard time.Time
		for _, m := range b.port.log {
			switch {
			case !m.written:
				heard = m.at
			case strings.HasPrefix(m.data, "AT"):
				commands++
				assert.GreaterOrEqual(t, m.at.Sub(heard), betweenLines, m.data)
			}
		}
		assert.Equal(t, 7, commands, "plain talk, on hook, two init lines, S7, the number, on hook")
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Opts{
		"no number":        {},
		"letters":          {Number: "0800-PAY"},
		"no digit":         {Number: "T,,W"},
		"long number":      {Number: strings.Repeat("1", 39)},
		"injection":        {Number: "1\rATS0=1"},
		"strange init":     {Number: "1", Init: []string{"+++"}},
		"init with CR":     {Number: "1", Init: []string{"ATX4\rATA"}},
		"long init":        {Number: "1", Init: []string{"AT" + strings.Repeat("X", 127)}},
		"much init":        {Number: "1", Init: make([]string, 17)},
		"command time":     {Number: "1", Command: -1},
		"carrier time":     {Number: "1", Carrier: time.Hour},
		"impossible guard": {Number: "1", Guard: 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(&port{}, &o)
			require.Error(t, err)
		})
	}
	_, err := New(nil, &Opts{Number: "1"})
	require.Error(t, err)
	_, err = New(&port{}, nil)
	require.Error(t, err)
	assert.Equal(t, "ATDT1", dialLine("1"))
	assert.Equal(t, "ATDP0W1", dialLine("P0W1"))
}
