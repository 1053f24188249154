package printer

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// talk is one conversation with the printer: it lasts as long as one call of Status or Print, and so does the goroutine
// that reads the port.
type talk struct {
	p       *Printer
	ctx     context.Context
	answers chan answer
	failed  error // why answers was closed; read after that only

	passed time.Time // when the line has carried the slip's last byte, at the earliest

	// What the answers have said so far.
	wanted  [4]byte // the process id that would be the proof
	proven  bool    // it came
	reached bool    // an answer in order came
	rang    bool    // an automatic status told a fault since the last full question
	asb     Status  // the latest automatic status
	held    bool    // XOFF without XON
	counter int     // a Star printer's, as it said last
	proofAt int     // the counter that would be the proof; 0 before a slip
	noise   int
}

// converse opens a conversation, and returns how to end it. Ending makes the reader return by a deadline in the past, and
// waits for it.
func (p *Printer) converse(ctx context.Context) (*talk, func(), error) {
	if err := p.discard(); err != nil {
		return nil, nil, &FaultError{Cause: err}
	}
	if err := p.port.SetReadDeadline(time.Time{}); err != nil {
		return nil, nil, &FaultError{Cause: err}
	}
	t := &talk{p: p, ctx: ctx, answers: make(chan answer, 64)}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t.failed = t.listen(over)
		close(t.answers)
	}()
	interrupt := context.AfterFunc(ctx, func() { _ = p.port.SetWriteDeadline(time.Unix(1, 0)) })
	return t, func() {
		interrupt()
		close(over)
		_ = p.port.SetReadDeadline(time.Unix(1, 0))
		<-done
	}, nil
}

// discard reads away what came between conversations: automatic status, and answers that were too late. One stale answer
// would shift all that follow, because they do not say what they answer. It is there already, so a moment is enough, which at
// 115200 baud is a percent of a short slip; but a moment in which the port was really asked: on a busy machine it may be over
// before.
func (p *Printer) discard() error {
	buf, unheard := make([]byte, 256), func(answer) {}
	for range discardReads {
		until := time.Now().Add(discardTime)
		if err := p.port.SetReadDeadline(until); err != nil {
			return err
		}
		asked := time.Now().Before(until)
		n, err := p.port.Read(buf)
		for _, b := range buf[:n] {
			p.ear.feed(b, unheard) // half an automatic status may end in the conversation
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if asked {
				return nil
			}
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listen reads the port until the conversation is over or the port fails.
func (t *talk) listen(over <-chan struct{}) error {
	buf, stopped := make([]byte, 256), false
	emit := func(a answer) {
		select {
		case t.answers <- a:
		case <-over:
			stopped = true
		}
	}
	for idle := 0; idle < 100; {
		n, err := t.p.port.Read(buf)
		for _, b := range buf[:n] {
			t.p.ear.feed(b, emit)
		}
		if err != nil || stopped {
			return err
		}
		if idle++; n > 0 {
			idle = 0
		}
	}
	return io.ErrNoProgress
}

var errQuiet = errors.New("nothing came") // the wait passed; never leaves the package

// next takes one answer, waiting at most wait. An answer that is there counts, whatever else has happened meanwhile.
func (t *talk) next(wait time.Duration) (answer, error) {
	select {
	case a, open := <-t.answers:
		return t.took(a, open)
	default:
		if wait <= 0 {
			return answer{}, errQuiet
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case a, open := <-t.answers:
		return t.took(a, open)
	case <-t.ctx.Done():
		return answer{}, t.ctx.Err()
	case <-timer.C:
		return answer{}, errQuiet
	}
}

func (t *talk) took(a answer, open bool) (answer, error) {
	if !open {
		return answer{}, t.portFailed()
	}
	t.learn(a)
	return a, nil
}

func (t *talk) portFailed() error {
	if t.failed == nil {
		return io.ErrUnexpectedEOF
	}
	return t.failed
}

// learn keeps what an answer says.
func (t *talk) learn(a answer) {
	switch a.kind {
	case automatic:
		t.asb = statusOfASB(a.data)
		t.p.seen = t.asb
		t.rang = t.rang || t.asb.Fault() != nil
	case processID:
		t.proven = t.proven || a.data == t.wanted // another id belongs to an earlier slip
	case inOrder:
		t.reached = true
	case goOn:
		t.held = false
	case hold:
		t.held = true
	case noise:
		t.noise++
	case realTime:
		t.counter = a.count
		t.proven = t.proven || t.proofAt > 0 && a.count == t.proofAt
	}
}

// catchUp learns what has already arrived.
func (t *talk) catchUp() error {
	for {
		select {
		case a, open := <-t.answers:
			if !open {
				return t.portFailed()
			}
			t.learn(a)
		default:
			return nil
		}
	}
}

// status asks DLE EOT 1 to 4. The answers do not say which question they belong to: they are taken in the order of the
// questions, which are asked together where the printer answers all of them so, and else one at a time. After a
// question went unanswered the line is first left alone until nothing more comes, so that its late answer is not taken
// for the next one's. After a torn slip the question follows NULs, or a half-sent command would swallow it.
func (t *talk) status() (Status, error) {
	if t.p.unsure {
		if err := t.settle(); err != nil {
			return Status{}, err
		}
		t.p.unsure = false
	}
	if t.p.torn {
		if _, err := t.write(padding(t.p.opts.Codes, 0), t.p.opts.Answer); err != nil {
			return Status{}, err
		}
	}
	t.rang = false
	if t.p.star() {
		a, err := t.ask(starAskStatus())
		if err != nil {
			return Status{}, err
		}
		t.p.seen = statusOfStar(a.data)
		return t.p.seen, nil
	}
	raw, err := t.questions()
	if err != nil {
		return Status{}, err
	}
	t.p.seen = statusOf(raw)
	return t.p.seen, nil
}

// questions asks all four. Together they take one round trip in place of four, and an adapter that holds back what comes for
// 16 ms makes each of those longer than a tenth of a short slip at 115200 baud. A printer that has answered some of them and not
// all is asked one at a time from then on.
func (t *talk) questions() (raw [4]byte, err error) {
	if !t.p.apart {
		heard, err := t.together(&raw)
		if !errors.Is(err, ErrNoAnswer) || heard == 0 {
			return raw, err
		}
		if err := t.settle(); err != nil {
			return raw, err
		}
		t.p.apart, t.p.unsure = true, false
	}
	for n := range raw {
		a, err := t.ask(askStatus(byte(n + 1)))
		if err != nil {
			return raw, err
		}
		raw[n] = a.data[0]
	}
	return raw, nil
}

// together says how many of the four were answered.
func (t *talk) together(raw *[4]byte) (heard int, err error) {
	a, err := t.ask(askStatuses())
	if err != nil {
		return 0, err
	}
	raw[0] = a.data[0]
	for heard = 1; heard < len(raw); heard++ {
		if a, err = t.answered(); err != nil {
			return heard, err
		}
		raw[heard] = a.data[0]
	}
	return heard, nil
}

func (t *talk) ask(question []byte) (answer, error) {
	if err := t.catchUp(); err != nil {
		return answer{}, err
	}
	if _, err := t.write(question, t.p.opts.Answer); err != nil {
		t.p.unsure = true
		return answer{}, err
	}
	return t.answered()
}

// answered waits for the answer to a question.
func (t *talk) answered() (answer, error) {
	for until := time.Now().Add(t.p.opts.Answer); ; {
		a, err := t.next(time.Until(until))
		switch {
		case errors.Is(err, errQuiet):
			t.p.unsure = true
			return answer{}, ErrNoAnswer
		case err != nil:
			t.p.unsure = true
			return answer{}, err
		case a.kind == realTime:
			return a, nil
		}
	}
}

// settle waits for a quiet line: one answer's time without a real-time answer, at most ten of them.
func (t *talk) settle() error {
	end := time.Now().Add(10 * t.p.opts.Answer)
	for quiet := time.Now().Add(t.p.opts.Answer); ; {
		a, err := t.next(time.Until(quiet))
		switch {
		case errors.Is(err, errQuiet):
			return nil
		case err != nil:
			return err
		case time.Now().After(end):
			return ErrNoAnswer
		case a.kind == realTime:
			quiet = time.Now().Add(t.p.opts.Answer)
		}
	}
}

// write sends data, and says how much of it left. A line that takes nothing for patience is given up.
func (t *talk) write(data []byte, patience time.Duration) (sent int, err error) {
	for since := time.Now(); sent < len(data); {
		if err := t.ctx.Err(); err != nil {
			return sent, err
		}
		if err := t.p.port.SetWriteDeadline(time.Now().Add(t.p.opts.Answer)); err != nil {
			return sent, err
		}
		n, err := t.p.port.Write(data[sent:])
		if sent += n; n > 0 {
			since = time.Now()
		}
		switch {
		case err == nil && n > 0:
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return sent, err
		case time.Since(since) >= patience:
			return sent, ErrOffline
		}
	}
	return sent, nil
}
