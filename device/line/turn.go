package line

import (
	"context"
	"sync"
)

// Turn gives a device to one caller at a time, who may wait long for a person, and lets another end that. The zero value is
// free.
type Turn struct {
	mu   sync.Mutex
	held *holder // guarded by mu; nil while the device is free
}

type holder struct {
	stop func()
	done chan struct{}
}

// Begin takes the device; ok is false if somebody has it. The context it returns ends with ctx, or with the cause cancelled
// when Cancel is called. over gives the device back and must be called.
func (t *Turn) Begin(ctx context.Context, cancelled error) (within context.Context, over func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held != nil {
		return nil, nil, false
	}
	within, stop := context.WithCancelCause(ctx)
	mine := &holder{stop: func() { stop(cancelled) }, done: make(chan struct{})}
	t.held = mine
	return within, func() {
		stop(nil)
		t.mu.Lock()
		t.held = nil
		t.mu.Unlock()
		close(mine.done)
	}, true
}

// Cancel makes whoever has the device end, and returns once it is given back, or with the context's error. Where nobody has
// it, there is nothing to do.
func (t *Turn) Cancel(ctx context.Context) error {
	t.mu.Lock()
	held := t.held
	t.mu.Unlock()
	if held == nil {
		return nil
	}
	held.stop()
	select {
	case <-held.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
