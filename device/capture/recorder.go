package capture

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Port is a line as drivers and the agent know it.
type Port interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Opts are the settings of a recording.
type Opts struct {
	Development bool     // must be true: on the counter of a shop nothing is recorded
	Device      string   // a word such as neo2, for the file
	Note        string   // one line, for the file; no card number
	Known       []string // the test numbers that may stand in the recording: cards and payment codes, 12 to 32 digits
}

// ErrDevelopmentOnly refuses a recording without Opts.Development.
var ErrDevelopmentOnly = errors.New("recording a card reader's line records cards: it is for development with test cards only")

// Recorder is a Port that listens to the one below it. It is as safe for concurrent use as that one is.
type Recorder struct {
	Port
	opts  Opts
	began time.Time

	mu      sync.Mutex
	capture Capture // guarded by mu
	bytes   int     // guarded by mu
	cut     bool    // guarded by mu; something did not fit
}

// NewRecorder listens to port from now on. It uses package time for the moments, so that virtual time is recorded as such.
func NewRecorder(port Port, o Opts) (*Recorder, error) {
	switch {
	case !o.Development:
		return nil, ErrDevelopmentOnly
	case !word(o.Device) || !text(o.Note):
		return nil, fmt.Errorf("recording: want a device of one word and a note of one line up to %d characters", maxText)
	}
	for i, number := range o.Known {
		if len(number) < minNumber || len(number) > maxNumber {
			return nil, fmt.Errorf("recording: test number %d has %d digits, want %d to %d", i+1, len(number), minNumber, maxNumber)
		}
	}
	return &Recorder{Port: port, opts: o, began: time.Now(), capture: Capture{Device: o.Device, Note: o.Note}}, nil
}

// Read reads from the port below and notes what came.
func (r *Recorder) Read(p []byte) (int, error) {
	n, err := r.Port.Read(p)
	r.note(FromDevice, p[:max(n, 0)])
	return n, err
}

// Write writes to the port below and notes what left.
func (r *Recorder) Write(p []byte) (int, error) {
	at := time.Since(r.began) // an answer may be read before the write has returned
	n, err := r.Port.Write(p)
	r.noteAt(at, ToDevice, p[:max(n, 0)])
	return n, err
}

func (r *Recorder) note(to Direction, p []byte) { r.noteAt(time.Since(r.began), to, p) }

// noteAt keeps a copy of p in the order of moments.
func (r *Recorder) noteAt(at time.Duration, to Direction, p []byte) {
	if len(p) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut || r.bytes+len(p) > MaxBytes || len(r.capture.Events) == MaxEvents {
		r.cut = true
		return
	}
	r.bytes += len(p)
	events := append(r.capture.Events, Event{At: at.Truncate(time.Microsecond), To: to, Bytes: append([]byte(nil), p...)})
	for i := len(events) - 1; i > 0 && events[i].At < events[i-1].At; i-- {
		events[i], events[i-1] = events[i-1], events[i]
	}
	r.capture.Events = events
}

// Save judges all that was recorded so far and, if it may be kept, writes it to w in one piece. It returns ErrCardData and
// writes nothing if it may not. A recording that was cut is written and reported by an error that says so.
func (r *Recorder) Save(w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.capture.Judge(r.opts.Known); err != nil {
		return err
	}
	if _, err := w.Write(r.capture.append(nil)); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	if r.cut {
		return fmt.Errorf("recording: it was cut after %d bytes and %d events; what is written is its beginning", r.bytes, len(r.capture.Events))
	}
	return nil
}
