package agent

import (
	"context"
	"fmt"
	"time"
)

// Once a day the card reader starts anew by itself (reader.SelfCheck). A card in its slot would then never confirm what the
// acquirer approved, so the time is read while nobody sells, set to the one that is configured, and a sale that could still be
// running then is not begun. Both are kindnesses: the terminal's clock may be wrong and the reader may do it at another time,
// and what it interrupts is reversed like anything else.

// selfCheck is what is known of the reader's daily start. The engine's turn guards it.
type selfCheck struct {
	wanted *time.Duration // from midnight UTC; nil leaves the reader its own
	asked  bool           // on the present line
	known  bool
	at     time.Duration
	margin time.Duration // how long a sale may take
	now    func() time.Time
}

// tend asks the reader for its time, once for each line that was opened, and sets it. A reader that does not know the command
// is left alone. The caller has the engine's turn.
func (c *cardReader) tend(ctx context.Context) error {
	if c.check.asked && c.drive != nil {
		return nil
	}
	if err := c.attach(); err != nil {
		return err
	}
	c.check.asked = true
	drive, has := c.drive.(slotDrive)
	if !has {
		return nil
	}
	at, err := drive.SelfCheck(ctx)
	if err != nil {
		if !ordinary(err) {
			c.detach()
		}
		return fmt.Errorf("the card reader does not tell when it starts anew each day: %w", err)
	}
	c.check.known, c.check.at = true, at
	wanted := c.check.wanted
	if wanted == nil || *wanted == at {
		return nil
	}
	if err := drive.SetSelfCheck(ctx, *wanted); err != nil {
		return fmt.Errorf("the card reader's daily start stays at %s UTC: %w", clock(at), err)
	}
	c.check.at = *wanted
	return nil // it starts anew now, which the next command passes over or meets as a reader that does not answer yet
}

// due refuses a sale into which the reader's daily start could fall.
func (s *selfCheck) due() error {
	if !s.known {
		return nil
	}
	now := s.now().UTC()
	next := now.Truncate(24 * time.Hour).Add(s.at)
	if next.Before(now) {
		next = next.Add(24 * time.Hour)
	}
	if left := next.Sub(now); left < s.margin {
		return fmt.Errorf("the card reader starts anew at %s UTC for its daily self-check; sell again after that, in %v",
			clock(s.at), left.Round(time.Second))
	}
	return nil
}

func clock(at time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(at.Hours()), int(at.Minutes())%60)
}

// tendReader looks after the card reader while nobody sells.
func (a *Agent) tendReader(ctx context.Context) {
	err := a.terminal.Alone(ctx, func(ctx context.Context) error {
		if a.chips.kept() {
			a.card.meet(ctx)
		}
		return a.card.tend(ctx)
	})
	if err != nil && ctx.Err() == nil {
		a.log.Debug("card reader", "cause", err)
	}
	a.wantInstall()
}
