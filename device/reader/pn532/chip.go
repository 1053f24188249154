package pn532

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/device/line"
	"posagent/device/reader"
	"posagent/device/reader/pn532/hsu"
)

const (
	maxStrange = 16                     // frames that belong to nothing, in one wait
	quietGap   = 100 * time.Millisecond // silence that ends a frame which stopped in the middle
	maxCard    = 1024                   // bytes of one answer of a card, over several frames
)

// chip speaks with a PN532, one command at a time.
type chip struct {
	line    *line.Line
	allow   time.Duration // for its answer to a command that does not wait for a card
	decoder hsu.Decoder
	buffer  [hsu.MaxData + 16]byte
}

func newChip(port line.Port, allow time.Duration) *chip {
	return &chip{line: line.New(port, "PN532 board"), allow: allow}
}

// errNoAnswer says that a command may or may not have been carried out.
var errNoAnswer = fmt.Errorf("%w: check the board's cable, power and its switches for the UART", reader.ErrNoAnswer)

// begin ends whatever was going on, drops what came of it, and configures the chip.
func (c *chip) begin(ctx context.Context) error {
	if err := c.abort(ctx); err != nil {
		return err
	}
	if err := c.line.Send(hsu.WakeUp[:], c.allow); err != nil {
		return err
	}
	_, err := c.do(ctx, hsu.SAMConfiguration, hsu.SAMNormal)
	return err
}

// abort ends a command that is under way (UM 6.2.1.3) and empties the line.
func (c *chip) abort(ctx context.Context) error {
	c.decoder.Reset()
	if err := c.line.Send(hsu.AckFrame[:], c.allow); err != nil {
		return err
	}
	return c.line.Empty(ctx, leftQuiet, leftLimit)
}

// do carries out a command that may be repeated, and returns its answer's data.
func (c *chip) do(ctx context.Context, command ...byte) ([]byte, error) {
	answer, err := c.exchange(ctx, command, c.allow, resends)
	if errors.Is(err, line.ErrSilence) {
		return nil, errNoAnswer
	}
	return answer, err
}

// find waits for one card and returns its number in the chip. However it ends, the field stays on.
func (c *chip) find(ctx context.Context, within time.Duration) (target byte, err error) {
	answer, err := c.exchange(ctx, []byte{hsu.InListPassiveTarget, 1, hsu.TypeA106}, within, resends)
	switch {
	case errors.Is(err, line.ErrSilence):
		return 0, reader.ErrTimeout
	case err != nil:
		return 0, err
	case len(answer) == 1 && answer[0] == 0:
		return 0, reader.ErrTimeout // the chip gave up by itself
	case len(answer) < 6 || answer[0] != 1:
		return 0, fmt.Errorf("%w: a card was found and not described", reader.ErrGarbage)
	case answer[4]&hsu.SpeaksISODEP == 0:
		return 0, fmt.Errorf("%w: it is no payment card", reader.ErrCardRefused)
	}
	return answer[1], nil
}

// transmit sends one APDU to the card and collects its answer, over several frames where it is long. It is never sent
// twice.
func (c *chip) transmit(ctx context.Context, target byte, apdu []byte) ([]byte, error) {
	var whole []byte
	for {
		answer, err := c.exchange(ctx, append([]byte{hsu.InDataExchange, target}, apdu...), cardTime+c.allow, 0)
		switch {
		case errors.Is(err, line.ErrSilence), errors.Is(err, errNoAnswer):
			return nil, fmt.Errorf("%w: the board did not answer for it", reader.ErrCardUnread)
		case err != nil:
			return nil, err
		case len(answer) == 0 || len(whole)+len(answer) > maxCard:
			return nil, fmt.Errorf("%w: its answer has an impossible length", reader.ErrCardUnread)
		case answer[0]&hsu.StatusMask != hsu.StatusOK:
			return nil, fmt.Errorf("%w: %s (status %02Xh)", reader.ErrCardUnread, hsu.StatusText(answer[0]), answer[0]&hsu.StatusMask)
		}
		whole = append(whole, answer[1:]...)
		if answer[0]&hsu.MoreData == 0 {
			return whole, nil
		}
		apdu = nil
	}
}

// fieldOff ends whatever is left and switches the field off, so that a card that stays is not powered. It does not tell
// how it went: the next begin finds out.
func (c *chip) fieldOff() {
	ctx := context.Background()
	if c.abort(ctx) == nil {
		_, _ = c.exchange(ctx, []byte{hsu.RFConfiguration, hsu.RFField, hsu.FieldOff}, c.allow, 0)
	}
}

// exchange sends a command and waits for its answer. line.ErrSilence means that the chip took the command and has not
// answered it; after an error the command may still be under way.
func (c *chip) exchange(ctx context.Context, command []byte, within time.Duration, resends int) ([]byte, error) {
	wire := hsu.AppendInfo(nil, hsu.ToChip, command)
	for attempt := 0; ; attempt++ {
		c.decoder.Reset()
		if err := c.line.Send(wire, c.allow); err != nil {
			return nil, err
		}
		err := c.taken(ctx)
		if errors.Is(err, errNoAnswer) && attempt < resends {
			continue
		}
		if err != nil {
			return nil, err
		}
		return c.answer(ctx, command[0]+1, within)
	}
}

// taken waits for the ACK of a command.
func (c *chip) taken(ctx context.Context) error {
	until := time.Now().Add(c.allow / ackPart)
	for range maxStrange {
		item, err := c.receive(ctx, until)
		switch {
		case errors.Is(err, line.ErrSilence):
			return c.nothing()
		case err != nil:
			return err
		case item.Fault == hsu.Whole && item.Kind == hsu.Ack:
			return nil
		case item.Fault == hsu.Whole && item.Kind == hsu.Nack: // the command was damaged on its way
			return errNoAnswer
		}
	}
	return c.nothing()
}

// answer waits for the answer with the given code and asks for it again when it is damaged.
func (c *chip) answer(ctx context.Context, code byte, within time.Duration) ([]byte, error) {
	until, again := time.Now().Add(within), 0
	for range maxStrange {
		item, err := c.receive(ctx, until)
		switch {
		case err != nil:
			return nil, err
		case item.Fault != hsu.Whole:
			if again++; again > resends {
				return nil, fmt.Errorf("%w: it stays damaged on the line", reader.ErrGarbage)
			}
			if err := c.line.Empty(ctx, leftQuiet, leftLimit); err != nil {
				return nil, err
			}
			c.decoder.Reset()
			if err := c.line.Send(hsu.NackFrame[:], c.allow); err != nil {
				return nil, err
			}
		case item.Kind == hsu.Error:
			return nil, fmt.Errorf("%w: the board does not know command %02Xh", reader.ErrGarbage, code-1)
		case item.Kind == hsu.Info && item.TFI == hsu.FromChip && len(item.Data) > 0 && item.Data[0] == code:
			return item.Data[1:], nil
		}
	}
	return nil, fmt.Errorf("%w: %d frames that nobody asked for", reader.ErrGarbage, maxStrange)
}

// receive waits for the next frame, whole or faulty.
func (c *chip) receive(ctx context.Context, until time.Time) (hsu.Item, error) {
	defer clear(c.buffer[:])
	for {
		if item, ok := c.decoder.Next(); ok {
			return item, nil
		}
		stop := until
		if gap := time.Now().Add(quietGap); c.decoder.Partial() && gap.Before(until) {
			stop = gap
		}
		n, err := c.line.Receive(ctx, c.buffer[:], stop)
		c.decoder.Write(c.buffer[:n])
		if errors.Is(err, line.ErrSilence) && stop.Before(until) {
			if item, begun := c.decoder.Break(); begun {
				return item, nil
			}
			continue
		}
		if err != nil {
			return hsu.Item{}, err
		}
	}
}

// nothing tells a silent board from one that talks nonsense.
func (c *chip) nothing() error {
	if noise := c.decoder.Noise(); noise > 0 || c.decoder.Partial() {
		return fmt.Errorf("%w (%w: %d stray bytes; check the line's speed, 115200 8N1)", errNoAnswer, reader.ErrGarbage, noise)
	}
	return errNoAnswer
}
