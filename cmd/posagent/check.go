package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"

	"posagent/device/serial"
)

func (c *command) configCheck() int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	remarks := config.remarks(serial.Places{})
	if absent := config.absent(serial.Places{}); len(absent) > 0 {
		fmt.Fprintf(c.err, "posagent: %s reads well, but %d thing(s) it names are not right\n", c.config, len(absent))
		for _, a := range append(absent, remarks...) {
			fmt.Fprintf(c.err, "  %s\n", a)
		}
		return exitFailed
	}
	fmt.Fprintf(c.out, "%s: good\n", c.config)
	for _, r := range remarks {
		fmt.Fprintf(c.out, "  %s\n", r)
	}
	return exitDone
}

// namedPort is a line by its key and the file's name for it.
type namedPort struct{ key, name string }

// ports lists the lines that the file names.
func (c *Config) ports() []namedPort {
	all := []namedPort{{"reader.port", c.Reader.Port}, {"printer.port", c.Printer.Port}}
	if c.Scanner.Port != "" {
		all = append(all, namedPort{"scanner.port", c.Scanner.Port})
	}
	if c.PINPad.Port != "" {
		all = append(all, namedPort{"pinpad.port", c.PINPad.Port})
	}
	for i, b := range c.Bearers {
		if b.Kind != "tcp" {
			all = append(all, namedPort{fmt.Sprintf("bearer[%d].port", i), b.Port})
		}
	}
	return all
}

// remarks are what works today and may not tomorrow: a tty by the kernel's own name is another adapter's after they were
// plugged in in another order, or after one of them came back.
func (c *Config) remarks(at serial.Places) (found []string) {
	for _, p := range c.ports() {
		path := c.portPath(p.name)
		if !at.Fleeting(path) {
			continue
		}
		write := "a name below /dev/serial/by-path or by-id, or usb:VENDOR:PRODUCT[:SERIAL]"
		if lasting := at.Lasting(path); len(lasting) > 0 {
			write = strings.Join(lasting, " or ")
		}
		found = append(found, fmt.Sprintf("%s: remark: an adapter that is plugged in again may not be %s any more; write %s", p.key, path, write))
	}
	return found
}

// absent lists the ports, lines and files that are named and are not there now. They are what "config check" reports beyond the file
// itself: a terminal may start without its ports, and not without its lines.
func (c *Config) absent(at serial.Places) []string {
	var found []string
	for _, p := range c.ports() {
		path, err := at.Find(c.portPath(p.name))
		if err != nil {
			found = append(found, fmt.Sprintf("%s: %v", p.key, err))
		} else if _, err := os.Stat(path); err != nil {
			found = append(found, fmt.Sprintf("%s: %s is not there; plug the device in or correct the path", p.key, path))
		}
	}
	if _, err := c.bearers(slog.New(slog.DiscardHandler), nil); err != nil {
		found = append(found, err.Error())
	}
	if set, err := c.keySet(); err != nil {
		found = append(found, err.Error())
	} else {
		set.Master.Destroy()
	}
	if family, err := c.dukptKeys(); err != nil && !errors.Is(err, errNoStore) {
		found = append(found, err.Error())
	} else if family != nil {
		family.Destroy()
	}
	if _, _, err := c.storeKey(); err != nil && !errors.Is(err, errNoStore) {
		found = append(found, "store.key_file: "+err.Error())
	}
	return append(found, c.GPIO.absent()...)
}

// isAddress accepts host:port with a port that exists.
func isAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
