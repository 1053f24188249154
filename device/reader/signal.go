package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/device/reader/neo2"
)

// Signal is what the reader's own lamp and buzzer say of an outcome. The zero value of a part leaves that part alone.
type Signal struct {
	Red, Green bool          // its front lamp, in pass-through mode; not every model has one
	Blink      bool          // the lamp goes on and off every 500 ms
	Lasting    time.Duration // how long the lamp shows it, at most MaxLasting
	Beeps      int           // short ones, at most 4
	Long       time.Duration // or one long beep of 200, 400, 600 or 800 ms
}

// Numbers we chose.
const (
	MaxLasting   = 5 * time.Second
	signalAnswer = 300 * time.Millisecond // a lamp or a buzzer that takes longer is not worth a customer's time
)

// Signal shows and sounds, and returns when the lamp is off again. It never makes anybody wait: it is refused with ErrBusy
// while the line is used, and where the line is wanted meanwhile the lamp is put out at once, which takes two commands, a few
// milliseconds each; of a reader that does not answer, no more than 300 ms.
//
//	2C-01 01   pass-through mode, for the lamp alone      ┐
//	0A-03 01 red green                                    │ in this order, none of them while a card is awaited
//	0B-01 n, or 0B-02 length                              │ or waits in the slot
//	0A-03 01 00 00                                        │
//	2C-01 00                                              ┘
//
// Published: 0A-03 with its data, and that it wants pass-through mode (IDG p. 282-283); 0B-xx with its data (p. 284). Assumed:
// the data of 2C-01, and that the buzzer sounds outside pass-through mode too. The guide's tables show the checksum of some of
// these commands the other way about than of all others: it is sent as theirs, and where the reader says that it is wrong (04h),
// the other way. An error has changed nothing that matters: the
// next activation ends the mode.
func (r *Reader) Signal(ctx context.Context, s Signal) error {
	beep, err := s.beep()
	if err != nil {
		return err
	}
	within, stop := context.WithCancel(ctx)
	defer stop()
	if !r.interlude(stop) {
		return ErrBusy
	}
	defer r.endInterlude()
	if r.wire.doubt { // to empty it takes time, which the next customer's activation has and a signal has not
		return fmt.Errorf("%w: its line is not clear", ErrBusy)
	}
	if !s.Red && !s.Green {
		return r.signal(beep)
	}
	r.passing = true
	err = r.signal(passMode(neo2.PassStart), frontLamp(s.Red, s.Green, s.Blink), beep)
	if err == nil {
		pause(within, min(s.Lasting, MaxLasting))
		err = r.signal(frontLamp(false, false, false))
	}
	if reached := err == nil || reachable(err); reached {
		if stopped := r.signal(passMode(neo2.PassStop)); stopped == nil {
			r.passing = false
		} else if err == nil {
			err = stopped
		}
	}
	return err
}

// interlude takes the line for a signal, if nobody else uses it or waits for it.
func (r *Reader) interlude(stop func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active != nil || r.session != nil || r.wanted > 0 {
		return false
	}
	select {
	case <-r.token:
		r.hush = stop
		return true
	default:
		return false
	}
}

func (r *Reader) endInterlude() {
	r.mu.Lock()
	r.hush = nil
	r.mu.Unlock()
	r.release()
}

// signal sends commands one after the other, each to be answered soon. Empty ones are left out. They are not interrupted: an
// answer that nobody waits for any more would cost the next customer more time than waiting for it.
func (r *Reader) signal(commands ...neo2.Frame) error {
	for _, command := range commands {
		if command.Command == 0 {
			continue
		}
		_, err := r.exchangeWithin(context.Background(), command, signalAnswer)
		var refused *StatusError
		if errors.As(err, &refused) && refused.Status == neo2.BadChecksum {
			r.wire.order = neo2.HighFirst
			_, err = r.exchangeWithin(context.Background(), command, signalAnswer)
			r.wire.order = neo2.LowFirst
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s Signal) beep() (neo2.Frame, error) {
	const step = 200 * time.Millisecond
	switch {
	case s.Beeps < 0 || s.Beeps > neo2.MaxBeeps || s.Beeps > 0 && s.Long > 0:
		return neo2.Frame{}, fmt.Errorf("%d short beeps and a long one of %v: want 1 to %d, or one long", s.Beeps, s.Long, neo2.MaxBeeps)
	case s.Beeps > 0:
		return neo2.Frame{Command: neo2.Buzzer, Sub: neo2.ShortBeeps, Data: []byte{byte(s.Beeps)}}, nil
	case s.Long == 0:
		return neo2.Frame{}, nil
	case s.Long < step || s.Long%step != 0 || s.Long/step-1 > time.Duration(neo2.MaxLong):
		return neo2.Frame{}, fmt.Errorf("a beep of %v: the reader has 200, 400, 600 and 800 ms", s.Long)
	}
	return neo2.Frame{Command: neo2.Buzzer, Sub: neo2.LongBeep, Data: []byte{byte(s.Long/step - 1)}}, nil
}

func passMode(mode byte) neo2.Frame {
	return neo2.Frame{Command: neo2.PassThrough, Sub: neo2.PassMode, Data: []byte{mode}}
}

func frontLamp(red, green, blink bool) neo2.Frame {
	level := func(on bool) byte {
		switch {
		case on && blink:
			return neo2.LampBlinks
		case on:
			return neo2.LampOn
		}
		return neo2.LampOff
	}
	return neo2.Frame{Command: neo2.Lamp, Sub: neo2.FrontLamp, Data: []byte{neo2.LampFront, level(red), level(green)}}
}

// pause waits for d or for ctx.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 || ctx.Err() != nil {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
