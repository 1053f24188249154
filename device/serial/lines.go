package serial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoLines means that the tty has no modem lines; a pty has none.
var ErrNoLines = errors.New("no modem lines on this device")

// maxBreak bounds Break. Chosen by us: no device asks for more than half a second.
const maxBreak = 3 * time.Second

// Lines is the state of the modem control lines; true is asserted.
type Lines struct {
	DTR, RTS          bool // ours
	CTS, DSR, DCD, RI bool // the far end's
}

// Lines reads the modem lines.
func (p *Port) Lines() (Lines, error) {
	var bits int
	err := p.askModem("read modem lines", func(fd int) (err error) {
		bits, err = unix.IoctlGetInt(fd, unix.TIOCMGET)
		return err
	})
	if err != nil {
		return Lines{}, err
	}
	on := func(bit int) bool { return bits&bit != 0 }
	return Lines{
		DTR: on(unix.TIOCM_DTR), RTS: on(unix.TIOCM_RTS),
		CTS: on(unix.TIOCM_CTS), DSR: on(unix.TIOCM_DSR), DCD: on(unix.TIOCM_CD), RI: on(unix.TIOCM_RI),
	}, nil
}

// SetDTR asserts or drops DTR. A dial modem set to &D2 hangs up when it drops.
func (p *Port) SetDTR(on bool) error { return p.setLine("set DTR", unix.TIOCM_DTR, on) }

// SetRTS asserts or drops RTS. With HardwareFlow the kernel moves RTS too.
func (p *Port) SetRTS(on bool) error { return p.setLine("set RTS", unix.TIOCM_RTS, on) }

func (p *Port) setLine(verb string, bit int, on bool) error {
	request := uint(unix.TIOCMBIC)
	if on {
		request = unix.TIOCMBIS
	}
	return p.askModem(verb, func(fd int) error { return unix.IoctlSetPointerInt(fd, request, bit) })
}

// Break holds the line at space for d, at most 3 s, or until Close. A pty accepts it and does nothing.
func (p *Port) Break(d time.Duration) error {
	if d <= 0 || d > maxBreak {
		return fmt.Errorf("break %s: %s is not a length of a break: use up to %s", p.name, d, maxBreak)
	}
	p.breaking.Store(true)
	defer p.breaking.Store(false)
	if err := p.ask("break", func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCSBRK, 0) }); err != nil {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.closed:
	}
	err := p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCCBRK, 0) })
	if p.closing.Load() {
		err = net.ErrClosed // and Close ended the break if we came too late
	}
	return p.failed("end break", err)
}

// Drain waits until everything written has left the kernel's queue and, on a UART that can tell, its transmitter. A USB
// adapter may hold some bytes for a few milliseconds more. It ends early with the context's error, ErrHangup, or
// net.ErrClosed. (tcdrain waits in the kernel, where neither context nor Close could reach it.)
func (p *Port) Drain(ctx context.Context) error {
	err := p.emptied(ctx, p.closed)
	if err != nil && err == ctx.Err() {
		return fmt.Errorf("drain %s: %w", p.name, err)
	}
	return p.failed("drain", err)
}

// emptied polls until nothing is left to send.
func (p *Port) emptied(ctx context.Context, abort <-chan struct{}) error {
	poll := time.NewTicker(outputPoll)
	defer poll.Stop()
	for {
		if idle, err := p.idle(); idle || err != nil {
			return err
		}
		select {
		case <-poll.C:
		case <-abort:
			return net.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// idle reports whether nothing is left to send.
func (p *Port) idle() (bool, error) {
	var queued int
	err := p.control(func(fd int) (err error) {
		if queued, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ); err != nil || queued > 0 {
			return err
		}
		// The queue does not count the UART's own FIFO; its line status does. Devices without one refuse the question.
		if status, err := unix.IoctlGetInt(fd, unix.TIOCSERGETLSR); err == nil && status&unix.TIOCSER_TEMT == 0 {
			queued = 1
		}
		return nil
	})
	return queued == 0, err
}

// Discard throws away what was received and not read, and what was written and has not left.
func (p *Port) Discard() error {
	return p.ask("discard", func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH) })
}

// ask runs one ioctl and names its failure.
func (p *Port) ask(verb string, ioctl func(fd int) error) error {
	if p.closing.Load() {
		return p.failed(verb, net.ErrClosed)
	}
	return p.failed(verb, p.control(ioctl))
}

// askModem is ask for a device that may have no modem lines: ENOTTY, or EINVAL before Linux 5.
func (p *Port) askModem(verb string, ioctl func(fd int) error) error {
	err := p.ask(verb, ioctl)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%s %s: %w", verb, p.name, ErrNoLines)
	}
	return err
}
