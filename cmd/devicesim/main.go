// Devicesim is the far end of a payment terminal's wires: a card reader, a receipt printer, a modem and a scanner, each on
// a pseudo terminal, a unix socket or a real serial port, each as slow as its line.
//
//	devicesim -reader pty:/tmp/reader -cards testdata/cards/cards.toml \
//	          -printer pty:/tmp/printer -paper /tmp/paper -baud-printer 19200 \
//	          -modem serial:/dev/ttyUSB0 -baud-modem 9600 -phone 95516=127.0.0.1:9000 \
//	          -control unix:/tmp/devices.sock
//
// With -modem-kind quectel or simcom the modem is a cellular one with a TCP of its own. With -reader-kind msr the reader is
// a stripe reader, with pn532 a development board; -scanner attaches a barcode scanner, with -scanner-kind gm72 one that
// looks when it is told to.
//
// It prints "ready" once every line is open and runs until SIGTERM, SIGINT or the control command "quit". People and
// tests speak to the machines through the control socket, one command a line:
//
//	reader present visa-4242        ok ...
//	printer paper out               ok ...
//	modem fly                       error ...
//
// Exit status: 0 ended as asked · 1 a line failed · 2 wrong use.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	o, err := parseFlags(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintln(os.Stderr, "devicesim:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err = run(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "devicesim:", err)
		os.Exit(1)
	}
}
