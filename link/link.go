package link

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// Options describe a link. They are read once, by New.
type Options struct {
	Dialect *iso8583.Dialect // nil is that of profile.UnionPay()
	Header  Header
	Bearers []Bearer      // best first
	Answer  time.Duration // allowance from the last byte of a request to its answer; 0 is 60 s
	Idle    time.Duration // keep the line this long after an exchange; 0 keeps it until Hangup

	// Return is how long a bearer that failed is passed over while others work. 0 begins each dial with the best again.
	Return time.Duration

	// Stray is told of every message that nobody waits for: late, duplicate, of another terminal. It runs on the
	// session's reader, so it returns soon and does not call the link. The message is its own.
	Stray func(*iso8583.Message)

	// Held says what forbids to speak, if anything. It is asked before each dial, after it, and before the first byte of every
	// message of whatever kind: what it forbids was not sent. nil forbids nothing.
	Held func() error

	// Progress is told of each step. It runs inside Exchange, so it returns soon and does not call the link.
	Progress func(Stage)
}

// Reply is the answer to a request.
type Reply struct {
	Message *iso8583.Message
	Orders  byte         // digit D of the answer's header, 0 to 15: see OrderSignIn and its siblings
	Sent    txn.Evidence // of the request
}

// Link is one session at a time to the acquirer. Its methods may be called from any goroutine.
type Link struct {
	o     Options
	turn  chan struct{} // holds one token; who has it may dial, exchange or let go of an idle line
	frame []byte        // owned by the holder of the turn

	routes []*route    // the bearers, best first; what is learned of them is owned by the holder of the turn
	idle   *time.Timer // owned by the holder of the turn

	closed context.Context // ends with Close
	close  context.CancelFunc
	answer atomic.Int64 // the allowance of Options.Answer, until Allow changes it

	mu      sync.Mutex
	session *session // the newest; it may be over
}

// New makes a link. It opens nothing: the first Exchange dials.
func New(o Options) *Link {
	if o.Dialect == nil {
		o.Dialect = profile.UnionPay().Dialect
	}
	if o.Answer <= 0 {
		o.Answer = answerTime
	}
	l := &Link{o: o, turn: make(chan struct{}, 1)}
	l.answer.Store(int64(o.Answer))
	for i, b := range o.Bearers {
		if b.Connect <= 0 {
			b.Connect = connectTime
		}
		l.routes = append(l.routes, &route{Bearer: &b, rank: i})
	}
	l.turn <- struct{}{}
	l.closed, l.close = context.WithCancel(context.Background())
	return l
}

// Exchange sends m and waits for its answer: request type plus 10, same field 11, same field 41 where the request has
// them. It takes at most the dials, 20 s to write, and the answer's allowance; ctx may end it earlier. Exchanges queue
// up; one that queues when ctx ends was not sent.
//
// The error is an *ExchangeError. m is not changed and not kept.
func (l *Link) Exchange(ctx context.Context, m *iso8583.Message) (*Reply, error) {
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, &ExchangeError{Cause: context.Cause(ctx)}
	case <-l.closed.Done():
		return nil, &ExchangeError{Cause: ErrClosed}
	}
	l.stopIdle()
	defer func() { l.startIdle(l.o.Idle) }()

	frame, err := AppendFrame(l.frame[:0], LengthPrefixed, l.o.Header, l.o.Dialect, m)
	if err != nil {
		return nil, &ExchangeError{Cause: err}
	}
	defer clear(frame) // it holds card data
	l.frame = frame

	s, sent, err := l.send(ctx, frame, answerTo(m))
	if err != nil {
		return nil, &ExchangeError{Sent: sent, Cause: err}
	}
	reply, err := l.receive(ctx, s)
	if err != nil {
		s.weigh(&sent)
		if s.over() == nil && s.silent >= silentExchanges {
			_ = s.end(fmt.Errorf("%w: the far end fell silent", ErrHungUp))
		}
		return nil, &ExchangeError{Sent: sent, Cause: err}
	}
	reply.Sent = sent
	return reply, nil
}

// send goes from line to line, the open one first, as long as not a byte has been written. It stays with the line that
// took the first byte, whatever becomes of it.
func (l *Link) send(ctx context.Context, prefixed []byte, w wanted) (*session, txn.Evidence, error) {
	wish := wishOf(ctx)
	order := l.order(wish)
	s := l.living()
	if s != nil && !l.fits(s, wish) {
		s = nil
	}
	var failed []error
	for next := 0; ; s = nil {
		if err := l.over(ctx); err != nil {
			return nil, txn.Evidence{Total: len(prefixed)}, errors.Join(append(failed, err)...)
		}
		if s == nil {
			if next == len(order) {
				break
			}
			r := order[next]
			next++
			var err error
			if s, err = l.dial(ctx, r); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", r.Name, err))
				continue
			}
		}
		sent, err := l.write(ctx, s, prefixed, w)
		if err == nil || sent.Written > 0 {
			return s, sent, err
		}
		failed = append(failed, fmt.Errorf("%s: %w", s.route.Name, err))
	}
	if len(failed) == 0 {
		failed = append(failed, errors.New("no bearer is configured"))
	}
	return nil, txn.Evidence{Total: len(prefixed)}, errors.Join(failed...)
}

// write puts the frame on one line. A line that does not take all of it is hung up: what follows would be read as the
// rest of this frame.
func (l *Link) write(ctx context.Context, s *session, prefixed []byte, w wanted) (txn.Evidence, error) {
	frame := prefixed
	if s.route.Framing == SelfDelimited {
		frame = prefixed[lengthSize(l.o.Header.Frame):]
	}
	l.progress(ctx, Stage{Step: Sending, Bearer: s.route.Name, Total: len(frame)})
	s.await(w)
	s.handed = handed(s.conn)
	n, err := s.write(ctx, frame)
	sent := txn.Evidence{Written: n, Total: len(frame), Bearer: s.route.Name, Address: s.route.Address}
	l.progress(ctx, Stage{Step: Sent, Bearer: s.route.Name, Sent: n, Total: len(frame)})
	if n == len(frame) {
		return sent, nil // an error beside a whole frame is the reader's to find
	}
	ended := s.over()
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case ended != nil:
		err = ended
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("%w: the line took %d of %d bytes in %s", ErrTimeout, n, len(frame), sendTime)
	default:
		err = fmt.Errorf("%w: %w", ErrHungUp, err)
	}
	s.giveUp()
	s.weigh(&sent)
	_ = s.end(err)
	if ctx.Err() == nil {
		l.rest(s.route)
	}
	return sent, err
}

// receive waits for the answer to what has been written.
func (l *Link) receive(ctx context.Context, s *session) (*Reply, error) {
	allowance, beat := time.Duration(l.answer.Load()), wishOf(ctx).beat
	if beat > 0 {
		allowance = min(allowance, beat)
	}
	timer := time.NewTimer(allowance)
	defer timer.Stop()
	var why error
	select {
	case reply := <-s.answer:
		s.silent = 0
		return reply, nil
	case <-s.done:
		why = s.over()
	case <-timer.C:
		why = fmt.Errorf("%w: no answer within %s", ErrTimeout, allowance)
		s.silent++
		if beat > 0 {
			s.silent = silentExchanges
		}
	case <-ctx.Done():
		why = context.Cause(ctx)
	}
	reply, pending, garbage := s.giveUp()
	if reply != nil {
		s.silent = 0
		return reply, nil
	}
	switch {
	case garbage != nil:
		why = fmt.Errorf("%w; %w", why, garbage)
	case pending > 0:
		why = fmt.Errorf("%w; %w: it broke off after %d bytes", why, ErrGarbage, pending)
	}
	if ctx.Err() == nil {
		l.rest(s.route)
	}
	if pending > 0 {
		s.silent = silentExchanges // what follows would be read as the rest of it
	}
	return nil, why
}

// Allow changes the allowance from the last byte of a request to its answer, from the next exchange on. What is not positive
// changes nothing.
func (l *Link) Allow(answer time.Duration) {
	if answer > 0 {
		l.answer.Store(int64(answer))
	}
}

// Hangup ends the session, and with it an exchange that is waiting on it. It does not end a dial: that ends with its
// context. The next Exchange dials.
func (l *Link) Hangup() error { return l.hangup(fmt.Errorf("%w at this end", ErrHungUp)) }

// Close ends the session and every exchange, for good. It returns when none is left.
func (l *Link) Close() error {
	l.close()
	err := l.hangup(ErrClosed)
	<-l.turn
	defer func() { l.turn <- struct{}{} }()
	l.stopIdle()
	return err
}

func (l *Link) progress(ctx context.Context, s Stage) {
	if l.o.Progress != nil {
		l.o.Progress(s)
	}
	if follow := wishOf(ctx).follow; follow != nil {
		follow(s)
	}
}
