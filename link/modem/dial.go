package modem

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"posagent/link"
)

// Dial makes the call: it brings the modem to command state whatever state it is in, sets it up, dials, and returns once
// the modem says CONNECT. It takes as long as Opts.Carrier and the init lines allow, and a silent modem is given up after
// a quarter of a minute. When ctx ends during the call's set-up the modem is told to stop, as V.250 5.6.1 has it, and hung up
// before Dial returns: within a second as a rule, and never more than Close may take and Opts.Command.
//
// It fails with a *ResultError, ErrNoCarrier, ErrNoModem, ErrGarbage, ErrInUse, the context's error, or the port's.
func (m *Modem) Dial(ctx context.Context) (link.Conn, error) {
	if err := m.acquire(); err != nil {
		return nil, err
	}
	early, err := m.connect(ctx)
	if err != nil {
		m.release()
		return nil, fmt.Errorf("modem: %w", err)
	}
	return newCall(callOwner{port: m.at.port, dcd: m.opts.DCD, guard: m.opts.Guard, hangUp: m.hangUp, release: m.release}, early), nil
}

// connect returns the payload that came in one piece with CONNECT.
func (m *Modem) connect(ctx context.Context) (early []byte, err error) {
	m.at.spoke = time.Now() // what piled up since the last call is read away before the first command
	if err := m.synchronise(ctx); err != nil {
		return nil, err
	}
	s7 := min(int((m.opts.Carrier+time.Second-1)/time.Second), maxS7)
	for _, line := range append(m.opts.Init[:len(m.opts.Init):len(m.opts.Init)], fmt.Sprintf("%s%d", setS7, s7)) {
		if err := m.at.command(ctx, line, m.opts.Command); err != nil {
			return nil, fmt.Errorf("init %s: %w", line, err)
		}
	}
	return m.dial(ctx)
}

// synchronise ends with a modem that is proven to be in command state and on hook. A process killed during a call leaves
// the modem in data state, where it takes "AT" for payload: only DTR or the escape sequence help, and they are used
// first when that may be so, that a call left over is not sent more than it must.
func (m *Modem) synchronise(ctx context.Context) error {
	certain := m.idle
	doubt := !certain && !m.carrierOff()
	m.idle = false
	byDTR := true
	var err error
	for round := range syncRounds {
		if doubt || round > 0 {
			if err := m.leaveData(ctx, byDTR); err != nil {
				return err
			}
			byDTR = false
		}
		err = m.probe(ctx)
		if err == nil && certain && round == 0 {
			m.idle = true
			return nil
		}
		if err == nil {
			err = m.onHook(ctx)
		}
		if err == nil || !worthAsking(err) {
			break
		}
	}
	return err
}

// probe asks for plain talk until the modem says OK. A first line may be lost to noise in the modem's command buffer, or
// to its finding out the speed.
func (m *Modem) probe(ctx context.Context) (err error) {
	for range probes {
		err = m.at.command(ctx, plainTalk, min(m.opts.Command, probeWait))
		if err == nil || !worthAsking(err) {
			break
		}
	}
	return err
}

// worthAsking reports whether another try can help: not when the context has ended or the port is broken.
func worthAsking(err error) bool {
	return errors.Is(err, ErrNoModem) || errors.Is(err, ErrGarbage) || errors.Is(err, ErrRefused)
}

// dial sends the number and waits for the outcome.
func (m *Modem) dial(ctx context.Context) ([]byte, error) {
	m.opts.Progress("dialling " + m.opts.Number)
	if err := m.at.ready(ctx); err != nil {
		return nil, err
	}
	m.idle = false
	if err := m.at.send(dialLine(m.opts.Number)); err != nil {
		return nil, err
	}
	began := time.Now()
	outcome, err := m.outcome(ctx, began.Add(m.opts.Carrier), m.opts.Progress)
	switch {
	case err == nil && outcome.connected():
		return m.at.lex.unread(), nil
	case err == nil && outcome.class == ofCall:
		m.idle = true // 5.7.1: sent in command state, on hook
		return nil, outcome.failure()
	case err == nil:
		_ = m.hangUp(false) // OK leaves the line off hook, ERROR a call up that nobody knew of (table 8)
		if failure := outcome.failure(); failure != nil {
			return nil, failure
		}
		return nil, fmt.Errorf("%w: it answered %s to the dial string", ErrNoCarrier, outcome.text)
	case errors.Is(err, os.ErrDeadlineExceeded):
		m.abort(began)
		return nil, fmt.Errorf("%w within %v: check the number", ErrNoCarrier, m.opts.Carrier)
	case ctx.Err() != nil:
		m.abort(began)
		return nil, fmt.Errorf("dialling stopped: %w", err)
	default:
		return nil, err
	}
}

// outcome waits for the result code of D. Other lines ("RINGING", "CARRIER 9600") are progress.
func (m *Modem) outcome(ctx context.Context, until time.Time, progress func(string)) (result, error) {
	var outcome result
	err := m.at.listen(ctx, until, func(t token) bool {
		if t.kind != text {
			return false
		}
		r, known := resultOf(t.text)
		if !known || r.connected() {
			progress(t.text)
		}
		outcome = r
		return known && r.class != unsolicited
	})
	return outcome, err
}

// abort stops a D command. The modem may connect in spite of it (6.3.1), or say nothing; then it is hung up as from a
// call. The context has perhaps ended and has no say any more.
func (m *Modem) abort(began time.Time) {
	background := context.Background()
	if err := m.at.rest(background, began.Add(deafToAbort+abortMargin)); err != nil {
		return
	}
	if err := m.at.write(abortKey); err != nil {
		return
	}
	ended, err := m.outcome(background, time.Now().Add(m.opts.Command), func(string) {})
	_ = m.hangUp(err != nil || ended.connected()) // without proof m.idle stays false, and the next Dial sees to it
}
