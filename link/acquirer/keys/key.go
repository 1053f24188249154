package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
)

// Lengths of keys, in bytes.
const (
	SingleLength = 8  // DES
	DoubleLength = 16 // TDES with two keys, AES-128
)

// Key is a DES key of 8 bytes, a TDES key of 16, or an AES key of 16. It shows its check value and nothing else. The zero
// Key is none. Copies share the material: destroying one destroys all, and Go's collector clears what nobody holds any
// more. It may be used from any goroutine.
//
// The material is behind two pointers: fmt, given a wrong verb or an unexported field, follows one.
type Key struct{ held **material }

type material struct {
	aes   bool
	check CheckValue

	mu    sync.RWMutex
	bytes []byte // nil once destroyed
}

// CheckValue is how two people tell that they hold the same key without seeing it: for a DES key the first four bytes of
// eight zero bytes encrypted with it (ANSI X9.24-1, annex on key check values), for an AES key those of the CMAC of
// sixteen zero bytes (ANSI X9.24-1:2017). Sheets often give the first three bytes.
type CheckValue [4]byte

func (c CheckValue) String() string { return strings.ToUpper(hex.EncodeToString(c[:])) }

// newKey takes over material: the caller must not use it any more. Its length is the caller's own.
func newKey(b []byte, isAES bool) Key {
	m := &material{aes: isAES, bytes: b}
	zeros := make([]byte, DoubleLength)
	if isAES {
		sum := cmac(m.block(), zeros)
		m.check = CheckValue(sum[:])
	} else {
		m.block().Encrypt(zeros[:des.BlockSize], zeros[:des.BlockSize])
		m.check = CheckValue(zeros)
	}
	runtime.AddCleanup(m, func(b []byte) { clear(b) }, b)
	return Key{&m}
}

// block builds the block cipher: DES for 8 bytes, TDES with K1 K2 K1 or AES for 16.
func (m *material) block() cipher.Block {
	var block cipher.Block
	var err error
	switch {
	case m.aes:
		block, err = aes.NewCipher(m.bytes)
	case len(m.bytes) == SingleLength:
		block, err = des.NewCipher(m.bytes)
	default:
		triple := append(bytes.Clone(m.bytes), m.bytes[:SingleLength]...)
		block, err = des.NewTripleDESCipher(triple)
		clear(triple)
	}
	if err != nil {
		panic("keys: a key of a length that newKey's callers never make") // our own mistake, before any message
	}
	return block
}

// use lends the cipher. It fails with ErrDestroyed, and with ErrNoKeys on the zero Key.
func (k Key) use(do func(cipher.Block)) error {
	return k.lend(func(m *material) { do(m.block()) })
}

// useHalves lends both halves of a DES key, for X9.9 and X9.19. A single-length key is its own second half.
func (k Key) useHalves(do func(left, right cipher.Block)) error {
	return k.lend(func(m *material) {
		half := func(b []byte) cipher.Block { return (&material{bytes: b}).block() }
		do(half(m.bytes[:SingleLength]), half(m.bytes[len(m.bytes)-SingleLength:]))
	})
}

func (k Key) lend(do func(*material)) error {
	if k.held == nil {
		return ErrNoKeys
	}
	m := *k.held
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.bytes == nil {
		return ErrDestroyed
	}
	do(m)
	return nil
}

// IsZero reports whether there is no key, or none any more.
func (k Key) IsZero() bool { return k.lend(func(*material) {}) != nil }

// isAES reports whether the key is an AES key.
func (k Key) isAES() bool { return k.held != nil && (*k.held).aes }

// CheckValue is what may be shown of the key. It outlives the key's destruction.
func (k Key) CheckValue() CheckValue {
	if k.held == nil {
		return CheckValue{}
	}
	return (*k.held).check
}

// Destroy clears the material of this key and of all its copies. It waits for a use in progress.
func (k Key) Destroy() {
	if k.held == nil {
		return
	}
	m := *k.held
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.bytes)
	m.bytes = nil
}

// Secret is a copy of the material for one who must hand it on, and clears it afterwards.
func (k Key) Secret() (s Secret, err error) {
	err = k.lend(func(m *material) { s = bytes.Clone(m.bytes) })
	return s, err
}

func (k Key) String() string {
	if k.held == nil {
		return "[no key]"
	}
	return "[key " + k.CheckValue().String() + "]"
}

// Format shows the check value under every verb.
func (k Key) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, k.String()) }
func (k Key) GoString() string             { return k.String() }
func (k Key) LogValue() slog.Value         { return slog.StringValue(k.String()) }
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
func (k *Key) UnmarshalText(_ []byte) error {
	return fmt.Errorf("%w: a key is not read from text", ErrMasterKey)
}

// Secret is key material on its way: bytes that do not print. Whoever holds one clears it.
type Secret []byte

func (s Secret) String() string               { return fmt.Sprintf("[secret of %d bytes]", len(s)) }
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, s.String()) }
func (s Secret) GoString() string             { return s.String() }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
func (s Secret) GobEncode() ([]byte, error)   { return []byte(s.String()), nil }
