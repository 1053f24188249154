package serial

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOpenTellsWhatToDo(t *testing.T) {
	w := newWire(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "not-a-line")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	for name, c := range map[string]struct {
		device string
		set    Options
		cause  error
		says   string
	}{
		"missing":       {filepath.Join(dir, "ttyUSB9"), Options{Baud: 9600}, fs.ErrNotExist, "plugged in"},
		"a directory":   {dir, Options{Baud: 9600}, unix.EISDIR, "name a tty inside it"},
		"a plain file":  {file, Options{Baud: 9600}, unix.ENOTTY, "not a serial line"},
		"a null device": {"/dev/null", Options{Baud: 9600}, unix.ENOTTY, "not a serial line"},
		"no speed":      {w.name, Options{}, nil, "set one such as 9600"},
		"odd speed":     {w.name, Options{Baud: 128000}, errSettings, "128000 baud"},
		"nine bits":     {w.name, Options{Baud: 9600, DataBits: 9}, nil, "use 5 to 8"},
		"mark parity":   {w.name, Options{Baud: 9600, Parity: 'M'}, nil, "use N, E or O"},
		"three stops":   {w.name, Options{Baud: 9600, StopBits: 3}, nil, "use 1 or 2"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Open(c.device, c.set)
			require.Error(t, err)
			require.Nil(t, p)
			require.ErrorContains(t, err, c.device)
			require.ErrorContains(t, err, c.says)
			if c.cause != nil {
				require.ErrorIs(t, err, c.cause)
			}
		})
	}
}

// These need a user without rights, a second machine or a broken one, so the wording alone is checked.
func TestOpenExplainsWhatTheKernelRefuses(t *testing.T) {
	for code, says := range map[unix.Errno]string{
		unix.EACCES: "dialout",
		unix.EPERM:  "dialout",
		unix.EBUSY:  "fuser -v /dev/ttyX",
		unix.ENXIO:  "no hardware answers",
		unix.EIO:    "no hardware answers",
		unix.EMFILE: "too many open files",
	} {
		err := explain("/dev/ttyX", &fs.PathError{Op: "open", Path: "/dev/ttyX", Err: code})
		require.ErrorContains(t, err, says)
		require.ErrorIs(t, err, code)
	}
	require.ErrorIs(t, explain("/dev/ttyX", unix.EBUSY), ErrBusy)
	require.ErrorIs(t, explain("/dev/ttyX", unix.EACCES), fs.ErrPermission)
}

func TestSecondOpenIsRefusedAndTheOwnerUndisturbed(t *testing.T) {
	w := newWire(t)
	owner := w.open(Options{Baud: 9600})
	w.send("kept")

	_, err := Open(w.name, Options{Baud: 115200, HardwareFlow: true})
	require.ErrorIs(t, err, ErrBusy)
	require.ErrorContains(t, err, "fuser -v "+w.name)

	require.EqualValues(t, unix.B9600, w.settings().Cflag&unix.CBAUD)
	got := make([]byte, 8)
	n, err := owner.Read(got)
	require.NoError(t, err)
	require.Equal(t, "kept", string(got[:n]))

	require.NoError(t, owner.Close())
	w.open(Options{Baud: 115200})
}

func TestOpenSetsTheLineAsAsked(t *testing.T) {
	w := newWire(t)
	plain := w.open(Options{Baud: 19200})
	line := w.settings()
	require.EqualValues(t, unix.B19200, line.Cflag&unix.CBAUD)
	require.Zero(t, line.Cflag&(unix.HUPCL|unix.CRTSCTS))
	require.NotZero(t, line.Cflag&unix.CLOCAL, "opening must not wait for a carrier")
	require.Zero(t, line.Iflag&(unix.INPCK|unix.IXON|unix.IXOFF|unix.ICRNL|unix.ISTRIP))
	require.Zero(t, line.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG))
	require.Zero(t, line.Oflag&unix.OPOST)
	require.EqualValues(t, 1, line.Cc[unix.VMIN], "an empty line must not read as end of file")
	require.Equal(t, w.name+" 19200 8N1", plain.String())
	require.NoError(t, plain.Close())

	full := w.open(Options{Baud: 1200, DataBits: 7, Parity: 'E', HardwareFlow: true, HangupOnClose: true})
	line = w.settings()
	require.EqualValues(t, unix.B1200, line.Cflag&unix.CBAUD)
	require.NotZero(t, line.Cflag&unix.HUPCL)
	require.NotZero(t, line.Cflag&unix.CRTSCTS)
	require.NotZero(t, line.Iflag&unix.INPCK, "received parity must be checked")
	require.NotZero(t, line.Iflag&unix.IGNPAR, "a byte with bad parity must be dropped, not read as zero")
	require.Equal(t, w.name+" 1200 7E1 rts/cts", full.String())
}

// TIOCEXCL on a pty would outlive a killed process for as long as the far end holds the slave.
func TestAPtyIsLockedButNotMarkedExclusive(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 9600})
	require.NoError(t, p.control(func(fd int) error {
		exclusive, err := unix.IoctlGetInt(fd, unix.TIOCGEXCL)
		if errors.Is(err, unix.ENOSYS) { // qemu's user emulation does not know the question
			return nil
		}
		require.Zero(t, exclusive)
		return err
	}))
	require.True(t, isPty(unix.Mkdev(136, 0)))
	require.True(t, isPty(unix.Mkdev(143, 255)))
	require.False(t, isPty(unix.Mkdev(4, 64)), "ttyS0")
	require.False(t, isPty(unix.Mkdev(188, 0)), "ttyUSB0")
}

func TestOpenDiscardsWhatWasReceivedBefore(t *testing.T) {
	w := newWire(t)
	w.open(Options{Baud: 9600}).Close() // raw from here on, so that the pty does not hold a line back
	w.send("stale")
	p := w.open(Options{Baud: 9600})
	w.send("fresh")
	got := make([]byte, 16)
	n, err := p.Read(got)
	require.NoError(t, err)
	require.Equal(t, "fresh", string(got[:n]))
}
