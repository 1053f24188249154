package pinpad

// Every byte that this package sends or expects. References:
//
//	[PP] Uniform Industrial, "PIN Pad 791 Programmer's Manual" UDN PM0103-U Rev. 06: p. 202-206 and 226 (master and session
//	     keys), p. 238 and 247-248 (DUKPT)
//	[MX] VeriFone, "Mx800 Series Programmers Guide", p. 327 (DUKPT packet 73)
//	[PK] "PinPad notes (101/201/1000/2000)", packet command formats, 02 (dunfield.themindfactory.com, PINPAD.TXT)

const (
	stx = 0x02 // begins a packet, which etx ends
	etx = 0x03
	eot = 0x04
	ack = 0x06
	so  = 0x0E // ends a packet that si begins
	si  = 0x0F
	nak = 0x15
	sub = 0x1A // clears the display
	fs  = 0x1C // between fields
)

const (
	packetReset  = "Z1"   // [PP] ends what is going on
	packetShow   = "Z2"   // [PP] display; sub, text
	packetEnter  = "Z60." // [PP p. 226, 247] account, FS, session key with master keys, FS, time in 30 s
	packetAbort  = "72"   // [PP p. 238] ends the entry of a PIN; EOT follows
	packetBlock  = "71"   // [PP p. 204] the block, or an error's code
	packetBlock2 = "73"   // [MX p. 327] the same
	packetKey    = "02"   // [PK] SI packet: slot, master key; echoed for comparison

	formatANSI = "01" // [PP p. 204]
)

// lrcOf is the check of a packet: all bytes after the first, the last one included, in exclusive or.
func lrcOf(data []byte, end byte) byte {
	for _, b := range data {
		end ^= b
	}
	return end
}

// frame wraps data between STX and ETX, or SI and SO.
func frame(begin byte, data []byte) []byte {
	end := byte(etx)
	if begin == si {
		end = so
	}
	b := append([]byte{begin}, data...)
	return append(b, end, lrcOf(data, end))
}

const maxPacket = 128 // bytes of data; the longest [PP p. 226] has 59

type itemKind uint8

const (
	packet  itemKind = iota // whole, check right
	damaged                 // too long, or its check is wrong
	control                 // ACK, NAK or EOT
)

type item struct {
	kind  itemKind
	begin byte   // STX or SI of a packet, or the control byte
	data  []byte // of a packet; the decoder's until the next byte
}

// decoder cuts what a pad sends into items. What is outside a packet and no control byte is noise of the line, and skipped.
type decoder struct {
	begin byte // of the packet under way, or 0
	data  []byte
	ended bool // its end came; the check is next
}

func (d *decoder) feed(b byte) (item, bool) {
	switch {
	case d.ended:
		end := byte(etx)
		if d.begin == si {
			end = so
		}
		it := item{packet, d.begin, d.data}
		if lrcOf(d.data, end) != b {
			it = item{kind: damaged}
		}
		d.begin, d.ended = 0, false
		return it, true
	case d.begin == 0 && (b == stx || b == si):
		d.begin, d.data = b, d.data[:0]
	case d.begin == 0:
		return item{kind: control, begin: b}, b == ack || b == nak || b == eot
	case d.begin == stx && b == etx, d.begin == si && b == so:
		d.ended = true
	case len(d.data) == maxPacket:
		d.begin = 0
		return item{kind: damaged}, true
	default:
		d.data = append(d.data, b)
	}
	return item{}, false
}

// forget wipes what a packet left.
func (d *decoder) forget() {
	clear(d.data[:cap(d.data)])
	d.begin, d.ended = 0, false
}
