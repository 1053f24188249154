package scanner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posagent/device/line"
	"posagent/device/scanner/gm72"
)

// command wakes a GM72 and gives it one command, up to three times until it is acknowledged. Every command is harmless to
// repeat.
func (s *Scanner) command(ctx context.Context, f gm72.Frame) error {
	wire := f.Append(nil)
	for attempt := 0; ; attempt++ {
		if err := s.line.Send([]byte{gm72.WakeUp}, s.opts.Answer); err != nil {
			return err
		}
		if err := s.empty(ctx, wakeTime); err != nil { // it must be left alone that long; what still comes is old
			return err
		}
		if err := s.line.Send(wire, s.opts.Answer); err != nil {
			return err
		}
		said, err := s.await(ctx, time.Now().Add(s.opts.Answer), func(i item) bool { return i.op == gm72.Ack || i.op == gm72.Nak })
		switch {
		case err == nil && said.op == gm72.Ack:
			return nil
		case err == nil && attempt == resends:
			return fmt.Errorf("scanner, command %02Xh: %s (cause %02Xh)", f.Operation, gm72.CauseText(said.data[0]), said.data[0])
		case errors.Is(err, line.ErrSilence) && attempt == resends:
			return ErrNoAnswer
		case err != nil && !errors.Is(err, line.ErrSilence):
			return err
		}
	}
}

// empty drops what an earlier scan left on the line.
func (s *Scanner) empty(ctx context.Context, quiet time.Duration) error {
	s.decoder.forget()
	s.forget()
	return s.line.Empty(ctx, quiet, leftLimit)
}

// await reads until something comes that is wanted. What came with it waits for the next await: an answer and the code that
// it announces may arrive together.
func (s *Scanner) await(ctx context.Context, until time.Time, wanted func(item) bool) (item, error) {
	for heard := 0; ; {
		for s.next < s.arrived {
			s.next++
			if said, whole := s.decoder.take(s.buffer[s.next-1]); whole && wanted(said) {
				return said, nil
			}
		}
		s.forget()
		n, err := s.line.Receive(ctx, s.buffer[:], until)
		if err != nil {
			return item{}, err
		}
		if time.Since(s.heard) > lineGap {
			s.decoder.pause()
		}
		s.heard = time.Now()
		s.arrived = n
		if heard += n; heard > maxStrange {
			return item{}, fmt.Errorf("%w: %d bytes without a code", ErrGarbage, heard)
		}
	}
}

func (s *Scanner) forget() {
	clear(s.buffer[:s.arrived])
	s.next, s.arrived = 0, 0
}
