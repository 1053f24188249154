package devicetest

import (
	"crypto/cipher"
	"crypto/des"
)

// DUKPT as ANSI X9.24-1:2009 annex A has it: the key of one transaction, from the initial key and the serial number, and
// its variants for a PIN and, in neo2sealed.go, for data.

func tripleDES(key []byte) cipher.Block {
	block, err := des.NewTripleDESCipher(append(append([]byte{}, key...), key[:8]...))
	if err != nil {
		panic(err) // a key of 16 bytes is our own
	}
	return block
}

// pinKey is the variant of a transaction's key for PINs.
func pinKey(initial, ksn []byte) []byte {
	key := transactionKey(initial, ksn)
	key[7] ^= 0xFF
	key[15] ^= 0xFF
	return key
}

// transactionKey derives the key for a serial number of 10 bytes, whose last 21 bits count.
func transactionKey(initial, ksn []byte) []byte {
	key := append([]byte{}, initial...)
	register := append([]byte{}, ksn[2:]...)
	counter := uint32(register[5]&0x1F)<<16 | uint32(register[6])<<8 | uint32(register[7])
	register[5], register[6], register[7] = register[5]&0xE0, 0, 0
	for bit := uint32(1) << 20; bit > 0; bit >>= 1 {
		if counter&bit == 0 {
			continue
		}
		register[5] |= byte(bit >> 16)
		register[6] |= byte(bit >> 8)
		register[7] |= byte(bit)
		right := derive(key, register)
		masked := append([]byte{}, key...)
		for i := range masked {
			if i%8 < 4 {
				masked[i] ^= 0xC0
			}
		}
		key = append(derive(masked, register), right...)
	}
	return key
}

// derive is the special encryption: what is not covered by the right half is encrypted under the left.
func derive(key, register []byte) []byte {
	block, err := des.NewCipher(key[:8])
	if err != nil {
		panic(err)
	}
	out := make([]byte, 8)
	for i := range out {
		out[i] = register[i] ^ key[8+i]
	}
	block.Encrypt(out, out)
	for i := range out {
		out[i] ^= key[8+i]
	}
	return out
}

// isoBlock is ISO 9564-1 format 0.
func isoBlock(pin, pan string) [8]byte {
	var block [8]byte
	digits := "0" + string("0123456789ABC"[len(pin)]) + pin + "FFFFFFFFFFFFFF"[:14-len(pin)]
	account := "0000" + pan[len(pan)-13:len(pan)-1]
	for i := range block {
		block[i] = (nibble(digits[2*i])<<4 | nibble(digits[2*i+1])) ^ (nibble(account[2*i])<<4 | nibble(account[2*i+1]))
	}
	return block
}

func nibble(c byte) byte {
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}
