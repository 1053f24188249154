package devicetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"posagent/device/capture"
)

// Play is the far end of a wire that says what a device said in a recording, at the moments at which it did, and hears what the
// terminal said then. It returns an error at the first byte that differs, naming the event and the byte and not their
// content; nil when the recording is over or ctx has ended; and the line's error. A device that spoke of its own accord
// while the terminal spoke may speak before or after it.
func Play(ctx context.Context, c capture.Capture, rw io.ReadWriter) error {
	if line, ok := rw.(interface{ SetDeadline(time.Time) error }); ok {
		defer context.AfterFunc(ctx, func() { _ = line.SetDeadline(time.Unix(1, 0)) })()
	}
	last := time.Duration(0)
	for i, e := range c.Events {
		if ctx.Err() != nil {
			return nil
		}
		if e.To == capture.ToDevice {
			if err := heard(rw, e.Bytes); err != nil && !(ctx.Err() != nil && over(err)) {
				return fmt.Errorf("recording of %s, event %d: %w", c.Device, i+1, err)
			}
		} else {
			if !rest(ctx, e.At-last) {
				return nil
			}
			if _, err := rw.Write(e.Bytes); err != nil && !(ctx.Err() != nil && over(err)) {
				return fmt.Errorf("recording of %s, event %d: %w", c.Device, i+1, err)
			}
		}
		last = e.At
	}
	return nil
}

// rest waits for d, and reports whether ctx outlived it.
func rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// errOther says that the terminal said something else than in the recording.
var errOther = errors.New("the terminal says something else")

// heard reads as many bytes as were recorded and compares them.
func heard(r io.Reader, want []byte) error {
	got := make([]byte, len(want))
	for n := 0; n < len(got); {
		m, err := r.Read(got[n:])
		n += m
		if !bytes.Equal(got[:n], want[:n]) {
			at := 0
			for got[at] == want[at] {
				at++
			}
			return fmt.Errorf("%w, from its byte %d on", errOther, at+1)
		}
		if err != nil && n < len(got) {
			return fmt.Errorf("the terminal said %d of %d bytes: %w", n, len(got), err)
		}
	}
	return nil
}
