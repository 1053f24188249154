package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"posagent/device/gpio"
	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// What forbids every send. A request refused with one of these was not begun, or not a byte of it left.
var (
	ErrCaseOpened = errors.New("the terminal's case was opened; nothing is sent until a technician has cleared it and new keys are loaded")
	ErrPowerFails = errors.New("the power fails; nothing is sent until it has been steady for a while")
)

// powerCalm is how long the supply must be good again before anything is sent.
const powerCalm = 2 * time.Second

// guard forbids sending. The link asks it before every message, also after a long dial; the agent before every request of a
// till, so that nobody is asked for a card in vain.
type guard struct {
	mu     sync.Mutex
	opened bool
	power  bool
}

func (g *guard) held() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.opened:
		return ErrCaseOpened
	case g.power:
		return ErrPowerFails
	}
	return nil
}

func (g *guard) caseOpened() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = true
}

func (g *guard) failing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.power
}

func (g *guard) powerFails(now bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.power = now
}

// guardWords are what the person at the counter is told of such a refusal.
func guardWords(err error) (words.Pair, bool) {
	switch {
	case errors.Is(err, ErrCaseOpened):
		return words.CaseOpened, true
	case errors.Is(err, ErrPowerFails):
		return words.PowerFails, true
	}
	return words.Pair{}, false
}

// heldBack refuses a request. One that was made before is told what became of it: "nothing was charged" would be wrong.
func (a *Agent) heldBack(kind txn.Kind, reference string, why error) Event {
	x, found, err := a.store.ByReference(reference)
	switch {
	case err != nil:
		return refused(kind, &terminal.UnreadableError{Reference: reference, Cause: err})
	case found && x.Kind != kind:
		return refused(kind, &terminal.ReferenceError{Earlier: x})
	case found:
		return outcome(x, why)
	}
	return refused(kind, why)
}

// lines are the terminal's, or none at all.
func (a *Agent) lines() *gpio.Lines {
	if a.wires.Lines == nil {
		return &gpio.Lines{}
	}
	return a.wires.Lines
}

// wakeGuard takes up what the last run has marked, before anybody is served.
func (a *Agent) wakeGuard() {
	tampered, err := a.wires.Marks.Tampered()
	if err != nil {
		a.log.Error("whether the case was opened cannot be read; it is taken for opened", "cause", err)
	}
	switch {
	case a.lines().Tamper.On():
		a.tampered()
	case tampered || err != nil:
		a.guard.caseOpened()
		a.DestroyKeys()
		a.log.Error("the case was opened earlier; nothing is sold", "do", "posagent tamper clear, and load new keys")
	}
	if m, found, err := a.wires.Marks.Power(); err != nil {
		a.log.Warn("what a power failure has left cannot be read", "cause", err)
	} else if found {
		a.tellInterrupted(m)
	}
	// What is owed is not tried, and no try spent, in the moment before the line is watched.
	a.guard.powerFails(a.lines().PowerFail.On())
	a.lamps()
}

// watchPower is told of the supply. One that failed at the start may have recovered before the line was watched; nobody would
// say so then, and it is looked at once more when it must have been calm for long enough.
func (a *Agent) watchPower(ctx context.Context) error {
	line := a.lines().PowerFail
	var mu sync.Mutex
	told := !a.guard.failing()
	late := time.AfterFunc(powerCalm, func() {
		mu.Lock()
		defer mu.Unlock()
		if !told && !line.On() {
			a.powerChanged(false)
		}
	})
	defer late.Stop()
	return line.Watch(ctx, powerCalm, func(fails bool) {
		mu.Lock()
		defer mu.Unlock()
		told = true
		a.powerChanged(fails)
	})
}

// watchLines watches until ctx ends.
func (a *Agent) watchLines(ctx context.Context) {
	var watching sync.WaitGroup
	watch := func(watched func() error) {
		watching.Go(func() {
			if err := watched(); err != nil {
				a.log.Error("a line is not watched", "cause", err)
			}
		})
	}
	watch(func() error { return a.watchPower(ctx) })
	watch(func() error {
		return a.lines().Tamper.Watch(ctx, 0, func(opened bool) {
			if opened {
				a.tampered()
			}
		})
	})
	watching.Go(func() { a.showSigns(ctx) })
	watching.Go(func() { a.signalReader(ctx) })
	watching.Wait()
}

// tampered ends all keys, in this order: nothing more is sent; the mark, which also a cut of the power leaves; the keys in
// memory; the kept ones. What is owed stays in the books, visible, and is settled once a technician has loaded new keys.
func (a *Agent) tampered() {
	a.guard.caseOpened()
	a.DestroyKeys()
	a.must("the opened case could not be marked", a.wires.Marks.SetTampered(a.wires.Now(), a.store.Boot()))
	if a.wires.Wipe != nil {
		a.must("the kept keys could not be wiped", a.wires.Wipe())
	}
	a.log.Error("the case was opened: keys destroyed, nothing is sold any more")
	a.lamps()
}

// powerChanged writes down what was in the middle first; everything else can wait, the capacitor cannot.
func (a *Agent) powerChanged(fails bool) {
	a.guard.powerFails(fails)
	if !fails {
		a.must("the end of the power failure could not be marked", a.wires.Marks.ClearPower())
		a.log.Info("the power is steady again")
		a.lamps()
		a.soon()
		return
	}
	m := a.inTheMiddle()
	began := time.Now()
	err := a.wires.Marks.SetPower(m)
	a.log.Error("the power fails: nothing more is sent", "stage", string(m.Stage), "id", m.ID, "marked", err == nil, "took", time.Since(began))
	a.must("what was in the middle could not be marked", err)
	a.lamps()
}

// inTheMiddle is what the agent is doing now.
func (a *Agent) inTheMiddle() Mark {
	m := Mark{At: a.wires.Now(), Boot: a.store.Boot()}
	if view := a.watched(); view != nil {
		e, _ := view.now()
		if m.Stage = e.Stage; e.Txn != nil {
			m.ID = txn.ID(e.Txn.ID)
		}
	}
	return m
}

// tellInterrupted notes in a transaction's journal that the power failed in its middle. The mark goes once that is durable.
func (a *Agent) tellInterrupted(m Mark) {
	a.log.Warn("the power failed in the last run", "stage", string(m.Stage), "id", uint64(m.ID), "boot", m.Boot)
	if m.ID != 0 {
		if _, err := a.store.Update(m.ID, func(x *txn.Txn) { x.Note(m.At, m.Boot, "power failed while "+string(m.Stage)) }); err != nil {
			a.log.Warn("its journal does not take that", "cause", err)
			return
		}
	}
	a.must("the mark of a power failure could not be taken back", a.wires.Marks.ClearPower())
}
