package serial

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestAPtyHasNoModemLinesAndSaysSo(t *testing.T) {
	p := newWire(t).open(Options{Baud: 9600})
	_, err := p.Lines()
	require.ErrorIs(t, err, ErrNoLines)
	require.ErrorIs(t, p.SetDTR(false), ErrNoLines)
	require.ErrorIs(t, p.SetRTS(true), ErrNoLines)
}

func TestBreakIsBoundedAndEndedByClose(t *testing.T) {
	p := newWire(t).open(Options{Baud: 9600})
	require.ErrorContains(t, p.Break(0), "not a length")
	require.ErrorContains(t, p.Break(time.Minute), "up to 3s")
	err := p.Break(time.Millisecond)
	if errors.Is(err, unix.ENOSYS) { // qemu's user emulation does not know TIOCSBRK: no break, and it must say so at once
		require.ErrorContains(t, p.Break(maxBreak), p.name)
		return
	}
	require.NoError(t, err)

	done := make(chan error, 1)
	began := make(chan struct{})
	go func() { close(began); done <- p.Break(maxBreak) }()
	<-began
	require.NoError(t, p.Close())
	require.ErrorIs(t, within(t, done, "break across close"), net.ErrClosed)
}

// A pty passes its output on at once and reports an empty queue; that Drain waits for a full one shows on a UART only.
func TestDrainReturnsOnceNothingIsQueued(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 9600})
	_, err := p.Write([]byte("slip"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, p.Drain(ctx))
	require.Equal(t, "slip", string(w.received(4)))
}

func TestDiscardLeavesAWaitingReaderWaiting(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 9600})
	w.send("old")
	require.NoError(t, p.Discard())
	got := make(chan string, 1)
	go func() {
		b := make([]byte, 8)
		n, err := p.Read(b)
		if err != nil {
			got <- err.Error()
			return
		}
		got <- string(b[:n])
	}()
	for range 100 {
		require.NoError(t, p.Discard())
	}
	w.send("new")
	require.Equal(t, "new", <-got)
}
