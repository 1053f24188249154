package txn

import (
	"fmt"
	"io"
	"log/slog"
)

// PINBlock is a PIN as the PIN pad enciphered it: the PIN itself never enters this program. It exists for one request and is
// never stored; no verb, encoder or logger prints it. The zero value is no PIN.
type PINBlock struct{ block *pinBlock }

type pinBlock struct {
	cipher [8]byte
	check  [4]byte
	serial []byte
}

// NewPINBlock keeps a block (ISO 9564-1 format 0) with the check value of the key that it is enciphered under.
func NewPINBlock(cipher [8]byte, check [4]byte) PINBlock {
	return PINBlock{&pinBlock{cipher: cipher, check: check}}
}

// NewPINBlockOf keeps a block with the serial number of the DUKPT key that it is enciphered under (ANSI X9.24-1), 10 bytes.
func NewPINBlockOf(cipher [8]byte, serial []byte) PINBlock {
	return PINBlock{&pinBlock{cipher: cipher, serial: append([]byte(nil), serial...)}}
}

// Serial is the serial number of a DUKPT key; nil where the block is under a working key.
func (b PINBlock) Serial() []byte {
	if b.block == nil {
		return nil
	}
	return b.block.serial
}

// IsZero reports whether there is no PIN.
func (b PINBlock) IsZero() bool { return b.block == nil }

// Under reports whether the block is enciphered under the key with this check value.
func (b PINBlock) Under(check [4]byte) bool { return b.block != nil && b.block.check == check }

// CipherForTheAcquirer is the only way out. Its caller is the message packer.
func (b PINBlock) CipherForTheAcquirer() []byte {
	if b.block == nil {
		return nil
	}
	return append([]byte(nil), b.block.cipher[:]...)
}

func (b PINBlock) mask() string {
	if b.block == nil {
		return "[no PIN]"
	}
	return "[PIN block]"
}
func (b PINBlock) String() string               { return b.mask() }
func (b PINBlock) GoString() string             { return b.mask() }
func (b PINBlock) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, b.mask()) }
func (b PINBlock) LogValue() slog.Value         { return slog.StringValue(b.mask()) }
func (b PINBlock) MarshalText() ([]byte, error) { return []byte(b.mask()), nil }

// AsksPIN reports whether a PIN belongs to k where the card asks for one: to what takes money or holds it, in the cardholder's
// presence. What undoes or follows another rests on that one, unless the acquirer's profile has it otherwise.
func (k Kind) AsksPIN() bool { return k == Sale || k == PreAuth }

// AsksPIN reports whether the service code of the track asks for a PIN: always, or where there is a PIN pad (ISO/IEC 7813,
// third digit 0, 3 and 5, or 6 and 7). A track without a service code asks for none.
func (t Track) AsksPIN() bool {
	if t.data == nil {
		return false
	}
	for i, c := range *t.data {
		if c == '=' {
			rest := (*t.data)[i+1:]
			if len(rest) < 7 {
				return false
			}
			switch rest[6] {
			case '0', '3', '5', '6', '7':
				return true
			}
			return false
		}
	}
	return false
}
