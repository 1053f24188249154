// Package devicetest is the far end of the wires that lead to a terminal's devices: pseudo terminals, lines as slow as
// real ones, test cards, and simulated machines that speak their devices' protocols. Tests and cmd/devicesim use it; the
// terminal itself never does.
package devicetest

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// Pty is the far end of a pseudo terminal. Its slave, in raw mode, is what a terminal opens as its serial line. Bytes
// that arrive while nobody has the slave open wait in the kernel, up to about 4 KiB, as they would in a UART's buffer;
// a terminal that opens its line discards them. Ptys have no modem lines and no baud rate: see Pace.
type Pty struct {
	master *os.File // non-blocking, so that deadlines and Close reach a waiting Read
	slave  *os.File // kept open: without it a read here fails with EIO whenever the terminal closes its end
}

// OpenPty opens a pseudo terminal. Linux only (pty(7), ioctl_tty(2)).
func OpenPty() (*Pty, error) {
	master, err := os.OpenFile("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open pty: %w", err)
	}
	slave, err := openSlave(master)
	if err != nil {
		master.Close()
		return nil, fmt.Errorf("open pty: %w", err)
	}
	return &Pty{master: master, slave: slave}, nil
}

func openSlave(master *os.File) (*os.File, error) {
	raw, err := master.SyscallConn()
	if err != nil {
		return nil, err
	}
	var number int
	var inner error
	err = raw.Control(func(fd uintptr) {
		if inner = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); inner == nil {
			number, inner = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		return nil, err
	}
	if inner != nil {
		return nil, inner
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	// A pty is born echoing and line-editing; a wire does neither.
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		slave.Close()
		return nil, err
	}
	return slave, nil
}

// Name is the path of the slave, such as /dev/pts/3.
func (p *Pty) Name() string { return p.slave.Name() }

// Read reads what the terminal wrote.
func (p *Pty) Read(b []byte) (int, error) { return p.master.Read(b) }

// Write sends to the terminal. It waits while the terminal does not read and the kernel's buffer is full.
func (p *Pty) Write(b []byte) (int, error) { return p.master.Write(b) }

// SetDeadline bounds reads and writes at this end.
func (p *Pty) SetDeadline(t time.Time) error { return p.master.SetDeadline(t) }

// SetReadDeadline bounds reads at this end.
func (p *Pty) SetReadDeadline(t time.Time) error { return p.master.SetReadDeadline(t) }

// SetWriteDeadline bounds writes at this end.
func (p *Pty) SetWriteDeadline(t time.Time) error { return p.master.SetWriteDeadline(t) }

// Close ends waiting reads and writes here; the terminal sees its line hang up, as when an adapter is unplugged.
func (p *Pty) Close() error {
	err := p.master.Close()
	if slaveErr := p.slave.Close(); err == nil {
		err = slaveErr
	}
	return err
}
