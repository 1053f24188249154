package receipt

import (
	"fmt"
	"image"
	"image/color"
)

// DotsPerColumn is how many dots of a head one normal character takes: 32 columns are 384 dots, 48 are 576.
const DotsPerColumn = 12

// Limits of a picture on a slip, and of what it may be made from.
const (
	MaxPictureHeight = 800  // dots: ten centimetres of paper
	maxSourceSide    = 4096 // pixels
)

// Picture is made of black dots on white paper: a logo, a signature, a code. A row has (Width+7)/8 bytes, the leftmost dot
// in the high bit of the first.
type Picture struct {
	Width, Height int // dots
	Dots          []byte
}

// NewPicture is white.
func NewPicture(width, height int) *Picture {
	return &Picture{Width: width, Height: height, Dots: make([]byte, (width+7)/8*height)}
}

// Stride is how many bytes a row has.
func (p *Picture) Stride() int { return (p.Width + 7) / 8 }

// At reports whether a dot is black; there is no ink outside the picture.
func (p *Picture) At(x, y int) bool {
	return x >= 0 && y >= 0 && x < p.Width && y < p.Height && p.Dots[y*p.Stride()+x/8]&(0x80>>(x%8)) != 0
}

// Ink makes a dot black.
func (p *Picture) Ink(x, y int) {
	if x >= 0 && y >= 0 && x < p.Width && y < p.Height {
		p.Dots[y*p.Stride()+x/8] |= 0x80 >> (x % 8)
	}
}

// Check refuses a picture that does not fit so many columns, or whose dots are not all there.
func (p *Picture) Check(columns int) error {
	switch {
	case p == nil:
		return fmt.Errorf("there is no picture")
	case p.Width < 1 || p.Width > columns*DotsPerColumn:
		return fmt.Errorf("the picture is %d dots wide, the paper %d", p.Width, columns*DotsPerColumn)
	case p.Height < 1 || p.Height > MaxPictureHeight:
		return fmt.Errorf("the picture is %d dots high, at most %d", p.Height, MaxPictureHeight)
	case len(p.Dots) != p.Stride()*p.Height:
		return fmt.Errorf("the picture has %d bytes of dots, want %d", len(p.Dots), p.Stride()*p.Height)
	}
	return nil
}

// Dither makes a picture of at most width dots from one with shades: a logo from a file, a signature from a pad. A wider
// one is made smaller by averaging, a narrower one stays as it is. Shades become dots by Floyd and Steinberg's rule ("An
// adaptive algorithm for spatial grey scale", SID 1976): the error of each dot is handed on to its neighbours, so that
// an area is as dark as it was. What is transparent is paper.
func Dither(from image.Image, width int) (*Picture, error) {
	b := from.Bounds()
	switch {
	case b.Empty():
		return nil, fmt.Errorf("receipt: the picture is empty")
	case b.Dx() > maxSourceSide || b.Dy() > maxSourceSide:
		return nil, fmt.Errorf("receipt: the picture has %d x %d pixels, at most %d a side: make it smaller", b.Dx(), b.Dy(), maxSourceSide)
	}
	width = min(width, b.Dx())
	height := max(1, b.Dy()*width/b.Dx())
	if width < 1 || height > MaxPictureHeight {
		return nil, fmt.Errorf("receipt: the picture would be %d x %d dots, at most %d high: cut it or make it smaller", width, height, MaxPictureHeight)
	}
	p := NewPicture(width, height)
	now, next := make([]int, width+2), make([]int, width+2) // errors handed on, in sixteenths; dot x is at x+1
	for y := range height {
		for x := range width {
			want := shade(from, x, y, width, height)*16 + now[x+1]
			is := 0
			if want < 128*16 {
				p.Ink(x, y)
			} else {
				is = 255 * 16
			}
			part := (want - is) / 16
			now[x+2] += 7 * part
			next[x] += 3 * part
			next[x+1] += 5 * part
			next[x+2] += part
		}
		now, next = next, now
		clear(next)
	}
	return p, nil
}

// shade is how bright the part of a picture is that becomes one dot: 0 black, 255 white.
func shade(from image.Image, x, y, width, height int) int {
	b := from.Bounds()
	left, right := b.Min.X+x*b.Dx()/width, b.Min.X+(x+1)*b.Dx()/width
	top, bottom := b.Min.Y+y*b.Dy()/height, b.Min.Y+(y+1)*b.Dy()/height
	right, bottom = max(right, left+1), max(bottom, top+1)
	sum := 0
	for j := top; j < bottom; j++ {
		for i := left; i < right; i++ {
			c := color.NRGBAModel.Convert(from.At(i, j)).(color.NRGBA)
			luma := (299*int(c.R) + 587*int(c.G) + 114*int(c.B)) / 1000 // ITU-R BT.601
			sum += (luma*int(c.A) + 255*(255-int(c.A))) / 255
		}
	}
	return sum / ((right - left) * (bottom - top))
}
