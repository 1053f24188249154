package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"posagent/device/devicetest"
	"posagent/device/serial"
)

// line is where a machine is attached. It gives one stream after another, each after the last has ended: a pty one for
// good, a socket one for each connection, a serial port one each time that its adapter is plugged in.
type line interface {
	Next(ctx context.Context) (io.ReadWriteCloser, error) // waits; ends with an error once ctx has
	Close() error                                         // removes what was made
	String() string
}

// open opens a line so that a terminal finds it from now on.
func open(w wire) (line, error) {
	switch w.address.kind {
	case "pty":
		return openPty(w.address.path)
	case "unix":
		return listen(w.address.path)
	case "serial":
		return openSerial(w.address.path, w.baud)
	}
	return nil, fmt.Errorf("%q is not a kind of line", w.address.kind)
}

type ptyLine struct {
	pty  *devicetest.Pty
	link string
	used bool
}

func openPty(link string) (*ptyLine, error) {
	pty, err := devicetest.OpenPty()
	if err != nil {
		return nil, err
	}
	if err := replaceLink(link, pty.Name()); err != nil {
		pty.Close()
		return nil, err
	}
	return &ptyLine{pty: pty, link: link}, nil
}

// replaceLink makes link point to target, in one step, so that a terminal which looks for its line meanwhile finds the old
// one or the new one. Only a link is ever replaced.
func replaceLink(link, target string) error {
	switch was, err := os.Lstat(link); {
	case err == nil && was.Mode()&os.ModeSymlink == 0:
		return fmt.Errorf("%s exists and is not a link: remove it or choose another name", link)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	fresh := fmt.Sprintf("%s.new-%d", link, os.Getpid())
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, link); err != nil {
		os.Remove(fresh)
		return err
	}
	return nil
}

func (l *ptyLine) Next(ctx context.Context) (io.ReadWriteCloser, error) {
	if l.used {
		return nil, errors.New("the pseudo terminal was closed")
	}
	l.used = true
	return l.pty, ctx.Err()
}

// Close removes the link, unless somebody else has put theirs in its place.
func (l *ptyLine) Close() error {
	if target, err := os.Readlink(l.link); err == nil && target == l.pty.Name() {
		os.Remove(l.link)
	}
	if err := l.pty.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

func (l *ptyLine) String() string { return "pty:" + l.link + " (" + l.pty.Name() + ")" }

type socketLine struct {
	listener *net.UnixListener
	path     string
}

// maxSocketPath is what the address of a unix socket holds (unix(7)).
const maxSocketPath = 107

// listen opens a socket. One that a dead process has left behind is replaced; one that answers is not.
func listen(path string) (*socketLine, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("socket path has %d bytes, more than the system's %d: choose a shorter one", len(path), maxSocketPath)
	}
	at := &net.UnixAddr{Name: path, Net: "unix"}
	listener, err := net.ListenUnix("unix", at)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err = removeDead(path); err == nil {
			listener, err = net.ListenUnix("unix", at)
		}
	}
	if err != nil {
		return nil, err
	}
	return &socketLine{listener: listener, path: path}, nil
}

// removeDead removes a socket on which nobody listens, and nothing else.
func removeDead(path string) error {
	if was, err := os.Lstat(path); err != nil || was.Mode()&os.ModeSocket == 0 {
		return errors.Join(fmt.Errorf("%s exists and is not a socket: remove it or choose another name", path), err)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("%s: another process answers there", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

func (l *socketLine) Next(ctx context.Context) (io.ReadWriteCloser, error) {
	stop := context.AfterFunc(ctx, func() { l.listener.Close() })
	defer stop()
	return l.listener.Accept()
}

func (l *socketLine) Close() error {
	if err := l.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (l *socketLine) String() string { return "unix:" + l.path }

// replug is the time between two looks for an adapter that was unplugged.
const replug = time.Second

type serialLine struct {
	name   string
	baud   int
	opened *serial.Port // not given out yet; Next's
}

func openSerial(name string, baud int) (*serialLine, error) {
	l := &serialLine{name: name, baud: baud}
	var err error
	l.opened, err = l.open()
	return l, err
}

func (l *serialLine) open() (*serial.Port, error) {
	return serial.Open(l.name, serial.Options{Baud: l.baud, HangupOnClose: true})
}

func (l *serialLine) Next(ctx context.Context) (io.ReadWriteCloser, error) {
	if port := l.opened; port != nil {
		l.opened = nil
		return crossed{port}, nil
	}
	for {
		select {
		case <-time.After(replug):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if port, err := l.open(); err == nil {
			return crossed{port}, nil
		}
	}
}

func (l *serialLine) Close() error {
	if l.opened != nil {
		return l.opened.Close()
	}
	return nil
}

func (l *serialLine) String() string { return fmt.Sprintf("serial:%s %d baud", l.name, l.baud) }

// crossed is a port at the other end of a null-modem cable.
type crossed struct{ *serial.Port }

// DTR is the terminal's, which such a cable brings to our DSR. A cable without modem lines never drops it.
func (c crossed) DTR() bool {
	lines, err := c.Lines()
	return err != nil || lines.DSR
}

// names joins lines for the log.
func names(lines map[string]line) string {
	var parts []string
	for _, name := range machineNames {
		if l, attached := lines[name]; attached {
			parts = append(parts, name+" on "+l.String())
		}
	}
	return strings.Join(parts, ", ")
}
