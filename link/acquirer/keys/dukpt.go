package keys

import (
	"bytes"
	"crypto/des"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/bits"
	"strings"
)

// DUKPT with TDES, as ANSI X9.24-1:2009 annex A describes the originating device. From an initial key it keeps up to 21
// future keys, one for each bit of the transaction counter, and nothing else: the initial key is cleared at once and each
// future key with its use, so that a device that falls into wrong hands cannot open what it sent before.
//
//	KSN, 10 bytes   issuer and device 59 bits | counter 21 bits
//
// A counter with more than ten ones is skipped, which leaves about a million keys.

// KSN is a key serial number. It travels beside what was encrypted, and is no secret.
type KSN [10]byte

const (
	counterBits = 21
	counterMask = 1<<counterBits - 1
	mostOnes    = 10
)

func (k KSN) counter() uint32 { return binary.BigEndian.Uint32(k[6:]) & counterMask }

// String is 20 hexadecimal digits.
func (k KSN) String() string { return strings.ToUpper(hex.EncodeToString(k[:])) }

// ParseKSN reads the serial number of an initial key: 20 hexadecimal digits, of which the last 21 bits are zero. The error is
// ErrMasterKey.
func ParseKSN(digits string) (k KSN, err error) {
	if n, err := hex.Decode(k[:], []byte(digits[:min(len(digits), 2*len(k))])); err != nil || n != len(k) || len(digits) != 2*len(k) {
		return KSN{}, fmt.Errorf("%w: a DUKPT serial number is %d hexadecimal digits", ErrMasterKey, 2*len(k))
	}
	return k, k.checkInitial()
}

// checkInitial refuses what cannot be the serial number of an initial key.
func (k KSN) checkInitial() error {
	if k.counter() != 0 || k == (KSN{}) {
		return fmt.Errorf("%w: the serial number of a DUKPT initial key ends in 21 bits of zero, and is not zero as a whole", ErrMasterKey)
	}
	return nil
}

// Left is how far the counter is from its last value. About every other counter on the way is a key's.
func (k KSN) Left() uint32 {
	if k.counter() == 0 {
		return 0
	}
	return counterMask - k.counter() + 1
}

// with is the serial number with another counter.
func (k KSN) with(counter uint32) KSN {
	rest := binary.BigEndian.Uint32(k[6:]) &^ uint32(counterMask)
	binary.BigEndian.PutUint32(k[6:], rest|counter)
	return k
}

// Masks of the uses of a transaction key, the same for both halves (X9.24-1:2009, table A-1), and the one that separates
// the halves of a key during derivation (annex A.2).
const (
	maskPIN          uint64 = 0x00000000000000FF
	maskMACRequest   uint64 = 0x000000000000FF00
	maskMACResponse  uint64 = 0x00000000FF000000
	maskDataRequest  uint64 = 0x0000000000FF0000
	maskDataResponse uint64 = 0x000000FF00000000

	maskDerive uint64 = 0xC0C0C0C000000000
)

// DUKPT is a device's family of keys. It is used by one goroutine. What it holds does not print.
type DUKPT struct{ held **dukptRegisters }

type dukptRegisters struct {
	ksn    KSN
	future [counterBits][]byte // by bit of the counter, the lowest first; nil is used up
}

// NewDUKPT takes an initial key of 16 bytes with its serial number, whose counter must be zero. The caller clears its own
// bytes.
func NewDUKPT(initial []byte, ksn KSN) (*DUKPT, error) {
	if len(initial) != DoubleLength {
		return nil, fmt.Errorf("%w: a DUKPT initial key has %d bytes, not %d", ErrMasterKey, DoubleLength, len(initial))
	}
	if err := ksn.checkInitial(); err != nil {
		return nil, err
	}
	r := &dukptRegisters{ksn: ksn}
	r.derive(initial, counterBits-1)
	r.ksn = ksn.with(1)
	return &DUKPT{&r}, nil
}

// TransactionKey is the key of one transaction. Take what the transaction needs of it, then Destroy it.
type TransactionKey struct {
	KSN KSN
	key Key
}

// Next gives the key of the next transaction and forgets it. The error is ErrExhausted.
func (d *DUKPT) Next() (TransactionKey, error) {
	r := *d.held
	count := r.ksn.counter()
	if count == 0 {
		return TransactionKey{}, ErrExhausted
	}
	low := bits.TrailingZeros32(count)
	current := r.future[low]
	r.future[low] = nil
	next := count + 1<<low // all counters between would have too many ones
	if bits.OnesCount32(count) < mostOnes {
		r.derive(current, low-1)
		next = count + 1
	}
	used := r.ksn
	r.ksn = r.ksn.with(next & counterMask) // beyond the last counter lies zero, which is the end
	return TransactionKey{used, newKey(current, false)}, nil
}

// derive fills the future keys of a bit of the counter and of all below it from the key of the counter as it stands.
func (r *dukptRegisters) derive(from []byte, bit int) {
	for ; bit >= 0; bit-- {
		clear(r.future[bit])
		r.future[bit] = nonReversible(from, r.ksn.with(r.ksn.counter()|1<<bit))
	}
}

// nonReversible is the key generation of annex A.2: the lower eight bytes of the serial number, encrypted twice.
func nonReversible(from []byte, ksn KSN) []byte {
	half := func(mask uint64) []byte {
		k := masked(from, mask)
		defer clear(k)
		left, err := des.NewCipher(k[:SingleLength])
		if err != nil {
			panic("keys: half of a double-length key is no DES key")
		}
		out := make([]byte, SingleLength)
		subtle.XORBytes(out, ksn[2:], k[SingleLength:])
		left.Encrypt(out, out)
		subtle.XORBytes(out, out, k[SingleLength:])
		return out
	}
	right, left := half(0), half(maskDerive)
	defer clear(right)
	return append(left, right...)
}

// masked is a key with both halves changed by a mask.
func masked(key []byte, mask uint64) []byte {
	out := bytes.Clone(key)
	for half := 0; half < len(out); half += SingleLength {
		binary.BigEndian.PutUint64(out[half:], binary.BigEndian.Uint64(out[half:])^mask)
	}
	return out
}

// Destroy clears every key that is left; Next then says ErrExhausted.
func (d *DUKPT) Destroy() {
	r := *d.held
	for bit := range r.future {
		clear(r.future[bit])
		r.future[bit] = nil
	}
	r.ksn = r.ksn.with(0)
}

// Format shows the serial number of the next key.
func (d *DUKPT) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[DUKPT %X]", (*d.held).ksn[:]) }

// PIN, MACRequest and MACResponse are variants of the transaction key; DataRequest and DataResponse are variants
// encrypted under themselves besides (annex A.4.1), so that data keys say nothing about the others.
func (t TransactionKey) PIN() (Key, error)          { return t.variant(maskPIN, false) }
func (t TransactionKey) MACRequest() (Key, error)   { return t.variant(maskMACRequest, false) }
func (t TransactionKey) MACResponse() (Key, error)  { return t.variant(maskMACResponse, false) }
func (t TransactionKey) DataRequest() (Key, error)  { return t.variant(maskDataRequest, true) }
func (t TransactionKey) DataResponse() (Key, error) { return t.variant(maskDataResponse, true) }

func (t TransactionKey) variant(mask uint64, oneWay bool) (k Key, err error) {
	err = t.key.lend(func(m *material) {
		b := masked(m.bytes, mask)
		if oneWay {
			encryptECB((&material{bytes: b}).block(), b, b)
		}
		k = newKey(b, false)
	})
	return k, err
}

// Destroy clears the transaction key. What was taken of it stays.
func (t TransactionKey) Destroy() { t.key.Destroy() }

// Format shows the serial number and nothing of the key.
func (t TransactionKey) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, fmt.Sprintf("[DUKPT %X]", t.KSN[:]))
}
