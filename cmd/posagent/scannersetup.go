package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"posagent/device/scanner"
)

// scannerSetup sets a scanner for good to look only when it is told to. It is done once in a scanner's life: the setting lies in
// the scanner's own memory, which wears. An agent that runs has the scanner's line, and its port then says that it is busy.
func (c *command) scannerSetup(ctx context.Context) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	open := config.scanner()
	if open == nil {
		return c.fail(errors.New("scanner.port: no scanner is configured"))
	}
	routes, err := config.Scanner.routes()
	if err != nil {
		return c.fail(err)
	}
	port, err := open()
	if err != nil {
		return c.fail(fmt.Errorf("scanner: %w; an agent that runs has its line: stop it first", err))
	}
	defer port.Close()
	key := make([]byte, scanner.MinKey) // no code is read
	_, _ = rand.Read(key)               // never fails since Go 1.24
	s := config.Scanner
	drive, err := scanner.New(port, &scanner.Opts{Kind: scanner.Kind(s.Kind), Routes: routes, Key: key, Wait: s.Wait.Duration, Answer: s.Reply.Duration})
	if err == nil {
		err = drive.Provision(ctx)
	}
	if err != nil {
		return c.fail(err)
	}
	fmt.Fprintln(c.out, "扫码器已设置，仅在收款时扫描  The scanner is set to look only when a sale asks it to")
	return exitDone
}
