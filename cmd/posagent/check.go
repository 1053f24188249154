package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
)

func (c *command) configCheck() int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if absent := config.absent(); len(absent) > 0 {
		fmt.Fprintf(c.err, "posagent: %s reads well, but %d thing(s) it names are not right\n", c.config, len(absent))
		for _, a := range absent {
			fmt.Fprintf(c.err, "  %s\n", a)
		}
		return exitFailed
	}
	fmt.Fprintf(c.out, "%s: good\n", c.config)
	return exitDone
}

// absent lists the ports and files that are named and are not there now. A terminal may start without them, so they are
// what "config check" reports beyond the file itself.
func (c *Config) absent() []string {
	var found []string
	look := func(key, path string) {
		if _, err := os.Stat(path); err != nil {
			found = append(found, fmt.Sprintf("%s: %s is not there; plug the device in or correct the path", key, path))
		}
	}
	look("reader.port", c.portPath(c.Reader.Port))
	look("printer.port", c.portPath(c.Printer.Port))
	if c.PINPad.Port != "" {
		look("pinpad.port", c.portPath(c.PINPad.Port))
	}
	for i, b := range c.Bearers {
		if b.Kind != "tcp" {
			look(fmt.Sprintf("bearer[%d].port", i), c.portPath(b.Port))
		}
	}
	if _, err := c.bearers(slog.New(slog.DiscardHandler)); err != nil {
		found = append(found, err.Error())
	}
	if set, err := c.keySet(); err != nil {
		found = append(found, err.Error())
	} else {
		set.Master.Destroy()
	}
	if _, _, err := c.storeKey(); err != nil && !errors.Is(err, errNoStore) {
		found = append(found, "store.key_file: "+err.Error())
	}
	return found
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
