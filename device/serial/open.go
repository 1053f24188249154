package serial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	tarm "github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// ErrBusy means that another program, or another Port of this one, holds the line.
var ErrBusy = errors.New("line is in use")

// Options sets a line. Zero values of DataBits, Parity and StopBits mean 8N1; Baud has no default.
type Options struct {
	Baud          int  // bits per second, one of the kernel's table: 50 to 4 000 000
	DataBits      int  // 5 to 8
	Parity        byte // 'N', 'E' or 'O'; with 'E' and 'O' received bytes are checked
	StopBits      int  // 1 or 2
	HardwareFlow  bool // RTS/CTS flow control
	HangupOnClose bool // drop DTR on close, so that a dial modem hangs up (ITU-T V.250 6.1.2: circuit 108)

	Places Places // where a port is looked for that is named by its adapter
}

func (o Options) withDefaults() Options {
	if o.DataBits == 0 {
		o.DataBits = 8
	}
	if o.Parity == 0 {
		o.Parity = 'N'
	}
	if o.StopBits == 0 {
		o.StopBits = 1
	}
	return o
}

func (o Options) check() error {
	switch {
	case o.Baud <= 0:
		return fmt.Errorf("speed %d baud is not a speed: set one such as 9600 or 115200", o.Baud)
	case o.DataBits < 5 || o.DataBits > 8:
		return fmt.Errorf("%d data bits cannot be sent: use 5 to 8", o.DataBits)
	case o.Parity != 'N' && o.Parity != 'E' && o.Parity != 'O':
		return fmt.Errorf("parity %q is not known: use N, E or O", o.Parity)
	case o.StopBits != 1 && o.StopBits != 2:
		return fmt.Errorf("%d stop bits cannot be sent: use 1 or 2", o.StopBits)
	}
	return nil
}

// String writes the settings as they are printed on devices: "9600 8N1".
func (o Options) String() string {
	o = o.withDefaults()
	text := fmt.Sprintf("%d %d%c%d", o.Baud, o.DataBits, o.Parity, o.StopBits)
	if o.HardwareFlow {
		text += " rts/cts"
	}
	return text
}

// Port is an open line. One goroutine may read while another writes; further ones queue up. Close, the deadlines and
// the modem lines may be used from anywhere.
type Port struct {
	name     string
	options  Options
	file     *os.File // non-blocking; every byte and every ioctl goes through it
	closing  atomic.Bool
	closed   chan struct{} // closed by the first Close
	breaking atomic.Bool   // a Break is on the line
	once     sync.Once
}

// Open opens and locks the tty called name, sets it, and discards what was received before. A name that follows an adapter
// is looked up anew each time (Places.Find). DTR and RTS rise, as they
// do whenever a tty is opened. Errors say what to do; they unwrap to ErrBusy, ErrAmbiguous, fs.ErrNotExist or
// fs.ErrPermission where one of these is the cause.
func Open(name string, o Options) (*Port, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	name, err := o.Places.Find(name)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, explain(name, err)
	}
	p := &Port{name: name, options: o, file: file, closed: make(chan struct{})}
	if err := p.claim(); err != nil {
		file.Close()
		return nil, explain(name, err)
	}
	if err := p.configure(); err != nil {
		p.Close()
		return nil, explain(name, err)
	}
	return p, nil
}

// claim takes the lock that other programs of good manners respect (flock, as UUCP-style lock files were for).
func (p *Port) claim() error {
	return p.control(func(fd int) error {
		if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
			return err
		}
		return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	})
}

// errSettings marks what tarm refuses before it touches the device.
var errSettings = errors.New("setting refused")

// configure lets tarm set the line and adds what tarm leaves out. tarm opens the device once more, which TIOCEXCL would
// forbid to an ordinary user, so the exclusive mark comes last.
func (p *Port) configure() error {
	first, err := tarm.OpenPort(&tarm.Config{
		Name:     p.name,
		Baud:     p.options.Baud,
		Size:     byte(p.options.DataBits),
		Parity:   tarm.Parity(p.options.Parity),
		StopBits: tarm.StopBits(p.options.StopBits),
		// No ReadTimeout: that gives VMIN=1, without which an empty line reads as end of file.
	})
	var code unix.Errno
	switch {
	case err == nil:
	case errors.As(err, &code):
		return err
	default:
		return fmt.Errorf("%w: %d baud, %s: %w", errSettings, p.options.Baud, p.options, err)
	}
	if err := first.Close(); err != nil {
		return err
	}
	return p.control(p.complete)
}

// complete sets parity checking, hang-up and flow control, discards stale bytes and marks the tty exclusive.
func (p *Port) complete(fd int) error {
	line, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	if p.options.Parity != 'N' {
		line.Iflag |= unix.INPCK
	}
	if p.options.HangupOnClose {
		line.Cflag |= unix.HUPCL
	}
	if p.options.HardwareFlow {
		line.Cflag |= unix.CRTSCTS
	}
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, line); err != nil {
		return err
	}
	if err := unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH); err != nil {
		return err
	}
	var node unix.Stat_t
	if err := unix.Fstat(fd, &node); err != nil {
		return err
	}
	if isPty(uint64(node.Rdev)) {
		// The mark goes away with the last close of the tty. The far end of a pty holds its slave open, so after a
		// kill -9 the mark would lock the next process out for good.
		return nil
	}
	return unix.IoctlSetInt(fd, unix.TIOCEXCL, 0)
}

// isPty knows a pty slave by its major number (Linux admin-guide/devices.txt: 136 to 143).
func isPty(device uint64) bool {
	major := unix.Major(device)
	return major >= 136 && major <= 143
}

// explain turns a failure of Open into an answer for the person who set the device's name.
func explain(name string, err error) error {
	switch {
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EBUSY):
		return fmt.Errorf("open %s: %w: another program holds it; find it with \"fuser -v %s\" and stop it (%w)", name, ErrBusy, name, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open %s: no such device: check that the adapter is plugged in, and its name under /dev/serial/by-path or by-id (%w)", name, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open %s: permission denied: run as a user of the group that owns the device, often dialout (%w)", name, err)
	case errors.Is(err, unix.ENOTTY):
		return fmt.Errorf("open %s: not a serial line: name a tty such as /dev/ttyS0 or /dev/ttyUSB0 (%w)", name, err)
	case errors.Is(err, unix.EISDIR):
		return fmt.Errorf("open %s: a directory, not a serial line: name a tty inside it (%w)", name, err)
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EIO):
		return fmt.Errorf("open %s: no hardware answers behind this name: check the wiring, or plug the adapter in again (%w)", name, err)
	case errors.Is(err, errSettings):
		return fmt.Errorf("open %s: %w; use a standard speed such as 9600, 19200, 38400, 57600 or 115200", name, err)
	}
	return fmt.Errorf("open %s: %w", name, err)
}
