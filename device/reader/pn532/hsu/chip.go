package hsu

// Sizes of a frame, in bytes. A frame carries up to 264 bytes of command and data behind TFI (UM 6.2.1.2).
const (
	MaxData   = 264
	maxNormal = 255 // LEN of a normal frame; FFh with LCS 01h, which is no NACK and no extended frame
)

// TFI: the direction of an information frame (UM 6.2.1.1).
const (
	ToChip   byte = 0xD4
	FromChip byte = 0xD5
	tfiError byte = 0x7F
)

// Frames that carry nothing.
var (
	AckFrame   = [...]byte{0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00}
	NackFrame  = [...]byte{0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00}
	ErrorFrame = [...]byte{0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00}
)

// WakeUp brings the UART out of power down: a start, then silence that is longer than its oscillator needs (UM 7.2.11;
// libnfc sends the same).
var WakeUp = [...]byte{0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

// Commands. An answer has the command's number and one.
const (
	GetFirmwareVersion  byte = 0x02 // UM 7.2.2
	SAMConfiguration    byte = 0x14 // UM 7.2.10
	RFConfiguration     byte = 0x32 // UM 7.3.1
	InDataExchange      byte = 0x40 // UM 7.3.8
	InListPassiveTarget byte = 0x4A // UM 7.3.5
)

// Parameters.
const (
	SAMNormal byte = 0x01 // no secure access module
	RFField   byte = 0x01 // item of RFConfiguration: the field
	FieldOff  byte = 0x00
	TypeA106  byte = 0x00 // 106 kbit/s type A
	ChipPN532 byte = 0x32 // first byte of the firmware version

	// SEL_RES of a card that speaks ISO/IEC 14443-4 (ISO/IEC 14443-3, 6.5.3.4).
	SpeaksISODEP byte = 0x20
)

// Status of InDataExchange (UM 7.1).
const (
	StatusMask byte = 0x3F
	MoreData   byte = 0x40 // the card's answer goes on: ask again with no data
	StatusOK   byte = 0x00
)

// StatusText is what a status means, shortened (UM 7.1).
func StatusText(status byte) string {
	switch status & StatusMask {
	case StatusOK:
		return "done"
	case 0x01:
		return "the card did not answer in time"
	case 0x02, 0x03, 0x05:
		return "the card's answer was damaged in the air"
	case 0x0A:
		return "the field did not come up in time"
	case 0x0B, 0x13:
		return "the card broke the radio protocol"
	case 0x0D:
		return "the antenna is too hot"
	case 0x27:
		return "the command does not suit what is going on"
	case 0x29:
		return "the card was taken away"
	case 0x2A, 0x2B:
		return "another card came in its place"
	case 0x2D:
		return "the supply current is too high"
	default:
		return "an error of the chip"
	}
}
