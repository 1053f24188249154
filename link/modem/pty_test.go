package modem

import (
	"context"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"posagent/link/linktest"
)

// withDeadlines makes of a file, which pty leaves blocking, one whose deadlines work.
func withDeadlines(t *testing.T, f *os.File) *os.File {
	fd, err := unix.Dup(int(f.Fd()))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, unix.SetNonblock(fd, true))
	again := os.NewFile(uintptr(fd), f.Name())
	t.Cleanup(func() { _ = again.Close() })
	return again
}

// On a real tty, in real time: a call, a process that vanishes in it, and the call of the next one.
func TestOnATerminalLine(t *testing.T) {
	master, tty, err := pty.Open()
	require.NoError(t, err)
	_, err = term.MakeRaw(int(tty.Fd()))
	require.NoError(t, err)
	far, near := withDeadlines(t, master), withDeadlines(t, tty)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()

	const guard = 100 * time.Millisecond
	sim := linktest.NewModem(linktest.ModemOpts{PhoneBook: map[string]string{number: listener.Addr().String()}, Guard: guard})
	ctx, switchOff := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, far) }()

	for range 2 {
		m, err := New(near, &Opts{Number: number, Guard: 3 * guard, Command: 20 * time.Second})
		require.NoError(t, err)
		conn, err := m.Dial(t.Context())
		require.NoError(t, err)
		acquirer, err := listener.Accept()
		require.NoError(t, err)
		defer func() { _ = acquirer.Close() }()
		go func() { _, _ = io.Copy(acquirer, acquirer) }()
		_, err = conn.Write(allBytes())
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(4*time.Minute)))
		got := make([]byte, 256)
		_, err = io.ReadFull(conn, got)
		require.NoError(t, err)
		require.Equal(t, allBytes(), got)
	}
	switchOff()
	require.NoError(t, <-served)
}
