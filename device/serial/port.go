package serial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrHangup means that the far end or the adapter is gone. It stays so until the port is closed and opened again.
var ErrHangup = errors.New("line hung up: the device or its adapter is gone")

// Chosen by us: how Close and Drain wait for bytes already accepted by the kernel.
const (
	closeLinger = 200 * time.Millisecond // what has not left by then is discarded
	outputPoll  = 2 * time.Millisecond   // about the time of two bytes at 9600 baud
)

// Read waits for at least one byte. It fails with os.ErrDeadlineExceeded at the deadline, ErrHangup when the line is
// gone, and net.ErrClosed after Close.
func (p *Port) Read(b []byte) (int, error) {
	if p.closing.Load() {
		return 0, p.failed("read", net.ErrClosed)
	}
	n, err := p.file.Read(b)
	return n, p.failed("read", err)
}

// Write hands b to the kernel and returns how many bytes it took; they may still be on their way (see Drain). It
// fails like Read, at the deadline also when the far end does not take the bytes.
func (p *Port) Write(b []byte) (int, error) {
	if p.closing.Load() {
		return 0, p.failed("write", net.ErrClosed)
	}
	n, err := p.file.Write(b)
	return n, p.failed("write", err)
}

// SetDeadline bounds all reads and writes, those already waiting included. The zero time means no bound.
func (p *Port) SetDeadline(t time.Time) error { return p.bound(p.file.SetDeadline, t) }

// SetReadDeadline bounds reads.
func (p *Port) SetReadDeadline(t time.Time) error { return p.bound(p.file.SetReadDeadline, t) }

// SetWriteDeadline bounds writes.
func (p *Port) SetWriteDeadline(t time.Time) error { return p.bound(p.file.SetWriteDeadline, t) }

func (p *Port) bound(set func(time.Time) error, t time.Time) error {
	if p.closing.Load() {
		return p.failed("set deadline", net.ErrClosed)
	}
	return p.failed("set deadline", set(t))
}

// Close ends every waiting Read, Write, Drain and Break, and returns within about 200 ms: bytes already accepted get
// that long to leave, the rest is discarded. Without that the kernel would wait for a stalled UART itself, for 30 s,
// where no deadline reaches. Callers who must know that everything left call Drain first. Closing twice is harmless.
func (p *Port) Close() error {
	var err error
	p.once.Do(func() {
		p.closing.Store(true)
		close(p.closed)
		// Wake everybody before lingering. It fails on a file that cannot have deadlines; nothing can wait there.
		_ = p.file.SetDeadline(time.Unix(1, 0))
		linger, cancel := context.WithTimeout(context.Background(), closeLinger)
		defer cancel()
		stalled := p.emptied(linger, nil) != nil
		// A tty that has hung up refuses all of these; there is nothing left to undo on it then.
		_ = p.control(func(fd int) error {
			if stalled {
				_ = unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH)
			}
			if p.breaking.Load() {
				_ = unix.IoctlSetInt(fd, unix.TIOCCBRK, 0)
			}
			return unix.IoctlSetInt(fd, unix.TIOCNXCL, 0)
		})
		err = p.file.Close()
	})
	return err
}

// String names the line and its settings for logs: "/dev/ttyUSB0 9600 8N1".
func (p *Port) String() string { return p.name + " " + p.options.String() }

// control runs f with the descriptor, which cannot be closed or reused meanwhile. f must not block.
func (p *Port) control(f func(fd int) error) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// failed gives an error the name of the line and reduces its cause to what a caller can act on.
func (p *Port) failed(verb string, err error) error {
	switch {
	case err == nil:
		return nil
	case p.closing.Load():
		return fmt.Errorf("%s %s: %w", verb, p.name, net.ErrClosed)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s %s: %w", verb, p.name, os.ErrDeadlineExceeded)
	case gone(err):
		return fmt.Errorf("%s %s: %w (%w)", verb, p.name, ErrHangup, err)
	}
	return fmt.Errorf("%s %s: %w", verb, p.name, err)
}

// gone knows the ways in which Linux says that a tty has hung up: a read of no bytes or EIO after the carrier or the
// far end left, ENXIO and ENODEV while an adapter is being removed.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, unix.EIO) || errors.Is(err, unix.ENXIO) ||
		errors.Is(err, unix.ENODEV)
}
