package main

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
	"image"
	"math/bits"
)

// pngOf writes a drawn slip as PNG (W3C, third edition), one bit a dot. What packs it takes nothing but runs out of DEFLATE,
// which white paper is made of: the compressor that image/png brings is 65 KB of the 8 MiB that the terminal has for this
// program.
func pngOf(paper *image.Paletted) []byte {
	size := paper.Bounds().Size()
	stride := 1 + (size.X+7)/8
	rows := make([]byte, stride*size.Y) // each begins with its filter (PNG 9.2): none
	for y := range size.Y {
		for x := range size.X {
			if paper.ColorIndexAt(paper.Rect.Min.X+x, paper.Rect.Min.Y+y) != 0 {
				rows[y*stride+1+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(size.X)), uint32(size.Y))
	head = append(head, 1, 3, 0, 0, 0) // PNG 11.2.1: bit depth 1, colours of a palette, the only packing and filters, not interlaced
	file := pngChunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", head)
	file = pngChunk(file, "PLTE", []byte{255, 255, 255, 0, 0, 0}) // paper and ink
	return pngChunk(pngChunk(file, "IDAT", zlibOf(rows)), "IEND", nil)
}

// pngChunk appends a chunk (PNG 5.3): length, name, data, and the CRC of name and data.
func pngChunk(file []byte, name string, data []byte) []byte {
	file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
	from := len(file)
	file = append(append(file, name...), data...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[from:]))
}

// zlibOf packs bytes as zlib (RFC 1950) with one DEFLATE block of fixed codes (RFC 1951, 3.2.6): a run of one byte is that
// byte, and copies of what stands one byte before.
func zlibOf(data []byte) []byte {
	p := packed{out: []byte{0x78, 0x01}} // RFC 1950, 2.2: DEFLATE with a window of 32 KiB
	p.put(1|1<<1, 3)                     // the last block, fixed codes
	for left := data; len(left) > 0; {
		same := 1
		for same < len(left) && left[same] == left[0] {
			same++
		}
		p.literal(left[0])
		left = left[1+p.copies(same-1):]
	}
	p.put(0, 7) // end of the block
	p.put(0, 7) // up to a whole byte
	return binary.BigEndian.AppendUint32(p.out, adler32.Checksum(data))
}

// packed is a stream of bits, the first in the low bit of a byte.
type packed struct {
	out  []byte
	some uint32 // what is no whole byte yet
	n    int    // bits of it
}

func (p *packed) put(value uint32, n int) {
	p.some |= value << p.n
	for p.n += n; p.n >= 8; p.n -= 8 {
		p.out = append(p.out, byte(p.some))
		p.some >>= 8
	}
}

// code puts a Huffman code, whose first bit is its highest.
func (p *packed) code(code uint32, n int) { p.put(bits.Reverse32(code)>>(32-n), n) }

func (p *packed) literal(b byte) {
	if b < 144 {
		p.code(0x30+uint32(b), 8)
	} else {
		p.code(0x190+uint32(b)-144, 9)
	}
}

// copies puts a run of so many bytes as copies, of the lengths that need no more bits (RFC 1951, 3.2.5), and returns how
// many it has put; a rest is too short for a copy.
func (p *packed) copies(run int) (done int) {
	for ; run-done >= 3; p.code(0, 5) { // the distance: 1
		if run-done >= 258 {
			p.code(0xc5, 8)
			done += 258
		} else {
			length := min(run-done, 10)
			p.code(uint32(length-2), 7)
			done += length
		}
	}
	return done
}
