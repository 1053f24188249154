package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// cmac is NIST SP 800-38B with a block of 16 bytes: CBC over the data, of which the last block is masked with one of two
// subkeys, the first where it is whole, the second where it had to be filled with a one bit and zeros.
func cmac(block cipher.Block, data []byte) [aes.BlockSize]byte {
	var k1, k2, last, sum [aes.BlockSize]byte
	block.Encrypt(k1[:], k1[:])
	k1 = doubled(k1)
	k2 = doubled(k1)
	for len(data) > aes.BlockSize {
		subtle.XORBytes(sum[:], sum[:], data[:aes.BlockSize])
		block.Encrypt(sum[:], sum[:])
		data = data[aes.BlockSize:]
	}
	n := copy(last[:], data)
	mask := k1
	if n < aes.BlockSize {
		last[n] = 0x80
		mask = k2
	}
	subtle.XORBytes(sum[:], sum[:], last[:])
	subtle.XORBytes(sum[:], sum[:], mask[:])
	block.Encrypt(sum[:], sum[:])
	return sum
}

// doubled multiplies by x in GF(2^128), R = 0x87 (SP 800-38B, section 5.3).
func doubled(b [aes.BlockSize]byte) (out [aes.BlockSize]byte) {
	carry := b[0] >> 7
	for i := range b {
		out[i] = b[i] << 1
		if i+1 < len(b) {
			out[i] |= b[i+1] >> 7
		}
	}
	out[len(out)-1] ^= 0x87 * carry
	return out
}
