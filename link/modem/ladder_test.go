package modem

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errOther = errors.New("no data connection today")

func TestEachFailureClimbsOneRung(t *testing.T) {
	l := &Ladder{PowerCycle: func(context.Context) error { return nil }}
	now := time.Now()
	for i, want := range []rung{dialRung, dialRung, attachRung, resetRung, cycleRung, cycleRung} {
		assert.Equal(t, want, l.next(now), "after %d failures", i)
		l.failed(errOther, false)
	}
	l.worked()
	assert.Equal(t, dialRung, l.next(now))
}

func TestADeafModemIsSwitchedOffAndOnAtOnce(t *testing.T) {
	l := &Ladder{PowerCycle: func(context.Context) error { return nil }}
	l.failed(ErrNoModem, false)
	assert.Equal(t, cycleRung, l.next(time.Now()))
	l = &Ladder{}
	l.failed(ErrNoModem, false)
	assert.Equal(t, dialRung, l.next(time.Now()), "a restart is a command, and nobody hears it")
}

func TestWhatIsNotTheModemsFaultDoesNotClimb(t *testing.T) {
	l := &Ladder{PowerCycle: func(context.Context) error { return nil }}
	for range 9 {
		l.failed(ErrUnreachable, false)
		assert.LessOrEqual(t, l.next(time.Now()), attachRung)
	}
	for range 9 {
		l.failed(ErrNoModem, true) // its caller cut it short
	}
	assert.LessOrEqual(t, l.next(time.Now()), attachRung)
}

func TestPowerCyclesHaveABudgetAndKeepTheirDistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cycled := 0
		l := &Ladder{PerHour: 2, PerDay: 5, PowerCycle: func(context.Context) error { cycled++; return nil }}
		began := time.Now()
		var at []time.Duration
		for time.Since(began) < 24*time.Hour {
			l.failed(ErrNoModem, false)
			if l.next(time.Now()) == cycleRung {
				require.NoError(t, l.cycle(t.Context()))
				at = append(at, time.Since(began).Round(time.Minute))
			}
			time.Sleep(time.Minute)
		}
		assert.Equal(t, []time.Duration{0, 10 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour}, at)
		assert.Equal(t, 5, cycled)
		hour, day := l.Spent()
		assert.Zero(t, hour)
		assert.Equal(t, 4, day, "the first is a day old by now")
		time.Sleep(time.Hour)
		for range 2 {
			require.NoError(t, l.cycle(t.Context()))
		}
		require.ErrorIs(t, l.cycle(t.Context()), ErrBudget)
	})
}

func TestRestartsKeepTheirDistance(t *testing.T) {
	l := &Ladder{}
	now := time.Now()
	resets := 0
	for i := range 24 * 60 {
		l.failed(errOther, false)
		if l.next(now.Add(time.Duration(i)*time.Minute)) == resetRung {
			resets++
		}
	}
	assert.InDelta(t, 25, resets, 3, "one an hour in the long run")
}

func TestAModemComesBackByTheLadder(t *testing.T) {
	families(t, func(m *mast) {
		m.tell("pdp fails")
		for range 3 {
			m.fails(ErrNoContext)
		}
		m.tell("pdp ok")
		terminal, acquirer := m.dial() // after a restart
		talk(m.t, terminal, acquirer)
		require.NoError(m.t, terminal.Close())
		assert.Equal(m.t, "none, 1 starts, 1 resets, 0 power cycles", m.state())

		m.tell("silent on")
		m.fails(ErrNoModem)
		terminal, acquirer = m.dial() // after a power cycle, which also gives it its voice back
		talk(m.t, terminal, acquirer)
		require.NoError(m.t, terminal.Close())
		assert.Equal(m.t, "none, 2 starts, 1 resets, 1 power cycles", m.state())
	})
}

// Whoever has the modem's key may count on his own, over restarts of the program: the dial goes on without it.
func TestABudgetThatIsKeptElsewhere(t *testing.T) {
	families(t, func(m *mast) {
		asked := 0
		m.ladder.PowerCycle = func(context.Context) error { asked++; return ErrBudget }
		m.tell("silent on")
		m.fails(ErrNoModem)
		m.tell("silent off")
		terminal, acquirer := m.dial()
		talk(m.t, terminal, acquirer)
		require.NoError(m.t, terminal.Close())
		assert.Equal(m.t, 1, asked)
	})
}
