package link

import (
	"context"
	"fmt"
	"time"
)

// living is the session that can still be written to, or nil: none yet, or it ended, perhaps while nobody looked.
func (l *Link) living() *session {
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s == nil || s.over() != nil {
		return nil
	}
	return s
}

// dial connects one bearer within its allowance. The line before it is free by then, and its reader gone: two lines
// may share a modem, and never speak to Stray at once.
func (l *Link) dial(ctx context.Context, r *route) (*session, error) {
	_ = l.hangup(fmt.Errorf("%w: dialling again", ErrHungUp))
	b, began := r.Bearer, time.Now()
	l.progress(ctx, Stage{Step: Dialling, Bearer: b.Name})
	within, cancel := context.WithTimeout(ctx, b.Connect)
	within = context.WithValue(within, reportKey{}, func(s Step, took time.Duration) { l.progress(ctx, Stage{Step: s, Bearer: b.Name, Took: took}) })
	defer cancel()
	defer context.AfterFunc(l.closed, cancel)()

	conn, err := b.Dialer.Dial(within)
	if err == nil {
		// The reader has no deadline of its own: whatever the dialer left behind must not end it.
		if err = conn.SetReadDeadline(time.Time{}); err != nil {
			_ = conn.Close()
		}
	}
	if err != nil {
		if within.Err() != nil && l.over(ctx) == nil {
			err = fmt.Errorf("%w: not connected within %s: %v", ErrTimeout, b.Connect, err)
		}
		if l.over(ctx) == nil {
			l.rest(r)
		}
		l.progress(ctx, Stage{Step: NotConnected, Bearer: b.Name, Err: err, Took: time.Since(began)})
		return nil, err
	}
	r.rests = time.Time{}
	s := newSession(conn, r, l.o.Dialect, l.o.Header.Frame, l.o.Stray)
	l.mu.Lock()
	l.session = s
	l.mu.Unlock()
	if err := l.over(ctx); err != nil {
		// Close may have looked for a session to end just before there was one.
		_ = s.end(fmt.Errorf("%w: %w", ErrHungUp, err))
		return nil, err
	}
	l.progress(ctx, Stage{Step: Connected, Bearer: b.Name, Took: time.Since(began)})
	return s, nil
}

// over tells why no more work should begin: the caller's time is up, the link is closed, or speaking is forbidden.
func (l *Link) over(ctx context.Context) error {
	if l.closed.Err() != nil {
		return ErrClosed
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if l.o.Held != nil {
		return l.o.Held()
	}
	return nil
}

// hangup ends the newest session and waits until its reader has left.
func (l *Link) hangup(why error) error {
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	err := s.end(why)
	<-s.done
	return err
}

// startIdle lets go of the line when nothing follows for a while. The caller has the turn.
func (l *Link) startIdle(keep time.Duration) {
	if l.o.Idle <= 0 || l.living() == nil {
		return
	}
	l.idle = time.AfterFunc(keep, func() {
		select {
		case <-l.turn:
			defer func() { l.turn <- struct{}{} }()
			_ = l.hangup(fmt.Errorf("%w: idle for %s", ErrHungUp, keep))
		default: // an exchange has begun
		}
	})
}

// stopIdle comes before an exchange. The caller has the turn, so the timer's function is not running; if it is waiting
// to run it finds the turn taken.
func (l *Link) stopIdle() {
	if l.idle != nil {
		l.idle.Stop()
		l.idle = nil
	}
}
