package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/device/pinpad"
	"posagent/firmware/terminal"
	"posagent/link/acquirer"
	"posagent/txnstore/txn"
)

// pinPad keeps a driver on the PIN pad's line. The engine's turn guards it. The pad has the terminal's master key from its key
// room; the working key goes to it with each request, as the acquirer sent it at the sign-in. Or it has a DUKPT key, and the
// acquirer's profile says so.
type pinPad struct {
	open   Opener
	opts   pinpad.Opts
	prompt string
	wait   time.Duration
	key    func() (under []byte, check [4]byte, err error) // acquirer.Host's
	dukpt  bool                                            // the pad derives a key for each PIN from its own, and is sent none
	port   Port
	drive  *pinpad.Pad
}

func (p *pinPad) attach() error {
	if p.drive != nil {
		return nil
	}
	port, err := p.open()
	if err != nil {
		return fmt.Errorf("PIN pad: %w", err)
	}
	drive, err := pinpad.New(port, &p.opts)
	if err != nil {
		_ = port.Close()
		return err
	}
	p.port, p.drive = port, drive
	return nil
}

func (p *pinPad) detach() {
	if p.port != nil {
		_ = p.port.Close()
	}
	p.port, p.drive = nil, nil
}

// Enter asks for the PIN. Of an acquirer that gave no PIN key none is asked for: it could not read one. After anything but an
// ordinary ending the line is closed, so that the next request starts on a fresh one. As with the reader's, a line that was open
// from before and is gone now is opened once more, and the PIN is asked for there.
func (p *pinPad) Enter(ctx context.Context, card txn.Presented, _ txn.Amount, _ txn.Currency) (txn.PINBlock, error) {
	var under []byte
	var check [4]byte
	var err error
	if !p.dukpt {
		under, check, err = p.key()
	}
	switch {
	case errors.Is(err, acquirer.ErrNoPINKey):
		return txn.PINBlock{}, nil
	case err != nil:
		return txn.PINBlock{}, err
	}
	b, err := p.ask(ctx, pinpad.Request{PAN: card.Card.PAN, Prompt: p.prompt, SessionKey: under, Wait: p.wait})
	switch {
	case errors.Is(err, pinpad.ErrNoPIN):
		return txn.PINBlock{}, terminal.ErrNoPIN // the driver says no more than that
	case err != nil:
		return txn.PINBlock{}, err
	case b.Empty:
		return txn.PINBlock{}, nil
	case p.dukpt:
		return txn.NewPINBlockOf(b.Cipher, b.KSN), nil
	}
	return txn.NewPINBlock(b.Cipher, check), nil
}

func (p *pinPad) ask(ctx context.Context, q pinpad.Request) (pinpad.Block, error) {
	for old := p.drive != nil; ; old = false {
		if err := p.attach(); err != nil {
			return pinpad.Block{}, err
		}
		b, err := p.drive.EnterPIN(ctx, q)
		if err == nil || errors.Is(err, pinpad.ErrNoPIN) {
			return b, err
		}
		p.detach()
		if !old || !hungUp(err) || ctx.Err() != nil {
			return b, err
		}
	}
}
