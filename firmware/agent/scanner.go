package agent

import (
	"context"
	"errors"
	"fmt"

	"posagent/device/scanner"
	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// codeScanner keeps a driver on the scanner's line. The engine's turn guards it.
type codeScanner struct {
	open  Opener
	opts  scanner.Opts
	port  Port
	drive *scanner.Scanner
}

func (c *codeScanner) attach() error {
	if c.drive != nil {
		return nil
	}
	port, err := c.open()
	if err != nil {
		return fmt.Errorf("scanner: %w", err)
	}
	drive, err := scanner.New(port, &c.opts)
	if err != nil {
		_ = port.Close()
		return err
	}
	c.port, c.drive = port, drive
	return nil
}

// Scan waits for a payment code. After anything but an ordinary ending the line is closed, so that the next request starts on a
// fresh one. As with the reader's, a line that was open from before and is gone now is opened once more, and the code is waited
// for there.
func (c *codeScanner) Scan(ctx context.Context) (txn.PayCode, error) {
	for old := c.drive != nil; ; old = false {
		if err := c.attach(); err != nil {
			return txn.PayCode{}, err
		}
		code, err := c.drive.Scan(ctx)
		if err == nil || scanned(err) {
			return code, err
		}
		_ = c.port.Close()
		c.port, c.drive = nil, nil
		if !old || !hungUp(err) || ctx.Err() != nil {
			return code, err
		}
	}
}

// scanned knows the endings that leave the scanner's line as good as it was.
func scanned(err error) bool {
	for _, ending := range []error{scanner.ErrTimeout, scanner.ErrCancelled, scanner.ErrBusy, scanner.ErrUnread, scanner.ErrNotPayCode} {
		if errors.Is(err, ending) {
			return true
		}
	}
	return false
}

// codeWords is what the person at the counter is told of a payment code that was not taken, and the order under which it was
// submitted, if it was. nil is any other refusal.
func codeWords(err error) (*words.Pair, *Record) {
	var used *terminal.CodeError
	switch {
	case errors.As(err, &used):
		return &words.CodeUsed, RecordOf(used.Earlier)
	case errors.Is(err, terminal.ErrNoCodes):
		return &words.NoCodes, nil
	case errors.Is(err, scanner.ErrNotPayCode):
		return &words.NotPayCode, nil
	case errors.Is(err, terminal.ErrNoCode):
		return &words.NoCode, nil
	}
	return nil, nil
}
