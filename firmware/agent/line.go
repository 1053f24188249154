package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/firmware/terminal"
	"posagent/link"
	"posagent/txnstore/txn"
)

// eagerReader dials while the card is read, so that the customer waits for the slower of the two and not for both.
type eagerReader struct {
	terminal.Reader
	line *link.Link
	keep time.Duration
}

func (a *Agent) eager(r terminal.Reader) terminal.Reader {
	if !a.o.Preconnect {
		return r
	}
	return eagerReader{r, a.line, a.o.CardWait}
}

// Present is the reader's.
func (e eagerReader) Present(ctx context.Context, amount txn.Amount, cur txn.Currency) (p txn.Presented, err error) {
	dialling(ctx, e.line, e.keep, func() error { p, err = e.Reader.Present(ctx, amount, cur); return err })
	return p, err
}

// eagerScanner does so while a payment code is awaited.
type eagerScanner struct {
	terminal.Scanner
	line *link.Link
	keep time.Duration
}

// Scan is the scanner's.
func (e eagerScanner) Scan(ctx context.Context) (c txn.PayCode, err error) {
	dialling(ctx, e.line, e.keep, func() error { c, err = e.Scanner.Scan(ctx); return err })
	return c, err
}

// dialling dials while the customer is awaited. The dial goes on when there is something to send, and the request waits for
// it; it ends when there is nothing.
func dialling(ctx context.Context, line *link.Link, keep time.Duration, await func() error) {
	dialling, stop := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = line.Connect(dialling, keep) // the request meets the same failure, and says so
		stop()
	}()
	if await() != nil {
		stop()
		<-over
	}
}

// A heartbeat that gets no answer for so long has found a dead line.
const beatWait = 10 * time.Second

// heartbeats keep the line open and notice its end before a customer does. A transaction cuts one short.
func (a *Agent) heartbeats(ctx context.Context) {
	for {
		pause(ctx, nil, a.o.Heartbeat)
		if ctx.Err() != nil {
			return
		}
		if beating, end := a.mayBeat(ctx); beating != nil {
			a.heartbeat(beating)
			end()
		}
	}
}

// mayBeat gives a context for one heartbeat, or none while a transaction runs or nothing may be sent.
func (a *Agent) mayBeat(ctx context.Context) (context.Context, func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sales) > 0 || a.guard.held() != nil {
		return nil, nil
	}
	beating, cancel := context.WithCancel(ctx)
	a.beat = cancel
	return beating, func() {
		cancel()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.beat = nil
	}
}

func (a *Agent) heartbeat(ctx context.Context) {
	err := a.line.Connect(ctx, 2*a.o.Heartbeat)
	if err == nil {
		err = a.host.Echo(link.Heartbeat(ctx, beatWait))
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("the acquirer does not answer a heartbeat", "cause", err)
	}
}

var errTrading = errors.New("a transaction is in progress: ask again when it is over")

// hostCheck speaks with the acquirer and says what each part took. "host test" tries every bearer on a line of its own;
// the others take the way that a sale would.
func (a *Agent) hostCheck(ctx context.Context, op string) Event {
	if a.watched() != nil {
		return failed(errTrading)
	}
	e := Event{Event: "host"}
	switch op {
	case "host test":
		for i, b := range a.wires.Bearers {
			t := hostTry(link.Through(ctx, i), a.host.Echo)
			t.Bearer, t.Address, t.To = b.Name, b.Address, fmt.Sprint(b.Dialer)
			e.Host = append(e.Host, t)
		}
		return e
	case "host signin":
		e.Host = []HostTry{hostTry(ctx, a.host.SignIn)}
	default:
		e.Host = []HostTry{hostTry(ctx, a.host.Echo)}
	}
	for _, b := range a.wires.Bearers {
		if t := &e.Host[0]; b.Name == t.Bearer && (t.To == "" || b.Address == t.Address) {
			t.To = fmt.Sprint(b.Dialer)
		}
	}
	return e
}

// hostTry makes one exchange and times its parts. A dial that failed on the way stays in the list, with what it took.
func hostTry(ctx context.Context, exchange func(context.Context) error) (t HostTry) {
	t.Parts = []HostPart{}
	var sending time.Time
	part := func(name link.Step, took time.Duration) {
		t.Parts = append(t.Parts, HostPart{string(name), float64(took.Microseconds()) / 1000})
	}
	err := exchange(link.Follow(ctx, func(s link.Stage) {
		t.Bearer = s.Bearer
		switch s.Step {
		case link.Dialling, link.Sent:
		case link.Sending:
			sending = time.Now()
		default:
			part(s.Step, s.Took)
		}
	}))
	if !sending.IsZero() {
		part("exchange", time.Since(sending))
	}
	if err != nil {
		t.Error = err.Error()
	}
	return t
}
