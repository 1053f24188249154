package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"posagent/device/reader"
	"posagent/firmware/terminal"
	"posagent/link"
	"posagent/link/acquirer"
)

// What an answer's header orders is obeyed once the counter has been quiet for a moment and nothing is owed that goes first,
// in a goroutine of its own: no customer and no paper waits for it, and a customer who comes ends it.
//
//	answer ─► given ─► wanted ──(quiet, nothing owed)──► obeyed ──► done
//	                     ▲                                  └─ cut by a customer, or failed: wanted again, later
//	                     └── given again: not before its time
//
// Orders are not kept over a restart. The acquirer repeats an order in each answer until it has been told that it was obeyed,
// so what a power cut forgets the next answer says again.
//
// An acquirer that goes on ordering what it has, or what fails, is obeyed at growing distances, and people are told. The count
// begins anew once it has stopped ordering for an hour.

// Orders that are more than their digit here.
const (
	orderParameters = link.OrderParameters
	orderStatus     = link.OrderStatus
	orderSignIn     = link.OrderSignIn
	orderBlocklist  = link.OrderBlacklist
	orderKeys       = link.OrderCAPK
	orderApps       = link.OrderAID

	orderInstall = link.OrderNone // the terminal's own, in the place of the digit that orders nothing: what is kept for chip cards may not be in the reader
)

// OrderName is an order in one word.
func OrderName(digit byte) string {
	switch digit {
	case link.OrderParameters:
		return "parameters"
	case link.OrderStatus:
		return "status"
	case link.OrderSignIn:
		return "sign-in"
	case link.OrderCAPK:
		return "capk"
	case link.OrderAID:
		return "aid"
	case link.OrderSoftware:
		return "software"
	case link.OrderBlacklist:
		return "blocklist"
	case link.OrderContactless:
		return "contactless"
	case orderInstall:
		return "install"
	}
	return fmt.Sprintf("unknown-%X", digit)
}

// obeyOrders obeys until ctx ends.
func (a *Agent) obeyOrders(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, a.orders.wake, cmp.Or(a.obeyNext(ctx), tellAgain))
	}
}

// obeyNext obeys what is due, and returns when to look again; 0 waits to be woken.
func (a *Agent) obeyNext(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		digit, due, wanted := a.orders.next()
		if !wanted {
			return 0
		}
		if wait := time.Until(due); wait > 0 {
			return wait
		}
		if why := a.leftAlone(digit); why != "" {
			if a.orders.leave(digit, why, time.Now()) {
				a.alarm(OrderLeft, OrderName(digit)+": "+why)
			}
			continue
		}
		errand, over, wait := a.mayObey(ctx, digit)
		if errand == nil {
			return wait
		}
		err := a.obey(errand, ctx, digit)
		cut := errand.Err() != nil
		over()
		a.obeyed(ctx, digit, err, cut)
	}
	return 0
}

// leftAlone says why an order is not for a machine.
func (a *Agent) leftAlone(digit byte) string {
	switch digit {
	case orderSignIn, orderInstall:
		return ""
	case orderKeys, orderApps:
		if !keepsSchemes(a.o.ReaderKind) {
			return reader.ErrNoSchemes.Error()
		}
		fallthrough
	case orderParameters, orderStatus, orderBlocklist:
		if a.o.Profile.Downloads {
			return ""
		}
	case link.OrderSoftware:
		return "new software comes as a signed bundle; call the service"
	case link.OrderContactless:
		return "the card reader keeps these itself; have them loaded by the service"
	}
	return "no order of this dialect"
}

// mayObey gives a context that a customer ends, or none, and then says when to ask again; 0 waits to be woken.
func (a *Agent) mayObey(ctx context.Context, digit byte) (context.Context, func(), time.Duration) {
	if digit != orderSignIn && digit != orderInstall { // everything that is owed may be waiting for the one, and the other needs no line
		if a.owesFirst() {
			return nil, nil, a.o.Retry
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sales) > 0 {
		return nil, nil, 0 // its end wakes
	}
	if rest := a.orders.quiet - time.Since(a.traded); !a.traded.IsZero() && rest > 0 {
		return nil, nil, rest
	}
	errand, cancel := context.WithCancel(ctx)
	a.errand = cancel
	a.orders.begin(digit)
	return errand, func() {
		cancel()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.errand = nil
	}, 0
}

// owesFirst reports whether something is open that goes before any order: what is to be reversed or told, or a batch that is
// being closed. A store that cannot be read is no reason to download anything.
func (a *Agent) owesFirst() bool {
	owed, err := a.store.Owed()
	if err != nil {
		return true
	}
	for _, x := range owed {
		if x.State.Open() {
			return true
		}
	}
	c, found, err := a.store.Closing(0)
	return err != nil || found && !c.Step.Over()
}

var errNowhere = errors.New("this terminal has no place to keep downloads")

func (a *Agent) obey(errand, running context.Context, digit byte) error {
	level := slog.LevelInfo
	if digit == orderInstall { // which asks every few seconds while the engine settles something
		level = slog.LevelDebug
	}
	a.log.Log(errand, level, "obeying an order", "order", OrderName(digit))
	switch digit {
	case orderParameters:
		return a.fetchParameters(errand, running)
	case orderBlocklist:
		return a.fetchBlocklist(errand)
	case orderKeys:
		return a.fetchSchemes(errand, acquirer.SchemeKeys)
	case orderApps:
		return a.fetchSchemes(errand, acquirer.SchemeApplications)
	case orderInstall:
		return a.install(errand)
	case orderStatus:
		return a.tellStatus(errand)
	case orderSignIn:
		if a.host.SignedIn() {
			return nil // a transaction came first, and had to
		}
		return tellingHost{a.host, a.log}.SignIn(errand)
	}
	return fmt.Errorf("order %s is obeyed by nobody", OrderName(digit))
}

// obeyed counts what became of it.
func (a *Agent) obeyed(running context.Context, digit byte, err error, cut bool) {
	now := time.Now()
	if running.Err() != nil || err != nil && cut || errors.Is(err, terminal.ErrBusy) {
		a.orders.cut(digit, now)
		return
	}
	if errors.Is(err, reader.ErrNoSchemes) {
		if a.orders.leave(digit, err.Error(), now) {
			a.alarm(OrderLeft, OrderName(digit)+": "+err.Error())
		}
		a.orders.begin(link.OrderNone)
		return
	}
	if err != nil {
		a.log.Warn("an order is not obeyed yet", "order", OrderName(digit), "cause", err)
	}
	if !a.orders.end(digit, err, now) {
		return
	}
	if err != nil {
		a.alarm(OrderFailed, fmt.Sprintf("%s: %v", OrderName(digit), err))
	} else {
		a.alarm(OrderRepeated, fmt.Sprintf("%s, obeyed %d times and ordered again", OrderName(digit), orderTold))
	}
}
