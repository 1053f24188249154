package printer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/printer/receipt"
)

// Proof is what is known of a slip that was sent.
type Proof int

const (
	Unconfirmed Proof = iota // sent, no fault showed, and nothing proves it: mark the copy unconfirmed
	Proven                   // the printer said that it is on paper
)

func (p Proof) String() string {
	if p == Proven {
		return "proven"
	}
	return "unconfirmed"
}

// Numbers of our own choice.
const (
	unansweredMost = 5 // questions in a row, while waiting for proof, after which the printer counts as gone
	recoverTries   = 3 // questions after DLE ENQ, while the blade moves home
)

// Print prints a slip and waits for the proof.
//
//   - Proven, nil: it is on paper.
//   - Unconfirmed, nil: every byte was taken and the printer shows no fault, but it gave no proof: it cannot (see
//     ProofMode), or it did not within Opts.Print. Of a mute printer: every byte was taken.
//   - Unconfirmed, *FaultError: ErrPaperOut, ErrCoverOpen, ErrCutter, ErrPausing, ErrBroken, ErrOffline, ErrNoAnswer, or what the port or the
//     context said. Sent false: not one byte of the slip left, print it as it is. Sent true: it may be on paper, or come
//     out once the fault is mended; print it again with the duplicate mark.
//   - Unconfirmed, another error: the slip itself was refused, nothing was sent.
//
// A jammed cutter is told to recover first: somebody who prints again has seen to the blade. That clears what the printer
// still held of the slip before.
func (p *Printer) Print(ctx context.Context, s receipt.Slip) (Proof, error) {
	if err := check(s, p.opts.Columns); err != nil {
		return Unconfirmed, err
	}
	if err := p.opts.Codes.check(s); err != nil {
		return Unconfirmed, err
	}
	if p.star() {
		if err := checkStar(s); err != nil {
			return Unconfirmed, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t, end, err := p.converse(ctx)
	if err != nil {
		return Unconfirmed, err
	}
	defer end()

	if !p.mute() {
		if err := t.makeReady(); err != nil {
			return Unconfirmed, err
		}
	}
	if p.star() {
		if err := t.synchronise(); err != nil {
			return Unconfirmed, err
		}
	}
	p.nextID++
	t.wanted = newID(p.nextID)
	data, err := p.encode(s, t.wanted)
	if err != nil {
		return Unconfirmed, err
	}
	t.passed = time.Now().Add(p.opts.onTheLine(len(data)))
	if sent, err := t.send(data); err != nil {
		// Bytes of a slip left and it did not end: half a command may be waiting for its other half, half a slip for
		// its cut. The next Print begins by voiding it. If this process dies first, the NULs of New end the command
		// and ESC @ the line, and the half slip stays at the head of the next one, without an end and without a cut.
		p.torn = p.torn || sent > 0
		return Unconfirmed, t.fault(err, t.asb, sent > 0)
	}
	p.torn = false
	if p.mute() {
		return t.drain(s)
	}
	return t.awaitProof()
}

// onTheLine is how long the line carries so many bytes.
func (o *Opts) onTheLine(bytes int) time.Duration {
	if o.Baud == 0 {
		return 0
	}
	return time.Duration(bytes) * 10 * time.Second / time.Duration(o.Baud)
}

func (p *Printer) encode(s receipt.Slip, id [4]byte) ([]byte, error) {
	e := newEncoder(p.opts, p.room)
	if p.torn {
		if err := e.void(); err != nil {
			return nil, err
		}
	}
	e.begin()
	var proof []byte
	switch p.opts.Proof {
	case ProcessID:
		proof = askProof(nil, id)
	case ETBCounter:
		proof = []byte{etb}
	}
	if err := e.slip(s.Lines, proof); err != nil {
		return nil, err
	}
	if p.opts.Proof == StatusAfterFeed {
		e.out = askInOrder(e.out)
	}
	p.room = e.out
	return e.out, nil
}

// makeReady asks for the status, and refuses to begin on a printer that cannot print.
func (t *talk) makeReady() error {
	s, err := t.status()
	for try := 0; err == nil && s.CutterError && !t.p.star() && try < recoverTries; try++ {
		if try == 0 {
			if _, err = t.write(recoverClearing(), t.p.opts.Answer); err != nil {
				break
			}
		} else if err = t.pause(t.p.opts.Answer); err != nil {
			break
		}
		s, err = t.status()
	}
	if err != nil {
		return t.fault(err, s, false)
	}
	if cause := s.Fault(); cause != nil {
		return t.fault(cause, s, false)
	}
	return nil
}

// pause lets time pass and learns what comes meanwhile.
func (t *talk) pause(d time.Duration) error {
	for until := time.Now().Add(d); ; {
		if _, err := t.next(time.Until(until)); errors.Is(err, errQuiet) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// send writes a slip in pieces, and obeys XOFF between them as well as a program can that has a port's buffer below it.
// A fault does not stop a slip that fits the printer's buffer: whole in there, it comes out whole when the paper returns,
// and half a slip never does. Only a longer one is broken off.
func (t *talk) send(data []byte) (sent int, err error) {
	since := time.Now()
	for sent < len(data) {
		if err := t.catchUp(); err != nil {
			return sent, err
		}
		if cause := t.rung(); cause != nil && sent >= bufferSafe {
			return sent, cause
		}
		if t.held {
			_, err = t.next(t.p.opts.Answer)
		} else {
			var n int
			n, err = t.write(piece(data[sent:]), t.p.opts.Answer)
			if sent += n; n > 0 {
				since = time.Now()
			}
		}
		if err != nil && !errors.Is(err, errQuiet) && !errors.Is(err, ErrOffline) {
			return sent, err
		}
		if err != nil { // nothing moved for an answer's time: is there a reason?
			if err := t.stalled(time.Since(since)); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

// piece is the next part of a slip to write: whole lines, as far as they go. LF occurs at their ends only, never as a
// parameter.
func piece(data []byte) []byte {
	if len(data) <= pieceBytes {
		return data
	}
	if end := bytes.LastIndexByte(data[:pieceBytes], lf); end >= 0 {
		return data[:end+1]
	}
	return data[:pieceBytes]
}

// stalled decides what to do about a line that takes nothing: go on waiting, or give up with the reason that the printer
// gave, or without one when Opts.Print has passed.
func (t *talk) stalled(since time.Duration) error {
	if err := t.catchUp(); err != nil {
		return err
	}
	if cause := t.rung(); cause != nil {
		return cause
	}
	if since >= t.p.opts.Print {
		return ErrOffline
	}
	return nil
}

// rung is the fault that the latest automatic status told, if it is one that does not pass by itself.
func (t *talk) rung() error {
	if !t.asb.Known || passing(t.asb) {
		return nil
	}
	return t.asb.Fault()
}

// awaitProof waits until the printer proves the slip, shows a fault, or the time is up. The automatic status is only the
// doorbell: what is reported is what the printer answers when asked, so a byte that the line spoiled is no fault. It is
// also asked when nothing comes, for printers without automatic status, but not before the slip has passed the line: a port
// takes kilobytes at once, the question would wait behind them, and its late answer would have to be waited for.
func (t *talk) awaitProof() (Proof, error) {
	var last Status
	unanswered := 0
	poll := t.p.opts.Answer
	if t.p.star() {
		poll = min(poll, starPoll)
	}
	underWay := max(0, time.Until(t.passed))
	for until := time.Now().Add(underWay + t.p.opts.Print); ; underWay = max(0, time.Until(t.passed)) {
		_, err := t.next(min(underWay+poll, time.Until(until)))
		switch {
		case t.proven:
			return Proven, nil
		case t.p.opts.Proof == StatusAfterFeed && t.reached:
			return Unconfirmed, nil
		case err == nil && !t.rang && time.Now().Before(until):
			continue
		case err != nil && !errors.Is(err, errQuiet):
			return Unconfirmed, t.fault(err, last, true)
		}

		s, err := t.status()
		switch {
		case t.proven:
			return Proven, nil
		case errors.Is(err, ErrNoAnswer), errors.Is(err, ErrOffline):
			if unanswered++; unanswered >= unansweredMost {
				return Unconfirmed, t.silent(last)
			}
		case err != nil:
			return Unconfirmed, t.fault(err, last, true)
		case s.Fault() != nil && !passing(s):
			return Unconfirmed, t.fault(s.Fault(), s, true)
		default:
			last, unanswered = s, 0
		}
		switch {
		case t.p.opts.Proof == NoProof && last.Known && last.Fault() == nil:
			return Unconfirmed, nil
		case time.Now().Before(until):
		case unanswered > 0:
			return Unconfirmed, t.silent(last)
		case last.Fault() != nil:
			return Unconfirmed, t.fault(last.Fault(), last, true)
		default:
			return Unconfirmed, nil
		}
	}
}

// passing reports whether a fault may end without anybody's doing: a hot head, a held button.
func passing(s Status) bool { return s.Fault() == ErrOffline || s.Fault() == ErrPausing }

// silent is the error of a printer that stopped answering. If its last automatic status told a fault, that is the
// reason.
func (t *talk) silent(last Status) error {
	if cause := t.rung(); cause != nil {
		return t.fault(cause, t.asb, true)
	}
	return t.fault(fmt.Errorf("%w any more", ErrNoAnswer), last, true)
}
