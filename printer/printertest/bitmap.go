package printertest

import (
	"fmt"
	"image"
	"image/color"

	"rsc.io/qr"
)

// bitmap is a picture of dots on the paper, rows of whole bytes, the leftmost dot in the high bit.
type bitmap struct {
	width, height int
	dots          []byte
}

func (b bitmap) at(x, y int) bool { return b.dots[y*(b.width/8)+x/8]&(0x80>>(x%8)) != 0 }

// indent places a picture: 0 left, 1 in the middle, 2 right.
func (b bitmap) indent(align byte, columns int) int {
	return max(columns*columnDots-b.width, 0) * int(align) / 2
}

func (b bitmap) burn(canvas *image.Gray, left, top int) {
	for y := range b.height {
		for x := range b.width {
			if b.at(x, y) {
				canvas.SetGray(left+x, top+y, color.Gray{Y: inkGray})
			}
		}
	}
}

// bandLocked prints a band. Bands of one width that follow one another are one picture.
func (p *Printer) bandLocked(b bitmap) {
	if len(p.head.line) > 0 {
		p.printLineLocked()
	}
	if b.width > p.columns*columnDots {
		p.fault("a picture of %d dots on paper of %d: its right side is lost", b.width, p.columns*columnDots)
	}
	h := &p.head
	if h.image.width != b.width {
		p.imageEndLocked()
		h.image.width = b.width
	}
	h.image.height += b.height
	h.image.dots = append(h.image.dots, b.dots...)
	if h.image.height > imageMost {
		p.imageEndLocked()
	}
}

// imageEndLocked puts the picture under way on the paper, as it has become.
func (p *Printer) imageEndLocked() {
	if p.head.image.height > 0 {
		image := p.head.image
		p.head.image = bitmap{}
		p.blockLocked(fmt.Sprintf("[image %d x %d]", image.width, image.height), image)
	}
}

// symbolPrintedLocked prints the QR code that was stored.
func (p *Printer) symbolPrintedLocked() {
	code, err := qr.Encode(string(p.head.code), qr.M)
	if err != nil {
		p.fault("no QR code holds %d bytes", len(p.head.code))
		return
	}
	module := max(p.head.module, 1)
	side := code.Size * module
	b := bitmap{width: (side + 7) / 8 * 8, height: side}
	b.dots = make([]byte, b.width/8*side)
	for y := range side {
		for x := range side {
			if code.Black(x/module, y/module) {
				b.dots[y*(b.width/8)+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	if b.width > p.columns*columnDots {
		p.fault("a QR code of %d dots does not fit the paper and is not printed", side)
		return
	}
	p.blockLocked(fmt.Sprintf("[QR code, %d bytes]", len(p.head.code)), b)
}

// blockLocked prints something that is no text, which the text of the paper describes.
func (p *Printer) blockLocked(caption string, dots bitmap) {
	if len(p.head.line) > 0 {
		p.printLineLocked()
	}
	for _, r := range caption {
		p.head.line = append(p.head.line, cell{r, 1, size{1, 1}, false})
		p.head.used++
	}
	p.paper.nextDots = dots
	p.printLineLocked()
}
