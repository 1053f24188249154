package printer

import (
	"time"

	"posagent/printer/receipt"
)

// A printer that answers nothing, because its line goes one way or its command set has no answers, is never asked. Nothing can be known
// of its paper but by switches of its own, which are not this package's. So a slip is unconfirmed always, and is waited for as
// long as such a printer takes at most: whoever looks at a switch afterwards sees what became of the slip's end.

// Numbers of our own choice: 50 mm/s is the slowest of these printers, and a line is 4 mm high.
const (
	lineTime     = 80 * time.Millisecond
	cutTime      = time.Second
	codeLines    = 8  // a QR code
	rowsPerLine  = 32 // of dots, 8 to the millimetre
	enlargedness = 2  // of tall and big letters
)

func (p *Printer) mute() bool { return p.opts.Proof == Mute }

// paperTime is how long a slip takes once the printer has it.
func paperTime(s receipt.Slip) time.Duration {
	lines := 0
	for _, l := range s.Lines {
		switch {
		case l.Op == receipt.Feed:
			lines += l.Feed
		case l.Op == receipt.Code:
			lines += codeLines
		case l.Op == receipt.Image:
			lines += l.Image.Height/rowsPerLine + 1
		case l.Size != receipt.Normal:
			lines += enlargedness
		default:
			lines++
		}
	}
	return time.Duration(lines)*lineTime + cutTime
}

// drain waits until the line has carried a slip and the printer has had its time.
func (t *talk) drain(s receipt.Slip) (Proof, error) {
	if err := t.pause(max(0, time.Until(t.passed)) + paperTime(s)); err != nil {
		return Unconfirmed, t.fault(err, Status{}, true)
	}
	return Unconfirmed, nil
}
