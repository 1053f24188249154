package acquirer

import (
	"crypto/des"
	"crypto/subtle"
	"fmt"
	"strings"
)

// MACAlgorithm is how field 64 is computed over the message from its type to the byte before field 64, the bitmap with
// bit 64 set included, TPDU and header not. The last block is filled with zero bytes.
type MACAlgorithm string

const (
	// ECBFold is the algorithm of direct-connection POS, and the default (the empty string means it as well): all
	// blocks are XORed into one, written as sixteen hexadecimal characters; the first eight are encrypted, XORed with
	// the last eight, and encrypted again. A double-length key means TDES at both steps.
	ECBFold MACAlgorithm = "ecb"
	// X99 is ANSI X9.9: DES in CBC mode with the key's first half, last block.
	X99 MACAlgorithm = "x9.9"
	// X919 is ANSI X9.19 (ISO 9797-1 algorithm 3): X9.9, then decrypted with the second half and encrypted with the first.
	X919 MACAlgorithm = "x9.19"
)

// Check refuses an algorithm this package does not compute.
func (a MACAlgorithm) Check() error {
	switch a {
	case "", ECBFold, X99, X919:
		return nil
	}
	return fmt.Errorf("MAC algorithm %q is not known: use %s, %s or %s", string(a), ECBFold, X99, X919)
}

// macLength is the width of field 64. Of the computed block its left half travels, as upper-case hexadecimal characters.
const macLength = 8

const hexDigits = "0123456789ABCDEF"

// field64 computes what field 64 must carry.
func (a MACAlgorithm) field64(k key, data []byte) [macLength]byte {
	block := a.block(k, data)
	text := toHex(block)
	return [macLength]byte(text[:macLength])
}

// verify compares in constant time. Hexadecimal letters may come in either case.
func (a MACAlgorithm) verify(k key, data, field64 []byte) bool {
	want := a.field64(k, data)
	return subtle.ConstantTimeCompare(want[:], []byte(strings.ToUpper(string(field64)))) == 1
}

// block computes the whole eight bytes.
func (a MACAlgorithm) block(k key, data []byte) [des.BlockSize]byte {
	switch a {
	case X99:
		left, _ := k.halves()
		return chain(left, data)
	case X919:
		left, right := k.halves()
		block := chain(left, data)
		right.cipher().Decrypt(block[:], block[:])
		left.cipher().Encrypt(block[:], block[:])
		return block
	default:
		return fold(k, data)
	}
}

// fold is ECBFold.
func fold(k key, data []byte) [des.BlockSize]byte {
	var sum [des.BlockSize]byte
	for i, b := range data {
		sum[i%des.BlockSize] ^= b
	}
	text := toHex(sum)
	block := [des.BlockSize]byte(text[:des.BlockSize])
	encrypt := k.cipher()
	encrypt.Encrypt(block[:], block[:])
	subtle.XORBytes(block[:], block[:], text[des.BlockSize:])
	encrypt.Encrypt(block[:], block[:])
	return block
}

// chain is DES-CBC from a zero vector; the last block is the result.
func chain(k key, data []byte) [des.BlockSize]byte {
	var block [des.BlockSize]byte
	encrypt := k.cipher()
	for len(data) > 0 {
		taken := subtle.XORBytes(block[:], block[:], data)
		data = data[taken:]
		encrypt.Encrypt(block[:], block[:])
	}
	return block
}

func toHex(block [des.BlockSize]byte) [2 * des.BlockSize]byte {
	var text [2 * des.BlockSize]byte
	for i, b := range block {
		text[2*i], text[2*i+1] = hexDigits[b>>4], hexDigits[b&0x0F]
	}
	return text
}
