package keys

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"fmt"
	"math/bits"
)

// weakDES are the four weak and twelve semi-weak keys of DES, with odd parity (NIST SP 800-67 rev. 2, section 3.3.2).
var weakDES = [...]uint64{
	0x0101010101010101, 0xFEFEFEFEFEFEFEFE, 0xE0E0E0E0F1F1F1F1, 0x1F1F1F1F0E0E0E0E,
	0x011F011F010E010E, 0x1F011F010E010E01, 0x01E001E001F101F1, 0xE001E001F101F101,
	0x01FE01FE01FE01FE, 0xFE01FE01FE01FE01, 0x1FE01FE00EF10EF1, 0xE01FE01FF10EF10E,
	0x1FFE1FFE0EFE0EFE, 0xFE1FFE1FFE0EFE0E, 0xE0FEE0FEF1FEF1FE, 0xFEE0FEE0FEF1FEF1,
}

// oddParity makes the lowest bit of each byte such that the byte has an odd number of ones, as DES keys have it.
func oddParity(b []byte) {
	for i, v := range b {
		b[i] = v&^1 | byte(bits.OnesCount8(v&^1)+1)&1
	}
}

func isWeakDES(half []byte) bool {
	adjusted := [SingleLength]byte(half)
	oddParity(adjusted[:])
	weak := 0
	for _, w := range weakDES {
		var known [SingleLength]byte
		for i := range known {
			known[i] = byte(w >> (56 - 8*i))
		}
		weak |= subtle.ConstantTimeCompare(adjusted[:], known[:])
	}
	clear(adjusted[:])
	return weak == 1
}

// judgeDouble says what keeps sixteen bytes from being a TDES key: parity bits, which DES does not use, do not count.
func judgeDouble(b []byte) error {
	if len(b) != DoubleLength {
		return fmt.Errorf("want %d bytes, have %d", DoubleLength, len(b))
	}
	left, right := [SingleLength]byte(b[:SingleLength]), [SingleLength]byte(b[SingleLength:])
	defer clear(left[:])
	defer clear(right[:])
	oddParity(left[:])
	oddParity(right[:])
	switch {
	case left == right:
		return fmt.Errorf("both halves are equal")
	case isWeakDES(left[:]) || isWeakDES(right[:]):
		return fmt.Errorf("one half is a weak DES key")
	}
	return nil
}

// decryptECB is how a key travels under another one: block by block.
func decryptECB(block cipher.Block, dst, src []byte) {
	for i := 0; i < len(src); i += des.BlockSize {
		block.Decrypt(dst[i:i+des.BlockSize], src[i:i+des.BlockSize])
	}
}

func encryptECB(block cipher.Block, dst, src []byte) {
	for i := 0; i < len(src); i += des.BlockSize {
		block.Encrypt(dst[i:i+des.BlockSize], src[i:i+des.BlockSize])
	}
}
