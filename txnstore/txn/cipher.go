package txn

import (
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Cipher is a card's track as the card reader enciphered it, with the serial number of the key that it used (ANSI X9.24-1). The
// key is the acquirer's; this program has none. It exists for one request and is never stored; no verb, encoder or logger
// prints it. The zero value is none.
type Cipher struct{ text *string } // the serial number, and what is behind it

// Sizes of a Cipher, in bytes. MostCipher is a whole number of blocks in which track 2 fits as text, tag and length included.
const (
	CipherSerial = 10
	cipherBlock  = 8
	MostCipher   = 48
)

// NewCipher keeps a copy. The error never repeats what was refused.
func NewCipher(serial, data []byte) (Cipher, error) {
	switch {
	case len(serial) != CipherSerial:
		return Cipher{}, fmt.Errorf("enciphered track refused: its key's serial number has %d bytes, want %d", len(serial), CipherSerial)
	case len(data) == 0 || len(data) > MostCipher || len(data)%cipherBlock != 0:
		return Cipher{}, fmt.Errorf("enciphered track refused: it has %d bytes, want blocks of %d and at most %d", len(data), cipherBlock, MostCipher)
	}
	text := string(serial) + string(data)
	return Cipher{&text}, nil
}

// IsZero reports whether nothing is held.
func (c Cipher) IsZero() bool { return c.text == nil }

// DigitsForTheAcquirer is the only way out for the enciphered track, in hexadecimal digits. Its caller is the message packer.
func (c Cipher) DigitsForTheAcquirer() string {
	if c.text == nil {
		return ""
	}
	return strings.ToUpper(hex.EncodeToString([]byte((*c.text)[CipherSerial:])))
}

// SerialForTheAcquirer is the only way out for the serial number. Its caller is the message packer.
func (c Cipher) SerialForTheAcquirer() []byte {
	if c.text == nil {
		return nil
	}
	return []byte((*c.text)[:CipherSerial])
}

const cipherMask = "[enciphered track]"

func (c Cipher) String() string               { return cipherMask }
func (c Cipher) GoString() string             { return cipherMask }
func (c Cipher) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, cipherMask) }
func (c Cipher) LogValue() slog.Value         { return slog.StringValue(cipherMask) }
func (c Cipher) MarshalText() ([]byte, error) { return []byte(cipherMask), nil }
