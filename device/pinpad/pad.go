package pinpad

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"posagent/txnstore/txn"
)

// Port is a line with deadlines that behave like net.Conn's.
type Port interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Opts are the pad's parameters. The zero value means the defaults.
type Opts struct {
	Answer time.Duration // longest wait for ACK; default 1 s
}

// Numbers we chose.
const (
	sends      = 3 // of one packet; the pads' own limit of NAKs, too
	maxPrompt  = 32
	mostStale  = 64               // items that nobody waits for
	minWait    = 30 * time.Second // the pads count in steps of it
	maxWait    = 9 * minWait
	graceAfter = 5 * time.Second // after the pad's own time is up
)

// Pad is one PIN pad. Its methods may be called from several goroutines; they take turns.
type Pad struct {
	port   Port
	answer time.Duration

	mu      sync.Mutex // one conversation at a time; guards what follows
	decoder decoder
	heard   [64]byte
	held    []byte // of heard, not yet decoded
	doubt   bool   // something may still come that nobody waits for
}

// New makes a driver and proves that a pad answers.
func New(port Port, o *Opts) (*Pad, error) {
	if port == nil {
		return nil, errors.New("pinpad: no port")
	}
	p := &Pad{port: port, answer: time.Second, doubt: true}
	if o != nil && o.Answer > 0 {
		p.answer = o.Answer
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.reset(context.Background()); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Pad) String() string { return "PIN pad, Visa packets" }

// Halt makes the pad leave whatever it does and show its idle screen.
func (p *Pad) Halt() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubt = true
	return p.reset(context.Background())
}

// Show puts a line on the pad's screen: ASCII, at most 32 characters.
func (p *Pad) Show(ctx context.Context, text string) error {
	if len(text) > maxPrompt || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7E }) {
		return fmt.Errorf("pinpad: a prompt is ASCII of at most %d characters", maxPrompt)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.reset(ctx); err != nil {
		return err
	}
	return p.send(ctx, stx, append([]byte(packetShow), append([]byte{sub}, text...)...))
}

// Request is one entry of a PIN.
type Request struct {
	PAN        txn.PAN
	Prompt     string        // one that the pad knows for PIN entry: it shows no other while it takes one
	SessionKey []byte        // encrypted under the pad's master key, 8 or 16 bytes; nil with DUKPT
	Wait       time.Duration // for the customer, 30 s to 270 s in steps of 30 s; default 60 s
}

// EnterPIN asks for a PIN and returns it encrypted. ErrNoPIN is the customer's choice; when ctx ends the pad is told to stop
// and the error is ctx's. No failure leaves the pad waiting for keys.
func (p *Pad) EnterPIN(ctx context.Context, r Request) (Block, error) {
	if r.Wait == 0 {
		r.Wait = 2 * minWait
	}
	digits := r.PAN.DigitsInTheClear()
	switch n := len(r.SessionKey); {
	case r.Wait < minWait || r.Wait > maxWait:
		return Block{}, fmt.Errorf("pinpad: %s to wait for a PIN: want %s to %s", r.Wait, minWait, maxWait)
	case len(digits) < 8 || len(digits) > 19:
		return Block{}, errors.New("pinpad: an account number has 8 to 19 digits")
	case n != 0 && n != 8 && n != 16:
		return Block{}, fmt.Errorf("pinpad: a session key of %d bytes: want 8 or 16", n)
	}
	if err := p.Show(ctx, r.Prompt); err != nil {
		return Block{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.decoder.forget()
	question := append([]byte(packetEnter), digits...)
	if r.SessionKey != nil {
		question = append(append(question, fs), strings.ToUpper(hex.EncodeToString(r.SessionKey))...)
	}
	question = append(question, fs, '0'+byte(r.Wait/minWait))
	defer clear(question)
	if err := p.send(ctx, stx, question); err != nil {
		return Block{}, err
	}
	data, err := p.receive(ctx, stx, time.Now().Add(r.Wait+graceAfter))
	switch {
	case errors.Is(err, ErrEnded):
		return Block{}, ErrNoPIN
	case err != nil:
		p.doubt = true
		if stop := p.abort(); stop != nil {
			err = errors.Join(err, stop)
		}
		return Block{}, err
	}
	return parseBlock(data, r.SessionKey == nil)
}

// LoadMasterKey puts a master key into a slot, 0 to 9, of a pad that takes them in the clear; most take theirs in a key room
// only. The pad echoes what it understood, and keeps it only if that is what was sent. The caller clears key.
func (p *Pad) LoadMasterKey(ctx context.Context, slot int, key []byte) error {
	if slot < 0 || slot > 9 || len(key) != 8 && len(key) != 16 {
		return errors.New("pinpad: want a slot from 0 to 9 and a key of 8 or 16 bytes")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.decoder.forget()
	if err := p.reset(ctx); err != nil {
		return err
	}
	data := append([]byte(packetKey), '0'+byte(slot))
	data = hex.AppendEncode(data, key)
	defer clear(data)
	copy(data[3:], bytes.ToUpper(data[3:]))
	if err := p.send(ctx, si, data); err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	p.doubt = true
	echo, err := p.await(ctx, si, time.Now().Add(p.answer))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	if !bytes.Equal(echo, data) {
		return fmt.Errorf("%w: it understood another; nothing was kept: %w", ErrKey, p.write(eot))
	}
	if err := p.write(ack); err != nil {
		return err
	}
	if _, err := p.await(ctx, si, time.Now().Add(p.answer)); !errors.Is(err, ErrEnded) {
		return fmt.Errorf("%w: it did not say that it has", ErrKey)
	}
	p.doubt = false
	return nil
}

// reset ends whatever the pad may be doing and hears out what it still says.
func (p *Pad) reset(ctx context.Context) error {
	if !p.doubt {
		return nil
	}
	p.decoder.forget()
	p.held = nil
	if err := p.hearOut(ctx); err != nil {
		return err
	}
	if err := p.send(ctx, stx, []byte(packetReset)); err != nil {
		return err
	}
	if err := p.hearOut(ctx); err != nil {
		return err
	}
	p.doubt = false
	return nil
}

// hearOut drops what still comes, until the line is quiet.
func (p *Pad) hearOut(ctx context.Context) error {
	for range mostStale {
		if _, err := p.next(ctx, time.Now().Add(p.answer/4)); errors.Is(err, ErrNoAnswer) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return ErrLine // it never falls silent
}

// abort ends the entry of a PIN that nobody wants any more. It has its own time: the caller's may be over.
func (p *Pad) abort() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*sends*p.answer)
	defer cancel()
	return p.send(ctx, stx, []byte(packetAbort))
}

// send sends a packet until the pad has taken it.
func (p *Pad) send(ctx context.Context, begin byte, data []byte) error {
	wire := frame(begin, data)
	defer clear(wire)
	failed := ErrNoAnswer
	for range sends {
		if err := p.write(wire...); err != nil {
			return err
		}
		for answered := false; !answered; {
			it, err := p.next(ctx, time.Now().Add(p.answer))
			switch {
			case errors.Is(err, ErrNoAnswer):
				answered = true
			case err != nil:
				p.doubt = true
				return err
			case it.kind == control && it.begin == ack:
				return nil
			case it.kind == control && it.begin == nak:
				failed, answered = ErrLine, true
			case it.kind == control:
				return ErrEnded
			default: // a packet that nobody asked for: an answer that comes late
			}
		}
	}
	p.doubt = true
	return failed
}

// receive waits for a packet and acknowledges it. EOT is ErrEnded.
func (p *Pad) receive(ctx context.Context, begin byte, until time.Time) ([]byte, error) {
	data, err := p.await(ctx, begin, until)
	if err != nil {
		return nil, err
	}
	return data, p.write(ack)
}

func (p *Pad) await(ctx context.Context, begin byte, until time.Time) ([]byte, error) {
	for spoiled := 0; ; {
		it, err := p.next(ctx, until)
		switch {
		case err != nil:
			return nil, err
		case it.kind == control && it.begin == eot:
			return nil, ErrEnded
		case it.kind == packet && it.begin == begin:
			return it.data, nil
		case it.kind != damaged: // an ACK or NAK too many, or a packet that nobody asked for
		case spoiled+1 == sends:
			return nil, errors.Join(ErrLine, p.write(eot))
		default:
			spoiled++
			if err := p.write(nak); err != nil {
				return nil, err
			}
		}
	}
}

func (p *Pad) write(b ...byte) error {
	if err := p.port.SetWriteDeadline(time.Now().Add(p.answer)); err != nil {
		return fmt.Errorf("pinpad: %w", err)
	}
	if _, err := p.port.Write(b); err != nil {
		p.doubt = true
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return ErrNoAnswer
		}
		return fmt.Errorf("pinpad: %w", err)
	}
	return nil
}

// next is the next item, ErrNoAnswer when until passes first, or ctx's error.
func (p *Pad) next(ctx context.Context, until time.Time) (item, error) {
	for empty := 0; empty < 100; empty++ {
		for len(p.held) > 0 {
			b := p.held[0]
			p.held = p.held[1:]
			if it, whole := p.decoder.feed(b); whole {
				return it, nil
			}
		}
		n, err := p.read(ctx, until)
		p.held = p.heard[:n]
		switch {
		case n > 0:
			empty = 0
		case ctx.Err() != nil:
			return item{}, ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !time.Now().Before(until) {
				return item{}, ErrNoAnswer
			}
		case err != nil:
			p.doubt = true
			return item{}, fmt.Errorf("pinpad: %w", err)
		}
	}
	return item{}, io.ErrNoProgress
}

// read reads once. The end of ctx cuts it short by a deadline in the past.
func (p *Pad) read(ctx context.Context, until time.Time) (int, error) {
	if err := p.port.SetReadDeadline(until); err != nil {
		return 0, err
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(cut); _ = p.port.SetReadDeadline(time.Unix(1, 0)) })
	n, err := p.port.Read(p.heard[:])
	if !stop() {
		<-cut // or it would cut a later read
	}
	return n, err
}
