package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Connect opens the best line there is, so that the next exchange finds it open: while a card is read, or between two
// sales. The line is kept for keep at least. When a line is open already it is left as it is, except that a better one
// which has rested since it failed is tried again: that, and the end of a line, are the only moments at which the link
// goes back. Nothing is sent.
//
// Connect never stands in the way: while an exchange runs it does nothing and returns nil, and an exchange that comes
// while it dials waits only until its context ends.
func (l *Link) Connect(ctx context.Context, keep time.Duration) error {
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	default:
		return nil
	}
	if err := l.over(ctx); err != nil {
		return err
	}
	l.stopIdle()
	defer func() { l.startIdle(max(keep, l.o.Idle)) }()

	order := l.order(wish{})
	if s := l.living(); s != nil {
		better := l.better(s.route)
		if better == nil {
			return nil
		}
		l.rest(better) // until it has proven itself: an exchange that cuts this short does not wait for it again
		order = append([]*route{better}, slices.DeleteFunc(order, func(r *route) bool { return r == better })...)
	}
	var failed []error
	for _, r := range order {
		if err := l.over(ctx); err != nil {
			return errors.Join(append(failed, err)...)
		}
		_, err := l.dial(ctx, r)
		if err == nil {
			return nil
		}
		failed = append(failed, fmt.Errorf("%s: %w", r.Name, err))
	}
	return errors.Join(failed...)
}
