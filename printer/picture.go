package printer

import (
	"fmt"

	"posagent/printer/receipt"
)

// CodeMode is how a printer makes QR codes. Any but NoCodes also allows pictures, which are the longest commands there are:
// one that broke off must be ended before the printer listens again, and that takes half a kilobyte of the line.
type CodeMode string

const (
	NoCodes     CodeMode = ""       // neither codes nor pictures; slips with them are refused
	NativeCodes CodeMode = "native" // the printer draws them: GS ( k
	RasterCodes CodeMode = "raster" // they are drawn here, for printers without
)

func (c CodeMode) known() error {
	if c != NoCodes && c != NativeCodes && c != RasterCodes {
		return fmt.Errorf("printer: codes %q are not known: use %q or %q, or none", c, NativeCodes, RasterCodes)
	}
	return nil
}

func (c CodeMode) check(s receipt.Slip) error {
	for i, l := range s.Lines {
		if c == NoCodes && (l.Op == receipt.Image || l.Op == receipt.Code) {
			return fmt.Errorf("printer: slip refused: line %d is a picture or a code, and Opts.Codes allows none", i+1)
		}
	}
	return nil
}

// code adds a QR code, by whichever way the printer has.
func (e *encoder) code(text string) error {
	drawn, err := receipt.CodePicture(text, e.columns)
	if err != nil {
		return err
	}
	if e.codes == NativeCodes {
		e.out = e.tongue.code(e.out, text)
		return nil
	}
	e.picture(drawn)
	return nil
}

// picture adds dots as bands of whole rows. They follow one another without a gap.
func (e *encoder) picture(p *receipt.Picture) {
	stride := p.Stride()
	most := max(1, bandBytes/stride)
	for y := 0; y < p.Height; y += most {
		rows := min(most, p.Height-y)
		e.out = bandHeader(e.out, stride, rows)
		e.out = band(e.out, p.Dots[y*stride:(y+rows)*stride])
	}
}

// band adds dots without any real-time command among them. DLE and EOT, ENQ or DC4 side by side would be one: the printer
// would answer a status that nobody asked for, or clear its buffer. Each of the three has a black dot beside a white one
// where 08h is, so that one dot more, at the edge of ink, keeps the picture and ends the command; the byte it becomes is
// never DLE. DLE as the last byte of a band is followed by a command, none of which begins with these.
func band(b, dots []byte) []byte {
	start := len(b)
	b = append(b, dots...)
	for i := start + 1; i < len(b); i++ {
		if b[i-1] == dle && (b[i] == eot || b[i] == enq || b[i] == dc4) {
			b[i] |= 0x08
		}
	}
	return b
}
