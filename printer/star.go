package printer

import (
	"errors"
	"fmt"
	"time"

	"posagent/printer/receipt"
)

// Star Micronics printers in Star line mode. Every byte of it that this package sends or expects:
//
//	[SL] Star Micronics, "Line Thermal Printer, STAR Line Mode Command Specifications", entry named after the command
//	     (manualsdump.com, document 119076): ETB and ESC RS E p. 3-54, automatic status p. 5-9 to 5-11
//
// Their proof of printing is a counter from 0 to 31 in the status. ETB adds one to it when everything before it has been
// printed, so it counts deeds and does not name them: a backlog that comes out when the paper returns counts too, and a
// printer that was switched off begins again at 0. Therefore each slip is framed:
//
//	ESC RS E 0  ETB × k     the counter is k: everything sent before is done. Only then the slip follows
//	text, text, …  ETB      the counter is k+1: it is on paper
//
// k differs from that of the slip before whenever that one may still be printing: it is 1 and 3 in turn, and at first any odd
// number above, in case a program that died has left something. So no number that is waited for can come from an older
// slip, and one that a power cut has reset, 0 or 1, is never k+1.

const (
	etb = 0x17
	ack = 0x06
	soh = 0x01
	rs  = 0x1E
)

// starAskStatus is ESC ACK SOH [SL]: the automatic status, now. It is executed on reception.
func starAskStatus() []byte { return []byte{esc, ack, soh} }

// starOpening initialises [SL ESC @], ends unasked status [SL ESC RS a], and sets the counter [SL ESC RS E, ETB].
func starOpening(b []byte, k int) []byte {
	b = append(b, esc, '@', esc, rs, 'a', 0, esc, rs, 'E', 0)
	for range k {
		b = append(b, etb)
	}
	return b
}

// Automatic status [SL p. 5-9]: header 1 has bit 0 set and bits 4 and 7 clear and tells the length, all others have these
// three clear.
const (
	starMask, starFirst, starOther = 0x91, 0x01, 0x00

	starLeast, starMost = 8, 15 // bytes: the counter is in the eighth

	starOffline       = 0x08 // third byte
	starCover         = 0x20
	starSwitchedOff   = 0x40
	starMechanical    = 0x04 // fourth byte
	starCutter        = 0x08
	starUnrecoverable = 0x20
	starHot           = 0x40
	starNearEnd       = 0x06 // sixth byte: inner and outer sensor
	starPaperEnd      = 0x08
)

// starLength reads header 1: bits 1 to 3 and 5 to 6.
func starLength(b byte) int { return int(b>>1&7 | b>>2&0x18) }

// starCount reads the counter: bits 1 to 3 and 5 to 6.
func starCount(b byte) int { return int(b>>1&7 | b>>2&0x18) }

func statusOfStar(raw [4]byte) Status {
	return Status{
		Known: true, Raw: raw,
		Offline:       raw[0]&(starOffline|starSwitchedOff) != 0,
		CoverOpen:     raw[0]&starCover != 0,
		CutterError:   raw[1]&starCutter != 0,
		Unrecoverable: raw[1]&(starUnrecoverable|starMechanical) != 0,
		Recoverable:   raw[1]&starHot != 0,
		PaperNearEnd:  raw[3]&starNearEnd != 0,
		PaperEnd:      raw[3]&starPaperEnd != 0,
	}
}

// starEar cuts a Star printer's bytes into statuses. A lost or an added byte spoils one status, never the next.
type starEar struct {
	heard []byte // of the status under way
}

func (s *starEar) feed(b byte, emit func(answer)) {
	switch {
	case b == xon:
		emit(answer{kind: goOn})
	case b == xoff:
		emit(answer{kind: hold})
	case b&starMask == starFirst && starLength(b) >= starLeast && starLength(b) <= starMost:
		if len(s.heard) > 0 {
			emit(answer{kind: noise})
		}
		s.heard = append(s.heard[:0], b)
	case len(s.heard) == 0 || b&starMask != starOther:
		s.heard = s.heard[:0]
		emit(answer{kind: noise})
	default:
		if s.heard = append(s.heard, b); len(s.heard) < starLength(s.heard[0]) {
			return
		}
		emit(answer{kind: realTime, data: [4]byte(s.heard[2:6]), count: starCount(s.heard[7])})
		s.heard = s.heard[:0]
	}
}

// starLine writes slips in Star line mode [SL].
type starLine struct{}

func (starLine) begin(b []byte) []byte           { return b } // starOpening came before
func (starLine) justify(b []byte, n byte) []byte { return append(b, esc, gs, 'a', n) }
func (starLine) chinese(b []byte, _ bool) []byte { return b } // printers for China take two-byte codes at any time
func (starLine) feed(b []byte, n byte) []byte    { return append(b, esc, 'a', n) }
func (starLine) cut(b []byte) []byte             { return append(b, esc, 'd', 3) }

func (starLine) embolden(b []byte, on bool) []byte {
	if on {
		return append(b, esc, 'E')
	}
	return append(b, esc, 'F')
}

// size is ESC i, height before width.
func (starLine) size(b []byte, s receipt.Size) []byte {
	switch s {
	case receipt.Tall:
		return append(b, esc, 'i', 1, 0)
	case receipt.Big:
		return append(b, esc, 'i', 1, 1)
	}
	return append(b, esc, 'i', 0, 0)
}

// code is ESC GS y: model 2, error correction M, size of a module, data, print.
func (starLine) code(b []byte, text string) []byte {
	b = append(b, esc, gs, 'y', 'S', '0', 2, esc, gs, 'y', 'S', '1', 1, esc, gs, 'y', 'S', '2', nativeModule)
	b = append(b, esc, gs, 'y', 'D', '1', 0, byte(len(text)), byte(len(text)>>8))
	b = append(b, text...)
	return append(b, esc, gs, 'y', 'P')
}

// checkStar refuses what this driver does not do on Star printers: pictures, whose bytes would have to be kept from
// meaning ESC ACK SOH, and whose commands differ from one family to the next.
func checkStar(s receipt.Slip) error {
	for i, l := range s.Lines {
		if l.Op == receipt.Image {
			return fmt.Errorf("printer: slip refused: line %d is a picture, which is not printed on Star printers: leave out logo and signature", i+1)
		}
	}
	return nil
}

const (
	starPoll       = 200 * time.Millisecond // between questions while the counter is awaited
	starFirstLeast = 5
	starFirstMost  = 27
)

// synchronise sets the counter and waits until the printer has done everything before. Nothing of the slip has been sent
// by then.
func (t *talk) synchronise() error {
	p := t.p
	var opening []byte
	if p.torn {
		e := newEncoder(p.opts, nil)
		if err := e.void(); err != nil {
			return err
		}
		opening = e.out
	}
	if _, err := t.send(starOpening(opening, p.frame)); err != nil {
		return t.fault(err, t.asb, false)
	}
	p.torn = false
	for until := time.Now().Add(p.opts.Print); ; {
		s, err := t.status()
		switch {
		case err != nil:
			return t.fault(err, s, false)
		case t.counter == p.frame:
			t.proofAt = p.frame + 1
			p.frame = nextFrame(p.frame)
			return nil
		case s.Fault() != nil && !passing(s):
			return t.fault(s.Fault(), s, false)
		case !time.Now().Before(until):
			return t.fault(errNoCounter, s, false)
		}
		if err := t.pause(starPoll); err != nil {
			return t.fault(err, s, false)
		}
	}
}

var errNoCounter = errors.New("its ETB counter does not follow: set it to Star line mode, or choose another way of proof")

// firstFrame is an odd number for the first slip of a program.
func firstFrame(random uint32) int {
	return starFirstLeast + 2*int(random%((starFirstMost-starFirstLeast)/2+1))
}

func nextFrame(k int) int {
	if k == 1 {
		return 3
	}
	return 1
}
