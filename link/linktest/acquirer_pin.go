package linktest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"posagent/txnstore/txn"
)

// verifies deciphers a PIN block under the terminal's PIN key and holds it against the account's PIN (ISO 9564-1 format 0:
// the PIN with its length before it and Fs behind it, XORed with the last twelve digits of the card number before its check
// digit). An account without a PIN accepts any whose block is well made.
func (s session) verifies(block []byte, pan txn.PAN, pin string) bool {
	if len(block) != 8 || s.pinCipher == nil {
		return false
	}
	clear, number := make([]byte, 8), make([]byte, 8)
	s.pinCipher.Decrypt(clear, block)
	digits := pan.DigitsInTheClear()
	if len(digits) < 13 {
		digits = strings.Repeat("0", 13-len(digits)) + digits
	}
	if _, err := hex.Decode(number[2:], []byte(digits[len(digits)-13:len(digits)-1])); err != nil {
		return false
	}
	for i := range clear {
		clear[i] ^= number[i]
	}
	length := int(clear[0])
	text := strings.ToUpper(hex.EncodeToString(clear[1:]))
	if length < 4 || length > 12 || strings.Trim(text[:length], "0123456789") != "" || strings.Trim(text[length:], "F") != "" {
		return false
	}
	want, err := hex.DecodeString(fmt.Sprintf("%02X%-14s", len(pin), pin+strings.Repeat("F", 14-len(pin))))
	return pin == "" || err == nil && bytes.Equal(clear, want)
}
