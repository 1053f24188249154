package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"posagent/device/gpio"
	"posagent/link/modem"
)

// ModemPower restarts a modem that no command reaches any more, by the lines of its keys: the last rung of a modem.Ladder. Each
// time wears the modem's flash, so a day has a budget, and it is kept in a file: a program that is restarted because the modem
// hangs must not begin with a new one. A time is written down before the key is pressed; one that cannot be is not spent.
type ModemPower struct {
	Key   *gpio.Line // its power key
	Reset *gpio.Line // its reset, which is preferred: a modem that hangs may not heed its key
	File  string     // where times are kept
	Day   int        // at most so often within 24 hours; 10 when zero
	Now   func() time.Time

	mu sync.Mutex
}

// How long keys are pressed. A power key wants 0.1 to 2 s, a reset 150 to 450 ms, and a modem that is to go off takes up to
// 12 s (Quectel M66 Hardware Design, turning off).
const (
	keyOff     = time.Second
	keyOffTime = 12 * time.Second
	keyOn      = 500 * time.Millisecond
	resetFor   = 300 * time.Millisecond

	cyclesPerDay  = 10
	mostCycleFile = 4096
)

// Cycle restarts the modem. modem.ErrBudget means that it was done too often lately, or that nobody can count how often, and
// nothing was done. Once begun it goes
// to its end, 13.5 s at most, also when ctx ends: a modem is not left switched off.
func (p *ModemPower) Cycle(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.spend(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if p.Reset != nil {
		return p.Reset.Pulse(ctx, resetFor)
	}
	err := p.Key.Pulse(ctx, keyOff)
	time.Sleep(keyOffTime)
	return errors.Join(err, p.Key.Pulse(ctx, keyOn))
}

// spend writes one more time down. A clock that was set decides nothing about times further away than a day in either
// direction; nearer ones count, whether they are before or behind.
func (p *ModemPower) spend() error {
	times, err := p.times()
	if err != nil {
		return err
	}
	most, now := p.Day, p.Now()
	if most == 0 {
		most = cyclesPerDay
	}
	var lately []time.Time
	for _, t := range times {
		if now.Sub(t).Abs() < 24*time.Hour {
			lately = append(lately, t)
		}
	}
	if len(lately) >= most {
		return fmt.Errorf("%w: %d times within a day; %s remembers them", modem.ErrBudget, len(lately), p.File)
	}
	return p.keep(append(lately, now))
}

// times are those that are kept. A file that cannot be understood counts as a budget that is spent, until somebody has looked.
func (p *ModemPower) times() (times []time.Time, err error) {
	text, err := os.ReadFile(p.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w, as far as anybody can say: %w", modem.ErrBudget, err)
	case len(text) > mostCycleFile || json.Unmarshal(text, &times) != nil:
		return nil, fmt.Errorf("%w, as far as anybody can say: remove %s once the modem has been looked at", modem.ErrBudget, p.File)
	}
	return times, nil
}

// keep writes the file whole or not at all.
func (p *ModemPower) keep(times []time.Time) error {
	text, err := json.Marshal(times)
	if err != nil {
		return err
	}
	dir, name := filepath.Split(p.File)
	if err := Folder(dir).Keep(name, text); err != nil {
		return fmt.Errorf("%w, as far as could be kept: %w", modem.ErrBudget, err)
	}
	return nil
}
