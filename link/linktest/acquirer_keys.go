package linktest

import (
	"crypto/cipher"
	"crypto/des"
	"fmt"
	"io"
	"math/bits"
)

// session is the working keys of one terminal since its last sign-in.
type session struct {
	pik []byte // 16 bytes
	mak []byte // 8 bytes

	pinCipher, macCipher cipher.Block // under these
}

func sessionOf(pik, mak []byte) session {
	return session{pik: pik, mak: mak, pinCipher: tripleDES(pik), macCipher: singleDES(mak)}
}

// newSession draws fresh keys with odd parity, as DES keys have it.
func newSession(random io.Reader) (session, error) {
	material := make([]byte, 24)
	if _, err := io.ReadFull(random, material); err != nil {
		return session{}, fmt.Errorf("working keys: %w", err)
	}
	for i, b := range material {
		if bits.OnesCount8(b)%2 == 0 {
			material[i] = b ^ 1
		}
	}
	return sessionOf(material[:16], material[16:]), nil
}

// field62 is PIK 16, check 4, MAK 8, eight zeros, check 4; keys under the master key, checks over eight zero bytes.
func (s session) field62(tmk []byte) []byte {
	master := tripleDES(tmk)
	field := make([]byte, 40)
	ecb(master, field[0:16], s.pik)
	ecb(master, field[20:28], s.mak)
	check := make([]byte, 8)
	ecb(s.pinCipher, check, make([]byte, 8))
	copy(field[16:20], check)
	ecb(s.macCipher, check, make([]byte, 8))
	copy(field[36:40], check)
	return field
}

// mac is field 64 of the dialect.
func (s session) mac(data []byte) string { return fmt.Sprintf("%X", s.folded(data))[:8] }

// folded is the "ECB" MAC of the dialect, step by step as it is published: (a) group the data by eight bytes, zeros behind;
// (b) XOR the groups; (c) write the result as sixteen characters; (d) encrypt the first eight; (e) XOR with the other
// eight; (f) encrypt; (g) write as characters, of which the first eight are field 64.
func (s session) folded(data []byte) []byte {
	var group [8]byte
	for i, b := range data {
		group[i%8] ^= b // zeros behind change nothing
	}
	characters := fmt.Sprintf("%X", group[:])
	result := make([]byte, 8)
	s.macCipher.Encrypt(result, []byte(characters[:8]))
	for i := range result {
		result[i] ^= characters[8+i]
	}
	s.macCipher.Encrypt(result, result)
	return result
}

// chained is the MAC of ANSI X9.9: each group is XORed with what the one before it was encrypted to, and encrypted.
func (s session) chained(data []byte) []byte {
	var last [8]byte
	for len(data) > 0 {
		group := data[:min(8, len(data))]
		for i, b := range group {
			last[i] ^= b
		}
		s.macCipher.Encrypt(last[:], last[:])
		data = data[len(group):]
	}
	return last[:]
}

func ecb(block cipher.Block, dst, src []byte) {
	for i := 0; i < len(src); i += 8 {
		block.Encrypt(dst[i:i+8], src[i:i+8])
	}
}

// The lengths are this file's own, so that a failure here is a mistake in it.
func tripleDES(key16 []byte) cipher.Block {
	block, err := des.NewTripleDESCipher([]byte(string(key16) + string(key16[:8])))
	if err != nil {
		panic("linktest: " + err.Error())
	}
	return block
}

func singleDES(key8 []byte) cipher.Block {
	block, err := des.NewCipher(key8)
	if err != nil {
		panic("linktest: " + err.Error())
	}
	return block
}
