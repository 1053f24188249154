package agent

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"posagent/device/gpio"
	"posagent/device/reader"
	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Lamps and buzzers tell a shop what its screen tells, to people who look elsewhere:
//
//	lamp ready   on: the terminal would sell            goes dark with the tone of an approval
//	lamp fault   on: it would not, see the status       flashes with every other outcome's tones
//	lamp card    on: a card belongs at the reader       goes dark with the tones for a card to be presented otherwise
//
//	one short tone     approved, or done and told later
//	one long tone      nothing is charged: declined, not sent, reversed, not accepted
//	four short tones   the outcome is unknown
//	two short tones    the card is to be presented again, alone, or in another way
//
// The reader's own front lamp and buzzer say the outcome too where the configuration has them do so.
//
// No transaction waits for any of this, and none fails over it: what is to be shown is put down without waiting, two goroutines
// show it, and what does not work is a line in the log. What comes while there is still much to be shown is left out.
type signs struct {
	cardHere atomic.Bool // what the lamp card shows between tones
	tones    chan pattern
	lit      chan reader.Signal

	mu sync.Mutex // of the lamps ready and fault between tones
}

func newSigns() signs {
	return signs{tones: make(chan pattern, 8), lit: make(chan reader.Signal, 1)}
}

// pattern is a few tones of one length with the flashes of a lamp. The zero pattern has lamps show what they show at rest.
type pattern struct {
	tones  int
	length time.Duration
	lamp   whichLamp
	silent bool // flashes alone
}

type whichLamp int

const (
	lampReady whichLamp = iota
	lampFault
	lampCard
)

const (
	shortTone = 100 * time.Millisecond
	longTone  = 800 * time.Millisecond // the reader's own has steps of 200 ms up to this
	toneGap   = 100 * time.Millisecond
	lampLasts = 2 * time.Second // of the reader's own
)

var (
	goodSign      = pattern{tones: 1, length: shortTone, lamp: lampReady}
	badSign       = pattern{tones: 1, length: longTone, lamp: lampFault}
	unknownSign   = pattern{tones: 4, length: shortTone, lamp: lampFault}
	otherwiseSign = pattern{tones: 2, length: shortTone, lamp: lampCard}
	takeAwaySign  = pattern{tones: 2, length: shortTone, lamp: lampCard, silent: true} // its outcome has just been heard
)

// signOf is how an outcome sounds. What people have closed sounds as nothing: it was charged, or it was not.
func signOf(o words.Outcome) pattern {
	switch o {
	case words.OutcomeApproved, words.OutcomeQueued:
		return goodSign
	case words.OutcomeUnknown:
		return unknownSign
	case words.OutcomeResolved:
		return pattern{}
	default:
		return badSign
	}
}

// signalOf is the same for the reader's own lamp and buzzer: green, red, and red blinking where nobody knows.
func (a *Agent) signalOf(o words.Outcome) reader.Signal {
	p := signOf(o)
	s := reader.Signal{}
	if p.tones == 0 {
		return s
	}
	if a.o.Lights {
		s.Green, s.Red, s.Blink, s.Lasting = p == goodSign, p != goodSign, p == unknownSign, lampLasts
	}
	switch {
	case !a.o.Beeps:
	case p.length == longTone:
		s.Long = longTone
	default:
		s.Beeps = p.tones
	}
	return s
}

// sign has a pattern shown.
func (a *Agent) sign(p pattern) {
	select {
	case a.signs.tones <- p:
	default: // enough is being shown; the lamps come to rest behind it
	}
}

// cardAwaited says whether a card belongs at the reader now. Of several requests at a time only the one that awaited it says
// that it is over.
func (a *Agent) cardAwaited(view *saleView, here bool) {
	if view.awaits(here) && a.signs.cardHere.Swap(here) != here {
		a.sign(pattern{})
	}
}

// signStage tells a stage. That money is held is told before the slips are printed; the reader's lamp waits until the card was
// let go, because a command to the reader would end what it does with a card.
func (a *Agent) signStage(view *saleView, e terminal.Event) {
	switch e.Stage {
	case words.Present, words.Confirming:
		a.cardAwaited(view, true)
	case words.CardRead, words.EnterPIN: // a chip stays in the slot; whether it is one shows in the record
	case words.Recorded:
		a.cardAwaited(view, e.Txn.Card.Entry == txn.Inserted && e.Txn.Kind.Confirmed())
	case words.Held, words.Queued:
		a.cardAwaited(view, false)
		if view.once(&view.sounded) {
			a.sign(goodSign)
		}
	case words.Printing:
		if view.heard() && view.once(&view.lit) {
			a.signal(words.OutcomeApproved)
		}
	default:
		a.cardAwaited(view, false)
	}
}

// signOutcome tells how a request ended, as far as that has not been told.
func (a *Agent) signOutcome(view *saleView, o words.Outcome) {
	a.cardAwaited(view, false)
	if view.once(&view.sounded) {
		a.sign(signOf(o))
	}
	if view.once(&view.lit) {
		a.signal(o)
	}
}

func (a *Agent) signal(o words.Outcome) {
	s := a.signalOf(o)
	if s == (reader.Signal{}) {
		return
	}
	select {
	case a.signs.lit <- s:
	default:
	}
}

// signalReader has the reader show and sound outcomes, until ctx ends. It has the driver as it is when its turn comes; one whose
// line was closed meanwhile fails like any other.
func (a *Agent) signalReader(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-a.signs.lit:
			drive := a.card.lit.Load()
			if drive == nil {
				continue
			}
			if err := drive.Signal(ctx, s); err != nil && ctx.Err() == nil {
				a.log.Warn("the card reader does not show the outcome", "cause", err)
			}
		}
	}
}

// showSigns plays patterns until ctx ends, and never leaves the buzzer or the lamp card on.
func (a *Agent) showSigns(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case p := <-a.signs.tones:
			if err := a.play(ctx, p); err != nil {
				a.log.Warn("a lamp or the buzzer does not work", "cause", err)
			}
		}
	}
	a.must("a lamp does not go out", errors.Join(a.lines().Buzzer.Set(false), a.lines().Card.Set(false)))
}

// play sounds one pattern and leaves the lamps at rest.
func (a *Agent) play(ctx context.Context, p pattern) error {
	lamp, rest := a.lampOf(p.lamp)
	var faults []error
	for i := range p.tones {
		if i > 0 {
			wait(ctx, toneGap)
		}
		if ctx.Err() != nil {
			break
		}
		faults = append(faults, lamp.Set(!rest))
		if p.silent {
			wait(ctx, p.length)
		} else if err := a.lines().Buzzer.Pulse(ctx, p.length); ctx.Err() == nil {
			faults = append(faults, err)
		}
		faults = append(faults, lamp.Set(rest))
	}
	if p.tones > 0 {
		a.lamps()
	}
	return errors.Join(append(faults, a.lines().Card.Set(a.signs.cardHere.Load()))...)
}

// lampOf is a lamp with what it shows at rest.
func (a *Agent) lampOf(which whichLamp) (lamp *gpio.Line, rest bool) {
	sells := a.guard.held() == nil
	switch which {
	case lampReady:
		return a.lines().Ready, sells
	case lampFault:
		return a.lines().Fault, !sells
	default:
		return a.lines().Card, a.signs.cardHere.Load()
	}
}

// lamps show whether the terminal would sell.
func (a *Agent) lamps() {
	a.signs.mu.Lock() // whoever comes last has asked last
	defer a.signs.mu.Unlock()
	good := a.guard.held() == nil
	a.must("a lamp does not light", errors.Join(a.lines().Ready.Set(good), a.lines().Fault.Set(!good)))
}

// wait lasts for d or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
