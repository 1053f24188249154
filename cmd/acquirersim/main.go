// Command acquirersim is an acquirer with books, for terminals that want to be tested: it speaks the direct-connection
// POS dialect on network and dialled lines, and loses, delays, repeats and forges when told to.
//
//	acquirersim -cards testdata/cards/cards.toml -terminal 10000001=898310148160001 -tmk-file tmk.hex \
//	    -listen 127.0.0.1:9100 -listen-dial 127.0.0.1:9101 -control unix:/tmp/acquirer.sock -ledger books.json
//
// When everything listens it prints one line, "ready listen=ADDRESS dial=ADDRESS control=unix:PATH", with the addresses
// it really has: port 0 takes a free one. What the control socket understands is told by linktest.Acquirer.Command; each
// command is one line and is answered by one, "ok ..." or "error ...".
//
// With -listen-tls it also answers under TLS 1.3, as a host that a CA of its own vouches for: -tls-dir names a directory
// in which CA, host and terminal get their certificates and keys when it is started for the first time.
//
// The books are replaced on disk as a whole, before the answer that they stand for leaves: a killed acquirer keeps them.
// Working keys live in memory, so after a restart terminals are answered A0 and sign in again, as they would be elsewhere.
// SIGTERM and SIGINT end it with status 0.
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
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case err == nil || errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "acquirersim:", err)
		stop()
		os.Exit(1)
	}
}
