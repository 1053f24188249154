package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/device/line"
	"posagent/device/reader/neo2"
)

// Numbers we chose.
const (
	// quietGap ends a frame that stopped in the middle. Bytes of one frame follow each other within a millisecond at
	// 115200 baud and the reader itself gives up after 200 ms (IDG p. 110); the rest is for a USB adapter and a busy CPU.
	quietGap = 500 * time.Millisecond

	drainQuiet = 200 * time.Millisecond // silence after which a doubtful line is believed to be empty
	drainMax   = 2 * time.Second        // a line that never falls silent is not waited for

	maxStrange = 16 // whole frames that belong to nothing, in one wait
)

// wire is the line with the reader's frames on it. Its methods are called by whoever holds Reader.token.
type wire struct {
	*line.Line
	decoder neo2.Decoder
	room    [512]byte  // of what is received; empty in between
	doubt   bool       // something may still come that nobody waits for any more
	order   neo2.Order // of a command's checksum
}

func (w *wire) send(command neo2.Frame, within time.Duration) error {
	err := w.Send(command.Append(nil, w.order), within)
	if err != nil {
		w.doubt = true
	}
	if errors.Is(err, line.ErrStuck) {
		return fmt.Errorf("%w (the line does not take bytes)", ErrNoAnswer)
	}
	return err
}

// receive waits for the next frame, whole or faulty. It returns line.ErrSilence at the deadline and line.ErrInterrupted when
// ctx ends.
func (w *wire) receive(ctx context.Context, until time.Time) (neo2.Item, error) {
	heard, buffer := time.Now(), w.room[:]
	defer clear(buffer)
	for {
		if item, ok := w.decoder.Next(); ok {
			return item, nil
		}
		stop, partial := until, w.decoder.Partial()
		if broken := heard.Add(quietGap); partial && broken.Before(until) {
			stop = broken
		}
		n, err := w.Receive(ctx, buffer, stop)
		switch {
		case n > 0:
			w.decoder.Write(buffer[:n])
			heard = time.Now()
		case errors.Is(err, line.ErrInterrupted):
			return neo2.Item{}, err
		case !errors.Is(err, line.ErrSilence):
			w.doubt = true
			return neo2.Item{}, err
		case partial && !time.Now().Before(heard.Add(quietGap)):
			if item, begun := w.decoder.Break(); begun {
				return item, nil
			}
		case !time.Now().Before(until):
			return neo2.Item{}, err
		}
	}
}

// settle empties a line in doubt, and forgets all that comes. One that does not fall silent is used all the same: the ping
// before every activation finds out.
func (w *wire) settle() error {
	if !w.doubt {
		return nil
	}
	if err := w.Empty(context.Background(), drainQuiet, drainMax); err != nil && !errors.Is(err, line.ErrBabble) {
		return err
	}
	w.decoder.Reset()
	w.doubt = false
	return nil
}
