package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"posagent/device/devicetest"
)

// adapter is the USB-serial adapter between a machine and the terminal. What the terminal opens is a link to a tty, as udev's
// are. Unplugged, the tty hangs up and the link is gone; plugged in again, the link leads to another tty.
//
//	terminal ── link ─► /dev/pts/4 ── adapter ── socket ── machine
//	                    /dev/pts/7
type adapter struct {
	link    string
	machine net.Conn // for good: what hangs on the adapter keeps its power

	mu   sync.Mutex      // guards everything below
	tty  *devicetest.Pty // nil while unplugged
	next *devicetest.Pty // that of the next time, opened while the one before was still there, so that it is another
	over bool
}

// layAdapter connects to a machine's socket and plugs the adapter in.
func layAdapter(link, machine string) (*adapter, error) {
	conn, err := net.Dial("unix", machine)
	if err != nil {
		return nil, fmt.Errorf("the machine behind %s: %w", link, err)
	}
	a := &adapter{link: link, machine: conn}
	if err := a.plug(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	go a.toTerminal()
	return a, nil
}

// plug lets the adapter appear as a tty that it was not before. Twice is no harm.
func (a *adapter) plug() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tty != nil || a.over {
		return nil
	}
	tty := a.next
	if a.next = nil; tty == nil {
		var err error
		if tty, err = devicetest.OpenPty(); err != nil {
			return err
		}
	}
	if err := os.Symlink(tty.Name(), a.link); err != nil {
		return errors.Join(err, tty.Close())
	}
	a.tty = tty
	go a.toMachine(tty)
	return nil
}

func (a *adapter) unplug() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tty == nil {
		return nil
	}
	next, err := devicetest.OpenPty()
	if err != nil {
		return err
	}
	err = errors.Join(os.Remove(a.link), a.tty.Close())
	a.tty, a.next = nil, next
	return err
}

// toMachine carries until the tty is gone.
func (a *adapter) toMachine(tty *devicetest.Pty) {
	for piece := make([]byte, 4096); ; {
		n, err := tty.Read(piece)
		if err != nil {
			return
		}
		if _, err := a.machine.Write(piece[:n]); err != nil {
			return
		}
	}
}

// toTerminal carries what the machine says; while the adapter is unplugged nobody hears it.
func (a *adapter) toTerminal() {
	for piece := make([]byte, 4096); ; {
		n, err := a.machine.Read(piece)
		if err != nil {
			return
		}
		a.mu.Lock()
		tty := a.tty
		a.mu.Unlock()
		if tty != nil {
			_, _ = tty.Write(piece[:n]) // it may be pulled out in the middle
		}
	}
}

// close ends it for good.
func (a *adapter) close() {
	_ = a.unplug()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	if a.next != nil {
		_ = a.next.Close()
		a.next = nil
	}
	_ = a.machine.Close()
}

// errAdapter is said of words that no adapter understands.
var errAdapter = errors.New("wire wants reader, scanner, printer or modem, and then unplug, plug or replug")

// wire does to an adapter what a story says.
func (r *rig) wire(which, what string) error {
	a, known := r.adapters[which]
	if !known {
		return errAdapter
	}
	switch what {
	case "unplug":
		return a.unplug()
	case "plug":
		return a.plug()
	case "replug":
		return errors.Join(a.unplug(), a.plug())
	}
	return errAdapter
}
