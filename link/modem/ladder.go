package modem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Ladder remembers how a modem's dials went, and says what the next one should do first:
//
//	failures in a row    1          2                      3                 4 and more
//	first                dial again a new data connection  restart it        switch it off and on
//
// A modem that does not answer at all skips to the last rung. What is not its fault (no SIM card, a PIN, a network that
// denies the card, a far end that does not accept, a dial that was cut short) never climbs above a new data connection.
// Restarts and power cycles keep a growing distance, because modules ask for it (Quectel EC200U&EG915U TCP/IP Application
// Note V1.1, 2.3, note 3: at once, then after 10, 30 and 60 minutes), and power cycles have a budget beside, because each
// wears the module's flash. What they may not do is left out, and the dial goes on without it.
//
// It lives in memory: a program that is started anew starts with a full budget, unless its PowerCycle keeps one of its own and
// returns ErrBudget. The zero Ladder restarts and never cuts
// the power. Its methods may be called from any goroutine.
type Ladder struct {
	// PowerCycle takes the modem's power away and gives it back; nil where the board cannot. It returns once the power is
	// back. It must not be called while the modem updates its own firmware.
	PowerCycle func(context.Context) error
	PerHour    int // power cycles at most; 0 is 2
	PerDay     int // 0 is 10

	mu       sync.Mutex
	failures int  // in a row, of those that are the modem's
	deaf     bool // the last dial got no answer at all
	gentle   bool // the last failure was not the modem's
	resets   []time.Time
	cycles   []time.Time
}

const (
	perHourDefault = 2
	perDayDefault  = 10
)

// distances between one restart, or one power cycle, and the next within a day.
var distances = [...]time.Duration{10 * time.Minute, 30 * time.Minute, time.Hour}

type rung int

const (
	dialRung rung = iota
	attachRung
	resetRung
	cycleRung
)

// ErrBudget is what a power cycle fails with that would be one too many.
var ErrBudget = errors.New("the modem was switched off and on too often lately")

// next says what to do before the next dial, and counts it as done.
func (l *Ladder) next(now time.Time) rung {
	l.mu.Lock()
	defer l.mu.Unlock()
	want := min(dialRung+rung(max(0, l.failures-1)), cycleRung)
	if l.deaf && l.failures > 0 {
		want = cycleRung
	}
	if l.gentle && want > attachRung {
		want = attachRung
	}
	if want == cycleRung && (l.PowerCycle == nil || l.spentLocked(now) != nil || !farEnough(l.cycles, now)) {
		want = resetRung
		if l.deaf {
			want = dialRung // a restart is a command, and nobody is there to hear it
		}
	}
	if want == resetRung {
		if !farEnough(l.resets, now) {
			return attachRung
		}
		l.resets = lately(append(l.resets, now), now)
	}
	return want
}

// cycle switches the modem off and on, if the budget allows.
func (l *Ladder) cycle(ctx context.Context) error {
	l.mu.Lock()
	now := time.Now()
	if err := l.spentLocked(now); err != nil {
		l.mu.Unlock()
		return err
	}
	l.cycles = lately(append(l.cycles, now), now)
	l.mu.Unlock()
	return l.PowerCycle(ctx)
}

func (l *Ladder) spentLocked(now time.Time) error {
	hour, day := l.countLocked(now)
	perHour, perDay := l.PerHour, l.PerDay
	if perHour == 0 {
		perHour = perHourDefault
	}
	if perDay == 0 {
		perDay = perDayDefault
	}
	if hour >= perHour || day >= perDay {
		return fmt.Errorf("%w: %d times within an hour, %d within a day", ErrBudget, hour, day)
	}
	return nil
}

// Spent is how often the power was cut within the last hour and the last day.
func (l *Ladder) Spent() (hour, day int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.countLocked(time.Now())
}

func (l *Ladder) countLocked(now time.Time) (hour, day int) {
	for _, t := range l.cycles {
		if now.Sub(t) < time.Hour {
			hour++
		}
		if now.Sub(t) < 24*time.Hour {
			day++
		}
	}
	return hour, day
}

// failed counts a dial that did not connect. cut says that its caller ended it.
func (l *Ladder) failed(err error, cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cut || errors.Is(err, ErrInUse) {
		return
	}
	l.failures++
	l.deaf = errors.Is(err, ErrNoModem) || errors.Is(err, ErrGarbage)
	l.gentle = errors.Is(err, ErrUnreachable) || errors.Is(err, ErrDenied) || errors.Is(err, ErrSIMLocked) || errors.Is(err, ErrNoSIM)
}

func (l *Ladder) worked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures, l.deaf, l.gentle = 0, false, false
}

// farEnough reports whether the newest of all lies far enough back. The more there were in a day, the farther.
func farEnough(all []time.Time, now time.Time) bool {
	all = lately(slices.Clone(all), now)
	if len(all) == 0 {
		return true
	}
	return now.Sub(all[len(all)-1]) >= distances[min(len(all), len(distances))-1]
}

func lately(all []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(all, func(t time.Time) bool { return now.Sub(t) >= 24*time.Hour })
}
