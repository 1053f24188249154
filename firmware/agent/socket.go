package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// Limits of the local socket.
const (
	maxClients  = 16
	writeWithin = 5 * time.Second // a client that does not read for so long is dropped; its sale goes on
)

func (a *Agent) serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = a.wires.Socket.Close() })
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
	places := make(chan struct{}, maxClients)
	for {
		conn, err := a.wires.Socket.Accept()
		if err != nil {
			if ctx.Err() == nil {
				a.log.Error("the local socket is gone", "cause", err)
			}
			return
		}
		select {
		case places <- struct{}{}:
			clients.Go(func() {
				defer func() { <-places }()
				a.client(ctx, conn)
			})
		default:
			_ = conn.Close()
		}
	}
}

// client serves one connection. Its reader goroutine owns the scanner; this one writes.
func (a *Agent) client(ctx context.Context, conn net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()

	requests := make(chan Request)
	cancels := make(chan struct{}, 1)
	go func() {
		defer close(requests)
		lines := bufio.NewScanner(conn)
		lines.Buffer(make([]byte, 0, 512), MaxLine)
		for lines.Scan() {
			var q Request
			if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
				q = Request{Op: "?", Reference: err.Error()}
			}
			if q.Op == "cancel" {
				select {
				case cancels <- struct{}{}:
				default:
				}
				continue
			}
			select {
			case requests <- q:
			case <-ctx.Done():
				return
			}
		}
	}()
	out := &eventWriter{conn: conn}
	for q := range requests {
		select {
		case <-cancels: // left over from an earlier request
		default:
		}
		e := a.answer(ctx, q, out, cancels)
		if out.write(&e) != nil {
			return
		}
	}
}

func (a *Agent) answer(ctx context.Context, q Request, out *eventWriter, cancels <-chan struct{}) Event {
	if kind, begins := kindOf(q.Op); begins {
		return a.serveStages(ctx, kind, out, cancels, func(ctx context.Context, view *saleView) Event {
			e := a.trade(ctx, kind, q, view)
			a.signOutcome(view, e.Outcome)
			return e
		})
	}
	return a.reply(ctx, q, out, cancels)
}

// reply answers what begins no transaction. It stands apart from answer because a transaction's stages are written from there,
// deep in the stack of its connection.
func (a *Agent) reply(ctx context.Context, q Request, out *eventWriter, cancels <-chan struct{}) Event {
	if err := a.guard.held(); err != nil {
		switch q.Op {
		case "balance":
			return refused("", err)
		case "batch close", "recover", "host echo", "host signin", "host test":
			return failed(err)
		}
	}
	switch q.Op {
	case "balance":
		return a.serveStages(ctx, "", out, cancels, func(ctx context.Context, view *saleView) Event { return a.balance(ctx, q, view) })
	case "batch close":
		return a.serveStages(ctx, "", out, cancels, a.closeBatch)
	case "batch totals":
		return a.batchTotals()
	case "batch report":
		return a.batchReport(ctx, q)
	case "list":
		return a.list(q.Max)
	case "show":
		x, err := a.find(q)
		if err != nil {
			return failed(err)
		}
		return a.shown(x)
	case "resolve":
		return a.resolve(ctx, q)
	case "slip":
		return a.slip(q)
	case "reprint":
		x, err := a.find(q)
		if err != nil {
			return failed(err)
		}
		if x, err = a.terminal.Reprint(ctx, x.ID); err != nil {
			return failed(err)
		}
		return outcome(x, nil)
	case "recover":
		if err := a.terminal.Recover(ctx); err != nil {
			return failed(err)
		}
		return a.status()
	case "status":
		return a.status()
	case "recount":
		return a.recount()
	case "keys":
		return a.keys()
	case "host echo", "host signin", "host test":
		return a.hostCheck(ctx, q.Op)
	case "?":
		return failed(fmt.Errorf("not a request in JSON: %s", q.Reference))
	default:
		return failed(fmt.Errorf("op %q is not known; use a kind of transaction (sale, void, refund, preauth, completion, …), balance, resolve, cancel, batch totals, batch close, batch report, list, show, slip, reprint, status, keys, recover, recount, host echo, host signin or host test", q.Op))
	}
}

// serveStages runs a transaction, or the closing of a batch, in a goroutine of its own and repeats its stage each second,
// which is also how a client that went away is noticed. Until the commit that records it that ends the deed; afterwards
// nothing does.
func (a *Agent) serveStages(ctx context.Context, kind txn.Kind, out *eventWriter, cancels <-chan struct{},
	do func(context.Context, *saleView) Event) Event {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	view := newSaleView(kind)
	done := make(chan Event, 1)
	go func() { done <- do(ctx, view) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case e := <-view.changed:
			if out.write(e) != nil {
				cancel()
			}
		case <-tick.C:
			if e, shown := view.now(); shown && out.write(&e) != nil {
				cancel()
			}
		case <-cancels:
			cancel()
		case e := <-done:
			for {
				select {
				case late := <-view.changed:
					_ = out.write(late)
					continue
				default:
				}
				return e
			}
		}
	}
}

func (a *Agent) list(max int) Event {
	if max <= 0 {
		max = 20
	}
	newest, err := a.store.List(min(max, 100))
	if err != nil {
		return failed(err)
	}
	e := Event{Event: "list"}
	e.Txns = RecordsOf(newest)
	return e
}

func (a *Agent) status() Event {
	s := a.Status()
	return Event{Event: "status", Status: &s}
}

func (a *Agent) find(q Request) (txn.Txn, error) {
	if q.Reference == "" {
		x, err := a.store.Get(txn.ID(q.ID))
		return x, Unfound(err)
	}
	x, found, err := a.store.ByReference(q.Reference)
	if err == nil && !found {
		err = Unfound(fmt.Errorf("%w has the reference %q", ErrNoReference, q.Reference))
	}
	return x, err
}

// ErrNoReference: nothing was recorded for a caller's reference.
var ErrNoReference = errors.New("no transaction")

// Unfound adds to an error of a record that is not there where the others are named.
func Unfound(err error) error {
	if errors.Is(err, txnstore.ErrNotFound) || errors.Is(err, ErrNoReference) {
		return fmt.Errorf("%w: posagent txn list names the latest", err)
	}
	return err
}

func failed(err error) Event { return Event{Event: "error", Error: err.Error(), Fault: faultOf(err)} }

// eventWriter remembers its first failure: a client that is gone stays gone.
type eventWriter struct {
	conn net.Conn
	line bytes.Buffer
	err  error
}

func (w *eventWriter) write(e *Event) error {
	if w.err != nil {
		return w.err
	}
	if err := w.encode(e); err != nil {
		w.sorry(err)
	}
	_ = w.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	_, w.err = w.conn.Write(w.line.Bytes())
	if errors.Is(w.err, io.EOF) {
		w.err = net.ErrClosed
	}
	return w.err
}

// encode makes an event the line.
func (w *eventWriter) encode(e *Event) error {
	w.line.Reset()
	err := json.NewEncoder(&w.line).Encode(e) // which ends the line
	if err == nil && w.line.Len() > MaxLine {
		err = errors.New("answer longer than a line may be")
	}
	return err
}

// sorry is the line in place of an answer that none can hold.
func (w *eventWriter) sorry(why error) {
	e := failed(why)
	_ = w.encode(&e)
}
