package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"posagent/link"
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
//
// The distances are multiples of the first one, Options.OrderRetry.
var orderWaits = [...]time.Duration{0, 1, 5, 30, 120, 1440}

const (
	orderCalm  = 60 // first distances without the order, and it is a new one
	orderTries = 6  // in a row that fail, and it must be ordered again
	orderTold  = 3  // of either, and people are told

	tellAgain = 24 * time.Hour

	usualQuiet = 3 * time.Second // after a transaction, before anything is obeyed
	usualRetry = time.Minute
)

// Orders that are more than their digit here.
const (
	orderParameters = link.OrderParameters
	orderStatus     = link.OrderStatus
	orderSignIn     = link.OrderSignIn
	orderBlocklist  = link.OrderBlacklist
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
	}
	return fmt.Sprintf("unknown-%X", digit)
}

// order is one kind of order in this run of the program.
type order struct {
	given  int
	last   time.Time // given
	wanted bool
	absent bool // since the last try an answer came that ordered nothing
	tries  int  // in a row, well or badly ended
	tried  time.Time
	due    time.Time
	done   time.Time
	fault  string    // of the last try
	told   time.Time // people
}

// orderBook is what has been ordered. Its methods may be called from any goroutine, and return at once.
type orderBook struct {
	wake  chan struct{}
	retry time.Duration // the first distance
	quiet time.Duration

	mu    sync.Mutex
	list  [16]order
	doing byte // what is being obeyed: answers to that order nothing anew
}

func newOrderBook(quiet, retry time.Duration) *orderBook {
	return &orderBook{wake: make(chan struct{}, 1), quiet: cmp.Or(quiet, usualQuiet), retry: cmp.Or(retry, usualRetry)}
}

// wait is the distance after so many tries in a row.
func (b *orderBook) wait(tries int) time.Duration {
	return b.retry * orderWaits[min(tries, len(orderWaits)-1)]
}

// given hears the digit of one answer's header.
func (b *orderBook) given(digit byte, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if digit == link.OrderNone {
		for i := range b.list {
			b.list[i].absent = true
		}
		return
	}
	o := &b.list[digit&0x0F]
	o.given++
	o.last = now
	if digit != b.doing {
		b.wantLocked(o, now)
	}
}

// want is an order that the terminal gives itself.
func (b *orderBook) want(digit byte, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wantLocked(&b.list[digit], now)
}

func (b *orderBook) wantLocked(o *order, now time.Time) {
	if o.wanted {
		return
	}
	if o.absent && now.Sub(o.tried) >= orderCalm*b.retry {
		o.tries = 0
	}
	o.wanted, o.absent, o.due = true, false, now
	if o.tries > 0 {
		o.due = o.tried.Add(b.wait(o.tries))
	}
	b.stir()
}

func (b *orderBook) stir() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// next is the wanted order that is due first.
func (b *orderBook) next() (digit byte, due time.Time, wanted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, o := range b.list {
		if o.wanted && (!wanted || o.due.Before(due)) {
			digit, due, wanted = byte(i), o.due, true
		}
	}
	return digit, due, wanted
}

func (b *orderBook) begin(digit byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doing = digit
}

// cut puts an order back that a customer interrupted. That is nobody's fault, and does not count.
func (b *orderBook) cut(digit byte, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doing = link.OrderNone
	b.list[digit].due = now.Add(b.quiet)
}

// end counts a try, and reports whether people must be told of it.
func (b *orderBook) end(digit byte, err error, now time.Time) (tell bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doing = link.OrderNone
	o := &b.list[digit]
	o.tries++
	o.tried, o.wanted, o.fault = now, false, ""
	if err == nil {
		o.done = now
	} else {
		o.fault = err.Error()
		o.wanted = o.tries < orderTries
		o.due = now.Add(b.wait(o.tries))
	}
	return o.tries >= orderTold && o.tellLocked(now)
}

// leave drops an order that no machine obeys, and reports whether people must be told of it.
func (b *orderBook) leave(digit byte, why string, now time.Time) (tell bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := &b.list[digit]
	o.wanted, o.fault = false, why
	return o.tellLocked(now)
}

func (o *order) tellLocked(now time.Time) bool {
	if !o.told.IsZero() && now.Sub(o.told) < tellAgain {
		return false
	}
	o.told = now
	return true
}

// OrderStatus is an order that an acquirer has given since the program started.
type OrderStatus struct {
	What  string     `json:"what"`
	Given int        `json:"given"` // answers that carried it
	Last  time.Time  `json:"last"`
	State string     `json:"state"` // waiting, done, failed or left
	Tries int        `json:"tries,omitempty"`
	Due   *time.Time `json:"due,omitempty"` // of one that waits
	Done  *time.Time `json:"done,omitempty"`
	Fault string     `json:"fault,omitempty"`
}

func (b *orderBook) status() (list []OrderStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, o := range b.list {
		if o.given == 0 && !o.wanted && o.tries == 0 {
			continue
		}
		s := OrderStatus{What: OrderName(byte(i)), Given: o.given, Last: o.last, Tries: o.tries, Fault: o.fault, State: "done"}
		switch {
		case o.wanted:
			s.State, s.Due = "waiting", &o.due
		case o.fault != "" && o.tries == 0:
			s.State = "left"
		case o.fault != "":
			s.State = "failed"
		}
		if !o.done.IsZero() {
			s.Done = &o.done
		}
		list = append(list, s)
	}
	return list
}

// obeyOrders obeys until ctx ends.
func (a *Agent) obeyOrders(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.orders.wake:
		case <-timer.C:
		}
		if wait := a.obeyNext(ctx); wait > 0 {
			timer.Reset(wait)
		}
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
		if why := leftAlone(digit); why != "" {
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
func leftAlone(digit byte) string {
	switch digit {
	case orderParameters, orderStatus, orderSignIn, orderBlocklist:
		return ""
	case link.OrderSoftware:
		return "new software comes as a signed bundle; call the service"
	case link.OrderCAPK, link.OrderAID, link.OrderContactless:
		return "the card reader keeps these itself; have them loaded by the service"
	}
	return "no order of this dialect"
}

// mayObey gives a context that a customer ends, or none, and then says when to ask again; 0 waits to be woken.
func (a *Agent) mayObey(ctx context.Context, digit byte) (context.Context, func(), time.Duration) {
	if digit != orderSignIn { // which everything that is owed may be waiting for
		if a.owesFirst() {
			return nil, nil, a.o.Retry
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sale != nil {
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
	a.log.Info("obeying an order", "order", OrderName(digit))
	switch digit {
	case orderParameters:
		return a.fetchParameters(errand, running)
	case orderBlocklist:
		return a.fetchBlocklist(errand)
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
	if running.Err() != nil || err != nil && cut {
		a.orders.cut(digit, now)
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
