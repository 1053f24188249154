package modem

import (
	"context"
	"fmt"
	"time"
)

// hangUp ends a call. inData says that the modem may still take bytes for payload. It is proven by the answer to ATH;
// without it the modem stays in doubt.
//
// Bound: two rounds of 2.2 guard times (or 0.6 s of DTR), the writing of two commands, a second of chatter, and 5 s for
// ATH: 29 s with the default times and a modem that has died, 2.4 s or 0.8 s with one that has not.
func (m *Modem) hangUp(inData bool) error {
	m.idle = false
	m.at.spoke = time.Now() // payload that nobody read is read away before the first command
	ctx := context.Background()
	byDTR := true
	var err error
	for round := range hangUpRounds {
		if inData || round > 0 {
			if err := m.leaveData(ctx, byDTR); err != nil {
				return err
			}
			byDTR = false
		}
		if err = m.onHook(ctx); err == nil || !worthAsking(err) {
			break
		}
	}
	return err
}

// onHook puts the modem on hook and takes its answer for proof. NO CARRIER proves it as well: it is the result code of a
// call that ended by itself (5.7.1).
func (m *Modem) onHook(ctx context.Context) error {
	if err := m.at.command(ctx, onHook, hangUpWait, noCarrier); err != nil {
		return fmt.Errorf("hang-up not confirmed: %w", err)
	}
	m.idle = true
	return nil
}

// leaveData brings a modem from data state to command state: by DTR if it is wanted and there is one, which under &D2
// ends the call at once, else by the escape sequence. It cannot tell whether it worked, or was needed; in command state
// neither does harm. A second try should not want DTR: the modem may be set to ignore it.
func (m *Modem) leaveData(ctx context.Context, byDTR bool) error {
	if byDTR && m.opts.DTR != nil {
		if m.opts.DTR(false) == nil {
			err := m.at.rest(ctx, time.Now().Add(dtrOff))
			if m.opts.DTR(true) == nil {
				return err
			}
		}
	}
	if err := m.at.rest(ctx, time.Now().Add(longer(m.opts.Guard))); err != nil {
		return err
	}
	if err := m.at.write(escape); err != nil {
		return err
	}
	return m.at.rest(ctx, time.Now().Add(longer(m.opts.Guard)))
}

// carrierOff reports whether DCD says that there is no call. A line that cannot tell proves nothing.
func (m *Modem) carrierOff() bool {
	if m.opts.DCD == nil {
		return false
	}
	on, err := m.opts.DCD()
	return err == nil && !on
}
