package keys

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
)

// MAC is how field 64 is computed over the message from its type to the byte before field 64, the bitmap with bit 64 set
// included, TPDU and header not. DES algorithms fill the last block with zero bytes.
type MAC string

const (
	// ECBFold is the algorithm of direct-connection POS, and the default (the empty string means it as well): all
	// blocks are XORed into one, written as sixteen hexadecimal characters; the first eight are encrypted, XORed with
	// the last eight, and encrypted again. A double-length key means TDES at both steps.
	ECBFold MAC = "ecb"
	// X99 is ANSI X9.9: DES in CBC mode with the key's first half, last block.
	X99 MAC = "x9.9"
	// X919 is ANSI X9.19 (ISO 9797-1 algorithm 3): X9.9, then decrypted with the second half and encrypted with the first.
	X919 MAC = "x9.19"
	// CMAC is AES-128 CMAC (NIST SP 800-38B, RFC 4493). The MAC key of the sign-in is then an AES key of 16 bytes.
	CMAC MAC = "cmac"
)

// Check refuses an algorithm this package does not compute.
func (a MAC) Check() error {
	switch a {
	case "", ECBFold, X99, X919, CMAC:
		return nil
	}
	return fmt.Errorf("MAC algorithm %q is not known: use %s, %s, %s or %s", string(a), ECBFold, X99, X919, CMAC)
}

// MACLength is the width of field 64. Of what was computed the first four bytes travel, as upper-case hexadecimal
// characters.
const MACLength = 8

const hexDigits = "0123456789ABCDEF"

var errKeyKind = errors.New("the key is not of the kind that this MAC algorithm uses; sign in again")

// Field64 computes what field 64 must carry. It fails only without a key of the right kind.
func (a MAC) Field64(k Key, data []byte) (field [MACLength]byte, err error) {
	block, err := a.block(k, data)
	if err != nil {
		return field, err
	}
	text := toHex(block)
	return [MACLength]byte(text[:MACLength]), nil
}

// Verify compares in constant time. Hexadecimal letters may come in either case. Without a key nothing verifies.
func (a MAC) Verify(k Key, data, field64 []byte) bool {
	want, err := a.Field64(k, data)
	return err == nil && subtle.ConstantTimeCompare(want[:], []byte(strings.ToUpper(string(field64)))) == 1
}

// Whole computes what the field carries where an acquirer wants the eight bytes themselves and not half of them as
// characters. It fails as Field64 does.
func (a MAC) Whole(k Key, data []byte) ([MACLength]byte, error) { return a.block(k, data) }

// VerifyWhole is Verify of such a field.
func (a MAC) VerifyWhole(k Key, data, field []byte) bool {
	want, err := a.block(k, data)
	return err == nil && subtle.ConstantTimeCompare(want[:], field) == 1
}

// block computes the first eight bytes.
func (a MAC) block(k Key, data []byte) (block [des.BlockSize]byte, err error) {
	if k.isAES() != (a == CMAC) {
		return block, errKeyKind
	}
	switch a {
	case CMAC:
		err = k.use(func(c cipher.Block) {
			sum := cmac(c, data)
			block = [des.BlockSize]byte(sum[:])
		})
	case X99:
		err = k.useHalves(func(left, _ cipher.Block) { block = chain(left, data) })
	case X919:
		err = k.useHalves(func(left, right cipher.Block) {
			block = chain(left, data)
			right.Decrypt(block[:], block[:])
			left.Encrypt(block[:], block[:])
		})
	default:
		err = k.use(func(c cipher.Block) { block = fold(c, data) })
	}
	return block, err
}

// fold is ECBFold.
func fold(encrypt cipher.Block, data []byte) [des.BlockSize]byte {
	var sum [des.BlockSize]byte
	for i, b := range data {
		sum[i%des.BlockSize] ^= b
	}
	text := toHex(sum)
	block := [des.BlockSize]byte(text[:des.BlockSize])
	encrypt.Encrypt(block[:], block[:])
	subtle.XORBytes(block[:], block[:], text[des.BlockSize:])
	encrypt.Encrypt(block[:], block[:])
	return block
}

// chain is DES-CBC from a zero vector; the last block is the result.
func chain(encrypt cipher.Block, data []byte) [des.BlockSize]byte {
	var block [des.BlockSize]byte
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
