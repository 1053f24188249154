package link

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"posagent/link/iso8583"
	"posagent/link/profile"
)

// Bytes of the transport and application headers (UnionPay-style direct connection; the TPDU is that of ISO 8583
// terminals over X.25 and PSTN concentrators).
const (
	tpduID    = 0x60 // first byte of every TPDU that carries a transaction
	tpduLen   = 5    // 60 dddd ssss
	appLen    = 6    // AA BB C D EEEEEE, twelve BCD digits
	headerLen = tpduLen + appLen

	ordersByte = 2 // of the application header: C in the high nibble, D in the low one
)

// Header goes before every request.
//
//	TPDU         60 dddd ssss   destination and source; an answer has them swapped
//	Application  AA BB C D EEEEEE
//	             AA 60 card transaction; BB main version; C 0 normal, 1 test; D 0 from a terminal, in an answer
//	             the order to the terminal; EEEEEE software version
type Header struct {
	TPDU        [tpduLen]byte
	Application [appLen]byte
	Frame       profile.Frame // which of them there are, and how the length before them is written
}

// headSize is how many bytes go before a message, its length not counted.
func headSize(f profile.Frame) int {
	switch f.Head {
	case profile.TPDUHead:
		return tpduLen
	case profile.NoHead:
		return 0
	}
	return headerLen
}

// lengthSize is how many bytes the length takes.
func lengthSize(f profile.Frame) int {
	if f.Length == iso8583.Readable {
		return 4
	}
	return lengthLen
}

// putLength writes a length into the bytes that are there for it.
func putLength(dst []byte, f profile.Frame, n int) {
	if f.Length == iso8583.Readable {
		for i := len(dst) - 1; i >= 0; i, n = i-1, n/10 {
			dst[i] = '0' + byte(n%10)
		}
		return
	}
	binary.BigEndian.PutUint16(dst, uint16(n))
}

// getLength reads it; -1 where it is no number.
func getLength(src []byte, f profile.Frame) int {
	if f.Length != iso8583.Readable {
		return int(binary.BigEndian.Uint16(src))
	}
	n := 0
	for _, digit := range src {
		if digit-'0' > 9 {
			return -1
		}
		n = 10*n + int(digit-'0')
	}
	return n
}

// ParseHeader reads both parts as configuration states them: ten and twelve digits, "6000060000" and "603100310000".
func ParseHeader(tpdu, application string) (Header, error) {
	var h Header
	if err := readDigits(h.TPDU[:], tpdu); err != nil {
		return Header{}, fmt.Errorf("tpdu: %w", err)
	}
	if h.TPDU[0] != tpduID {
		return Header{}, fmt.Errorf("tpdu: must start with 60")
	}
	if err := readDigits(h.Application[:], application); err != nil {
		return Header{}, fmt.Errorf("application header: %w", err)
	}
	return h, nil
}

func readDigits(dst []byte, digits string) error {
	if len(digits) != 2*len(dst) {
		return fmt.Errorf("must have %d digits, has %d", 2*len(dst), len(digits))
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return fmt.Errorf("character %d is not a digit", i+1)
		}
	}
	_, err := hex.Decode(dst, []byte(digits))
	return err
}

// Answers returns the TPDU that an answer to this header carries: destination and source swapped.
func (h Header) Answers() Header {
	t := h.TPDU
	h.TPDU = [tpduLen]byte{t[0], t[3], t[4], t[1], t[2]}
	return h
}

// Orders that digit D of an answer's header gives the terminal. 8 and everything above 9 mean nothing.
const (
	OrderNone        byte = iota
	OrderParameters       // download the terminal's parameters
	OrderStatus           // upload the terminal's state
	OrderSignIn           // sign in again
	OrderCAPK             // download public keys of card schemes
	OrderAID              // download parameters of card applications
	OrderSoftware         // fetch new software from the terminal management system
	OrderBlacklist        // download the list of cards that are not charged
	_                     // reserved
	OrderContactless      // download parameters of contactless payment
)
