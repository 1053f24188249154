package agent

import (
	"cmp"
	"sync"
	"time"

	"posagent/link"
)

// The distances are multiples of the first one, Options.OrderRetry.
var orderWaits = [...]time.Duration{0, 1, 5, 30, 120, 1440}

const (
	orderCalm  = 60 // first distances without the order, and it is a new one
	orderTries = 6  // in a row that fail, and it must be ordered again
	orderTold  = 3  // of either, and people are told
	orderLasts = 3  // an installation is tried on for as long as it fails, after this distance in the end

	tellAgain = 24 * time.Hour

	usualQuiet = 3 * time.Second // after a transaction, before anything is obeyed
	usualRetry = time.Minute
)

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
	list  [16]order // by digit, and in the first place orderInstall
	doing byte      // what is being obeyed: answers to that order nothing anew
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

// anew is an order that the terminal gives itself under other circumstances: what failed before does not count.
func (b *orderBook) anew(digit byte, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := &b.list[digit]
	o.tries, o.wanted, o.fault = 0, false, ""
	b.wantLocked(o, now)
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
		if digit == orderInstall { // each is for another reader, or another set
			o.tries = 0
		}
	} else if digit == orderInstall {
		o.fault, o.wanted, o.due = err.Error(), true, now.Add(b.wait(min(o.tries, orderLasts)))
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
