// Package gm72 is the wire vocabulary of a Grow GM72 scanner that is triggered by its host: command frames, their checksum, and
// every number that this program uses. The frames are those of the Simple Serial Interface (SSI).
//
// Sources: Grow "GM72 user manual", host mode; Zebra "Simple Serial Interface Programmer's Guide" (72E-40451), packet
// format and operation codes. The frames below are printed in the former.
//
//	length │ operation │ source │ flags │ data… │ sum
//	04       E4          04       00              FF 14     start, from the host (source 04)
//	04       D0          00       00              FF 2C     acknowledged, from the scanner (source 00)
//
// length counts everything before the sum; the sum is the two's complement of the sum of those bytes, 16 bits, high byte
// first.
package gm72

// Operations.
const (
	Start     byte = 0xE4 // look for a code until one is read or Stop comes
	Stop      byte = 0xE5
	Ack       byte = 0xD0
	Nak       byte = 0xD1 // its data is a cause
	Parameter byte = 0xC6 // store a parameter
)

// Sources.
const (
	FromScanner byte = 0x00
	FromHost    byte = 0x04
)

// WakeUp is sent 50 ms before a command: the scanner sleeps when nothing happens.
const WakeUp byte = 0x00

// HostTrigger is the frame that makes the scanner wait for Start: parameter 8A (trigger mode) is set to 08 (host), and with
// flag 08 for good.
var HostTrigger = Frame{Operation: Parameter, Source: FromHost, Flags: 0x08, Data: []byte{0x00, 0x8A, 0x08}}

// Bounds of a frame. Scanners answer these commands with frames of 4 and 5 bytes; none is as long as the number of a
// character that ends a line, so text and frames cannot be taken for each other.
const (
	minLength = 4
	maxLength = 8
)

// Frame is one command or answer.
type Frame struct {
	Operation, Source, Flags byte
	Data                     []byte // at most 4 bytes
}

// Append adds the frame to dst. Data beyond 4 bytes is the caller's programming error and is cut.
func (f Frame) Append(dst []byte) []byte {
	data := f.Data[:min(len(f.Data), maxLength-minLength)]
	start := len(dst)
	dst = append(dst, byte(minLength+len(data)), f.Operation, f.Source, f.Flags)
	dst = append(dst, data...)
	check := checksum(dst[start:])
	return append(dst, byte(check>>8), byte(check))
}

func checksum(b []byte) (sum uint16) {
	for _, octet := range b {
		sum -= uint16(octet)
	}
	return sum
}

// Begins reports whether a byte can be the first of a frame.
func Begins(octet byte) bool { return octet >= minLength && octet <= maxLength }

// Read takes one frame from the front of b and says how many bytes it has; 0 means that more are needed. ok is false where
// b does not begin with a frame, or with one whose sum is wrong.
func Read(b []byte) (f Frame, size int, ok bool) {
	if len(b) == 0 {
		return Frame{}, 0, true
	}
	if !Begins(b[0]) {
		return Frame{}, 0, false
	}
	length := int(b[0])
	if len(b) < length+2 {
		return Frame{}, 0, true
	}
	if check := checksum(b[:length]); b[length] != byte(check>>8) || b[length+1] != byte(check) {
		return Frame{}, 0, false
	}
	return Frame{Operation: b[1], Source: b[2], Flags: b[3], Data: b[minLength:length:length]}, length + 2, true
}

// CauseText is what the data of a Nak means (SSI, CMD_NAK).
func CauseText(cause byte) string {
	switch cause {
	case 0x01:
		return "the command was damaged on the line"
	case 0x02:
		return "the scanner does not know the command"
	case 0x06:
		return "the scanner is set not to take the command"
	default:
		return "the scanner refuses the command"
	}
}
