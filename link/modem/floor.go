package modem

import (
	"sync"
	"time"
)

// floor decides who may speak with the modem: one at a time, and a writer before the reader, who otherwise holds it while
// he waits for reports. A writer that comes wakes him.
type floor struct {
	mu      sync.Mutex
	free    *sync.Cond
	taken   bool
	writers int  // that wait
	idle    bool // the reader has it and waits for reports
	wake    func()
}

func newFloor(wake func()) *floor {
	f := &floor{wake: wake}
	f.free = sync.NewCond(&f.mu)
	return f
}

// take waits for the floor. A writer is served before the reader.
func (f *floor) take(writer bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if writer {
		f.writers++
		f.stirLocked()
	}
	for f.taken || !writer && f.writers > 0 {
		f.free.Wait()
	}
	if writer {
		f.writers--
	}
	f.taken = true
}

func (f *floor) give() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken, f.idle = false, false
	f.free.Broadcast()
}

// rest is the reader saying that he waits until the time given; arm sets the port's deadline. It returns false if
// somebody wants the floor, or stop says that there is nothing to wait for.
func (f *floor) rest(stop func() bool, arm func() error) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writers > 0 || stop() {
		return false, nil
	}
	f.idle = true
	return true, arm()
}

func (f *floor) busy() {
	f.mu.Lock()
	f.idle = false
	f.mu.Unlock()
}

// stir wakes a reader that waits.
func (f *floor) stir() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stirLocked()
}

func (f *floor) stirLocked() {
	if f.idle {
		f.wake()
	}
}

// alarm is a deadline that can be moved while somebody works under it.
type alarm struct {
	mu    sync.Mutex
	timer *time.Timer
	at    time.Time
	ring  func() // of the work in progress
}

func (a *alarm) set(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = t
	a.armLocked()
}

func (a *alarm) armLocked() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	if a.ring != nil && !a.at.IsZero() {
		a.timer = time.AfterFunc(max(0, time.Until(a.at)), a.ring)
	}
}

// begin starts work that ring ends; the function it returns says that it is over.
func (a *alarm) begin(ring func()) func() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ring = ring
	a.armLocked()
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.ring = nil
		a.armLocked()
	}
}

func (a *alarm) past() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.at.IsZero() && !time.Now().Before(a.at)
}
