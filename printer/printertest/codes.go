package printertest

// What the simulated printer understands and says. References: Epson, "ESC/POS Command Reference for TM printers"
// (download4.epson.biz/sec_pubs/pos/reference_en/escpos), entry named after the command; Epson TM-L90 specification
// p. 428-429 for GS ( H; Epson TM-U220 manual p. 82-83 for the automatic status; Zijiang ZJ-58 manual p. 67 for the FS
// commands of Chinese printers; Citizen CBM1000 manual, appendix 3, for the fixed bits of answers.

const (
	codeNUL  = 0x00
	codeEOT  = 0x04
	codeENQ  = 0x05
	codeHT   = 0x09
	codeLF   = 0x0A
	codeCR   = 0x0D
	codeDLE  = 0x10
	codeDC4  = 0x14
	codeXON  = 0x11
	codeXOFF = 0x13
	codeESC  = 0x1B
	codeFS   = 0x1C
	codeGS   = 0x1D
)

// unknown and incomplete are what commandLength says of bytes that begin no command, and of a beginning too short to
// tell.
const (
	unknown    = -1
	incomplete = 0
)

// commandLength tells how many bytes the command that begins with b has, a raster image with its dots.
func commandLength(b []byte) int {
	if len(b) < 2 {
		return incomplete
	}
	switch b[0] {
	case codeDLE:
		if b[1] == codeEOT || b[1] == codeENQ {
			return 3
		}
	case codeESC:
		switch b[1] {
		case '@':
			return 2
		case 'a', 'E', '!', 'd', 'J':
			return 3
		}
	case codeFS:
		switch b[1] {
		case '&', '.':
			return 2
		case '!':
			return 3
		}
	case codeGS:
		return lengthAfterGS(b)
	}
	return unknown
}

func lengthAfterGS(b []byte) int {
	switch b[1] {
	case '!', 'a', 'r':
		return 3
	case 'V':
		if len(b) < 3 {
			return incomplete
		}
		switch b[2] {
		case 0, 1, 48, 49:
			return 3
		case 65, 66:
			return 4
		}
	case '(':
		if len(b) < 5 {
			return incomplete
		}
		return 5 + int(b[3]) + int(b[4])<<8
	case 'v':
		if len(b) < 3 {
			return incomplete
		}
		switch {
		case b[2] != '0':
			return unknown
		case len(b) < rasterHeader:
			return incomplete
		default:
			return rasterHeader + rasterBytes(b)
		}
	}
	return unknown
}

// rasterBytes is how many bytes of image follow the header of GS v 0; more than rasterMost if no printer takes that many.
func rasterBytes(header []byte) int {
	return int(min(int64(rasterWidth(header)/8)*int64(rasterHeight(header)), rasterMost+1))
}

func rasterWidth(header []byte) int  { return 8 * (int(header[4]) + int(header[5])<<8) } // in dots
func rasterHeight(header []byte) int { return int(header[6]) + int(header[7])<<8 }       // in dots

// Numbers of our own choice.
const (
	receiveBuffer = 4096 // bytes, as the smaller printers have
	almostFull    = 3584 // XOFF is sent above
	almostEmpty   = 1024 // XON is sent below
	rasterHeader  = 8
	rasterMost    = 1 << 20
	answersMost   = 256 // waiting for the host to read
	slipsMost     = 1000
	uncutMost     = 2000 // lines
	imageMost     = 4000 // dots high
	faultsMost    = 200
)
