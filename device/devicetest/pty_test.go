package devicetest

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	tty "posagent/device/serial"
)

// patience bounds waits that a healthy run ends at once.
const patience = 4 * time.Minute

func openPty(t *testing.T) *Pty {
	t.Helper()
	far, err := OpenPty()
	require.NoError(t, err)
	t.Cleanup(func() { far.Close() })
	require.NoError(t, far.SetDeadline(time.Now().Add(patience)))
	return far
}

func read(t *testing.T, r io.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	require.NoError(t, err)
	return string(b)
}

func TestAPtyIsAWireAndNotATerminal(t *testing.T) {
	far := openPty(t)
	near, err := os.OpenFile(far.Name(), os.O_RDWR, 0)
	require.NoError(t, err)
	defer near.Close()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	_, err = far.Write(every)
	require.NoError(t, err)
	require.Equal(t, string(every), read(t, near, len(every)))
	_, err = near.Write(every)
	require.NoError(t, err)
	require.Equal(t, string(every), read(t, far, len(every)), "nothing may be echoed or translated")
}

func TestTheAgentMayCloseAndReopenItsLine(t *testing.T) {
	far := openPty(t)
	for range 20 {
		near, err := tty.Open(far.Name(), tty.Options{Baud: 9600})
		require.NoError(t, err)
		_, err = near.Write([]byte("ping"))
		require.NoError(t, err)
		require.Equal(t, "ping", read(t, far, 4))
		_, err = far.Write([]byte("pong"))
		require.NoError(t, err)
		require.Equal(t, "pong", read(t, near, 4))
		require.NoError(t, near.Close())
	}
	require.NoError(t, far.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	_, err := far.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "a closed line is silent, not broken")
}

func TestClosingTheFarEndHangsTheLineUp(t *testing.T) {
	far := openPty(t)
	near, err := tty.Open(far.Name(), tty.Options{Baud: 9600})
	require.NoError(t, err)
	defer near.Close()
	waiting := make(chan error, 1)
	go func() { _, err := far.Read(make([]byte, 1)); waiting <- err }()
	require.NoError(t, far.Close())
	require.ErrorIs(t, <-waiting, os.ErrClosed)
	_, err = near.Read(make([]byte, 1))
	require.ErrorIs(t, err, tty.ErrHangup)
}
