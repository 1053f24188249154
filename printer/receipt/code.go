package receipt

import (
	"errors"
	"fmt"

	"rsc.io/qr"
)

// MaxCode is how many bytes a QR code may carry: enough for a link, and it fits 384 dots.
const MaxCode = 256

// Modules of a code, in dots. Four dots are half a millimetre, which a telephone reads from paper.
const (
	codeQuiet     = 4 // modules of white around a code (ISO/IEC 18004:2015 6.3.8)
	CodeModule    = 6
	CodeModuleMin = 3
)

// CheckCode refuses what does not go into a QR code on a slip: nothing, too much, and characters that steer printers.
func CheckCode(text string) error {
	if text == "" || len(text) > MaxCode {
		return fmt.Errorf("a code of %d bytes: want 1 to %d", len(text), MaxCode)
	}
	for i := range len(text) {
		if text[i] < 0x20 || text[i] == 0x7F {
			return errors.New("a code holds a control character")
		}
	}
	return nil
}

// CodePicture draws a QR code of medium error correction (ISO/IEC 18004) with modules as large as fit so many columns.
func CodePicture(text string, columns int) (*Picture, error) {
	if err := CheckCode(text); err != nil {
		return nil, err
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, err
	}
	module := min(CodeModule, columns*DotsPerColumn/(code.Size+2*codeQuiet))
	if module < CodeModuleMin {
		return nil, fmt.Errorf("a code of %d bytes does not fit %d columns", len(text), columns)
	}
	side := (code.Size + 2*codeQuiet) * module
	p := NewPicture(side, side)
	for y := range side {
		for x := range side {
			if code.Black(x/module-codeQuiet, y/module-codeQuiet) {
				p.Ink(x, y)
			}
		}
	}
	return p, nil
}
