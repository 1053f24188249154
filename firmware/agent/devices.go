package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"posagent/device/gpio"
	"posagent/device/reader"
	"posagent/printer"
	"posagent/printer/receipt"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// cardReader keeps a driver on the reader's line. The engine's turn guards it.
type cardReader struct {
	open  Opener
	wait  time.Duration
	kind  string
	opts  reader.Opts
	port  Port
	drive cardDrive
	check selfCheck

	lit     atomic.Pointer[reader.Reader] // the driver, where it has lamps and a buzzer of its own; anybody may read it
	settled atomic.Bool                   // about keys and applications nothing is to be done on the present line; anybody may read it

	certificates bool // the acquirer wants what chips certify; otherwise it is not kept
}

func (c *cardReader) attach() error {
	if c.drive != nil {
		return nil
	}
	port, err := c.open()
	if err != nil {
		return fmt.Errorf("card reader: %w", err)
	}
	drive, err := newDrive(c.kind, port, c.opts)
	if err != nil {
		_ = port.Close()
		return err
	}
	c.port, c.drive = port, drive
	if lit, has := drive.(*reader.Reader); has {
		c.lit.Store(lit)
	}
	return nil
}

func (c *cardReader) detach() {
	if c.port != nil {
		_ = c.port.Close()
	}
	c.port, c.drive, c.check.asked = nil, nil, false
	c.lit.Store(nil)
	c.settled.Store(false)
}

// Present asks for one card. After anything but an ordinary ending the line is closed, so that the next sale starts on a
// fresh one. A line that was open from before and is gone now is opened once more: its adapter may have been plugged in again
// since, and the customer should not notice.
func (c *cardReader) Present(ctx context.Context, a txn.Amount, cur txn.Currency) (txn.Presented, error) {
	for old := c.drive != nil; ; old = false {
		if err := c.check.due(); err != nil {
			return txn.Presented{}, err
		}
		if err := c.attach(); err != nil {
			return txn.Presented{}, err
		}
		p, err := c.drive.Activate(ctx, reader.Request{Amount: a, Currency: cur, Timeout: c.wait})
		if err == nil || ordinary(err) {
			return p, err
		}
		c.detach()
		if !old || !hungUp(err) || ctx.Err() != nil {
			return p, err
		}
	}
}

// hungUp knows how a line says that its far end or its adapter is gone.
func hungUp(err error) bool {
	for _, cause := range []error{io.EOF, syscall.EIO, syscall.ENXIO, syscall.ENODEV, syscall.EPIPE, syscall.ECONNRESET} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// Complete brings the acquirer's answer to the card in the slot. A reader without a slot, or whose line is gone, has no card.
func (c *cardReader) Complete(ctx context.Context, a txn.Answer) (txn.Confirmation, error) {
	drive, has := c.drive.(slotDrive)
	if !has {
		return txn.Confirmation{}, fmt.Errorf("card reader: %w", reader.ErrNoCardOpen)
	}
	done, err := drive.Complete(ctx, a)
	if !c.certificates {
		done.Certificate = txn.Chip{}
	}
	if err != nil && !ordinary(err) {
		c.detach()
	}
	return done, err
}

// Release lets go of the card in the slot. A line that fails now is opened again by the next sale.
func (c *cardReader) Release(ctx context.Context) error {
	drive, has := c.drive.(slotDrive)
	if !has {
		return nil
	}
	err := drive.Release(ctx)
	if err != nil && !ordinary(err) {
		c.detach()
	}
	return err
}

// slipPrinter keeps a driver on the printer's line. The engine's turn guards it.
type slipPrinter struct {
	open   Opener
	layout receipt.Layout
	opts   printer.Opts
	lines  *gpio.Lines // with switches of the printer, where it has some
	port   Port
	drive  *printer.Printer
	last   atomic.Pointer[words.PrinterState] // how the printer was met; anybody may read it
	silent int                                // times in a row that no driver heard a printer
}

func (s *slipPrinter) attach() error {
	if s.drive != nil {
		return nil
	}
	port, err := s.open()
	if err != nil {
		return unprinted{fmt.Errorf("printer: %w", err)}
	}
	opts := s.opts
	opts.Silences = s.silent
	drive, err := printer.New(port, &opts)
	if err != nil {
		_ = port.Close()
		s.silent++
		return unprinted{err}
	}
	s.port, s.drive, s.silent = port, drive, 0
	return nil
}

func (s *slipPrinter) detach() {
	if s.port != nil {
		_ = s.port.Close()
	}
	s.port, s.drive = nil, nil
}

// Print renders and prints one copy. An error wraps txn.ErrNotSent where nothing can be on paper.
func (s *slipPrinter) Print(ctx context.Context, t txn.Txn, c txn.Copy, reprint bool) (bool, error) {
	slip, err := receipt.Render(t, c, s.layout, reprint)
	if err != nil {
		return false, unprinted{err}
	}
	return s.put(ctx, slip)
}

// Report renders and prints a settlement report. Its errors are those of Print.
func (s *slipPrinter) Report(ctx context.Context, c txn.Closing, doubts []txn.Txn, reprint bool) (bool, error) {
	slip, err := receipt.Report(c, doubts, s.layout, reprint)
	if err != nil {
		return false, unprinted{err}
	}
	return s.put(ctx, slip)
}

// Balance renders and prints what an account holds. Its errors are those of Print.
func (s *slipPrinter) Balance(ctx context.Context, e txn.Enquiry) error {
	slip, err := receipt.Balance(e, s.layout)
	if err != nil {
		return unprinted{err}
	}
	_, err = s.put(ctx, slip)
	return err
}

// put prints. As with the reader's, a line that was open from before and is gone now is opened once more, if no byte of the
// slip has left.
func (s *slipPrinter) put(ctx context.Context, slip receipt.Slip) (bool, error) {
	if err := s.switches(false); err != nil {
		s.met(err)
		return false, unprinted{err}
	}
	for old := s.drive != nil; ; old = false {
		if err := s.attach(); err != nil {
			s.met(err)
			return false, err
		}
		proof, err := s.drive.Print(ctx, slip)
		if err == nil && proof != printer.Proven { // it has said nothing of its paper; a switch may
			if err = s.switches(true); err != nil {
				s.met(err)
				return false, err
			}
		}
		if ctx.Err() == nil {
			s.met(err)
		}
		if err == nil {
			return proof == printer.Proven, nil
		}
		s.detach()
		var fault *printer.FaultError
		if errors.As(err, &fault) && fault.Sent {
			return false, err
		}
		if !old || !hungUp(err) {
			return false, unprinted{err}
		}
	}
}

// ordinary endings leave the reader's line as good as it was.
func ordinary(err error) bool {
	for _, ending := range []error{reader.ErrTimeout, reader.ErrCancelled, reader.ErrCardUnread, reader.ErrCardRefused,
		reader.ErrUseContact, reader.ErrUseChip, txn.ErrCardRemoved, reader.ErrBusy, reader.ErrTampered, reader.ErrRestarted, reader.ErrSetUp} {
		if errors.Is(err, ending) {
			return true
		}
	}
	return false
}

// unprinted is a printer's fault before a byte of the slip left: nothing of it can be on paper. It reads as the fault.
type unprinted struct{ error }

func (u unprinted) Unwrap() []error { return []error{txn.ErrNotSent, u.error} }
