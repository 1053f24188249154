package line_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/line"
)

func onWire(t *testing.T, story func(t *testing.T, l *line.Line, far net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		story(t, line.New(near, "thing"), far)
		near.Close()
		far.Close()
		time.Sleep(time.Second) // virtual: whoever still writes finds the line closed
	})
}

func TestAReadEndsWithBytesInSilenceOrWhenTheCallerGivesUp(t *testing.T) {
	onWire(t, func(t *testing.T, l *line.Line, far net.Conn) {
		buffer, began := make([]byte, 8), time.Now()
		_, err := l.Receive(t.Context(), buffer, began.Add(time.Second))
		require.ErrorIs(t, err, line.ErrSilence)
		assert.Equal(t, time.Second, time.Since(began))

		ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer stop()
		began = time.Now()
		_, err = l.Receive(ctx, buffer, began.Add(time.Second))
		require.ErrorIs(t, err, line.ErrInterrupted)
		assert.Equal(t, 300*time.Millisecond, time.Since(began))

		go func() { _, _ = far.Write([]byte("abc")) }()
		n, err := l.Receive(t.Context(), buffer, time.Now().Add(time.Second))
		require.NoError(t, err)
		assert.Equal(t, "abc", string(buffer[:n]), "an interrupted read leaves the line as it was")
	})
}

func TestWhatWasLeftIsForgottenAndBabbleIsReported(t *testing.T) {
	onWire(t, func(t *testing.T, l *line.Line, far net.Conn) {
		go func() {
			for range 5 {
				_, _ = far.Write([]byte("old"))
				time.Sleep(10 * time.Millisecond)
			}
		}()
		began := time.Now()
		require.NoError(t, l.Empty(t.Context(), 50*time.Millisecond, time.Second))
		assert.Equal(t, 90*time.Millisecond, time.Since(began))

		go func() {
			for {
				if _, err := far.Write([]byte("U")); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		began = time.Now()
		require.ErrorIs(t, l.Empty(t.Context(), 50*time.Millisecond, time.Second), line.ErrBabble)
		assert.Equal(t, time.Second, time.Since(began))
		near := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		stop()
		require.ErrorIs(t, l.Empty(ctx, 50*time.Millisecond, time.Second), line.ErrInterrupted)
		assert.Zero(t, time.Since(near))
	})
}

func TestALineThatTakesNothingIsStuckAndABrokenOneIsNamed(t *testing.T) {
	onWire(t, func(t *testing.T, l *line.Line, far net.Conn) {
		began := time.Now()
		require.ErrorIs(t, l.Send([]byte("x"), time.Second), line.ErrStuck)
		assert.Equal(t, time.Second, time.Since(began))
		far.Close()
		err := l.Send([]byte("x"), time.Second)
		require.ErrorContains(t, err, "thing line")
		_, err = l.Receive(t.Context(), make([]byte, 1), time.Now().Add(time.Second))
		require.ErrorContains(t, err, "thing line")
	})
}

// hollow returns no bytes and no error, which io.Reader discourages and some ports do.
type hollow struct{ net.Conn }

func (hollow) Read([]byte) (int, error) { return 0, nil }

func TestAPortThatReturnsNothingForEverIsBroken(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	_, err := line.New(hollow{near}, "thing").Receive(t.Context(), make([]byte, 1), time.Now().Add(time.Hour))
	require.True(t, errors.Is(err, io.ErrNoProgress))
}

// stood is a port under a process that stands still for a while in each read that meets its deadline. Like a tty it has an
// answer by then, and like a tty it returns none once the deadline has passed.
type stood struct {
	net.Conn
	until time.Time
	still time.Duration
	says  string
}

func (s *stood) SetReadDeadline(t time.Time) error {
	s.until = t
	return nil
}

func (s *stood) Read(b []byte) (int, error) {
	if time.Now().Before(s.until) && s.still == 0 && s.says != "" {
		n := copy(b, s.says)
		s.says = s.says[n:]
		return n, nil
	}
	time.Sleep(time.Until(s.until) + s.still)
	s.still = 0
	return 0, os.ErrDeadlineExceeded
}

func TestAnAnswerThatCameWhileTheMachineStoodStillIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		buffer, began := make([]byte, 8), time.Now()
		l := line.New(&stood{Conn: near, still: 3 * time.Second, says: "abc"}, "thing")
		n, err := l.Receive(t.Context(), buffer, began.Add(time.Second))
		require.NoError(t, err)
		assert.Equal(t, "abc", string(buffer[:n]))

		l = line.New(&stood{Conn: near, says: "abc"}, "thing")
		n, err = l.Receive(t.Context(), buffer, began)
		require.NoError(t, err, "and where the time was over before the read began")
		assert.Equal(t, "abc", string(buffer[:n]))

		l, began = line.New(&stood{Conn: near, still: 3 * time.Second}, "thing"), time.Now()
		_, err = l.Receive(t.Context(), buffer, began.Add(time.Second))
		require.ErrorIs(t, err, line.ErrSilence, "silence stays silence, and is looked at once more alone")
		assert.Less(t, time.Since(began), 4*time.Second+100*time.Millisecond)
	})
}
