package serial

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waits that a healthy run ends at once; only a hang reaches it.
const patience = 4 * time.Minute

// wire is a pty: the far end is its master, the line its slave.
type wire struct {
	t      *testing.T
	master *os.File
	name   string
}

func newWire(t *testing.T) *wire {
	t.Helper()
	master, slave, err := pty.Open()
	require.NoError(t, err)
	t.Cleanup(func() { master.Close(); slave.Close() })
	// creack/pty leaves the master blocking, where no deadline would reach.
	require.NoError(t, unix.SetNonblock(int(master.Fd()), true))
	require.NoError(t, master.SetDeadline(time.Now().Add(patience)))
	return &wire{t: t, master: master, name: slave.Name()}
}

func (w *wire) open(o Options) *Port {
	w.t.Helper()
	p, err := Open(w.name, o)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { p.Close() })
	require.NoError(w.t, p.SetDeadline(time.Now().Add(patience)))
	return p
}

// settings reads the line's termios as another program would.
func (w *wire) settings() *unix.Termios {
	w.t.Helper()
	file, err := os.OpenFile(w.name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	require.NoError(w.t, err)
	defer file.Close()
	line, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	require.NoError(w.t, err)
	return line
}

func (w *wire) send(text string) {
	w.t.Helper()
	_, err := io.WriteString(w.master, text)
	require.NoError(w.t, err)
}

// received reads exactly n bytes at the far end.
func (w *wire) received(n int) []byte {
	w.t.Helper()
	got := make([]byte, n)
	_, err := io.ReadFull(w.master, got)
	require.NoError(w.t, err)
	return got
}

// within fails the test when done does not report in time.
func within(t *testing.T, done <-chan error, what string) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		require.FailNow(t, "still waiting", what)
		return nil
	}
}
