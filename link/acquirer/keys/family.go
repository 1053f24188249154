package keys

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/bits"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A DUKPT family outlives the power in a sealed file, and no counter of it is used twice. What lies on the disk is always
// ahead of what was given out:
//
//	counters   1 ... 16   17 ... 26   27 ...
//	           given out  reserved    on the disk
//	                      in memory
//
// Ten keys are derived at a time; before the first of them is given out the file holds the state behind the last, synced. A
// power cut costs the rest of the ten and repeats none, nine sales of ten wait for no disk, and whoever takes the file away
// finds in it no key that was ever used. It may not be put back from a copy: that is the one way to use a counter twice.
//
//	layout 1 | serial number of the next key 10 | check value of the initial key 4 | begun, Unix seconds 8
//	| for each bit of the counter: 1 and a future key of 16, or 17 zeros
const (
	familyLayout = 1
	familyLength = 1 + 10 + 4 + 8 + counterBits*(1+DoubleLength)
	reserved     = 10
)

// FamilyFile is where a family lies. Files of it stand under the names of a File, and NAME.lock keeps two processes apart.
type FamilyFile struct{ sealedFile }

// NewFamilyFile names the file of a terminal's DUKPT keys, sealed under a device key of 32 bytes. It touches nothing.
func NewFamilyFile(path string, device []byte, terminal string) (*FamilyFile, error) {
	s, err := newSealer(device, terminal, purposeFamily)
	if err != nil {
		return nil, err
	}
	return &FamilyFile{sealedFile{path, s}}, nil
}

// locked does something to the file with no other process at it. It waits: nobody holds the lock for longer than that takes.
func (f *FamilyFile) locked(do func() error) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	return withFile(f.path+".lock", os.O_RDWR|os.O_CREATE, func(lock *os.File) error {
		if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
			return err
		}
		return do()
	})
}

// begin starts a family and ends the one that lay here.
func (f *FamilyFile) begin(initial Key, ksn KSN, now time.Time) error {
	secret, err := initial.Secret()
	if err != nil {
		return err
	}
	defer clear(secret)
	device, err := NewDUKPT(secret, ksn)
	if err != nil {
		return err
	}
	family := &Family{file: f, device: device, check: initial.CheckValue(), since: now}
	defer family.Destroy()
	return f.locked(family.saveLocked)
}

// Load reads the family and gives none of its keys yet. Errors: ErrNoKeys, ErrDestroyed, ErrSealed, ErrForm, or what the
// system said.
func (f *FamilyFile) Load() (*Family, error) {
	sealed, err := readPrivate(f.path)
	if err != nil {
		return nil, err
	}
	text, err := f.sealer.openText(sealed)
	if err != nil {
		return nil, about(f.path, err)
	}
	defer clear(text)
	family, err := decodeFamily(text)
	if err != nil {
		return nil, about(f.path, err)
	}
	family.file, family.sealed = f, sealed
	return family, nil
}

// Destroy ends the family, also while another process uses it: that one gives no key any more once its reserve is used up.
func (f *FamilyFile) Destroy() error {
	there := false
	for _, name := range []string{"", newName, oldName} {
		one, err := isThere(f.path + name)
		there = there || one || err != nil
	}
	if !there {
		return nil
	}
	return f.locked(f.sealedFile.Destroy)
}

// Mend ends what an interrupted save left beside the family.
func (f *FamilyFile) Mend() error {
	if there, err := isThere(filepath.Dir(f.path)); err != nil || !there {
		return err
	}
	return f.locked(f.sealedFile.Mend)
}

// Family is a DUKPT family in use. It may be used from any goroutine, and what it holds does not print.
type Family struct {
	file  *FamilyFile
	check CheckValue
	since time.Time

	mu      sync.Mutex
	sealed  []byte // what lies on the disk
	device  *DUKPT // behind everything in reserve
	reserve []TransactionKey
	saved   bool // the disk is behind the reserve
}

// CheckValue is that of the initial key, which is not kept.
func (f *Family) CheckValue() CheckValue { return f.check }

// Since is when the initial key was loaded, by the terminal's clock.
func (f *Family) Since() time.Time { return f.since }

// KSN is the serial number of the next key. The zero KSN is that of a family without one.
func (f *Family) KSN() KSN {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.reserve) > 0 {
		return f.reserve[0].KSN
	}
	if ksn := (*f.device.held).ksn; ksn.counter() != 0 {
		return ksn
	}
	return KSN{}
}

// Next gives the key of one message, whose counter is used up from here on, whatever becomes of the message. The caller
// destroys it. Errors: ErrExhausted, ErrChanged, or what the disk said; then no counter was given out.
func (f *Family) Next() (TransactionKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.reserve) < reserved && !f.saved {
		k, err := f.device.Next()
		if err != nil {
			break
		}
		f.reserve = append(f.reserve, k)
	}
	if len(f.reserve) == 0 {
		return TransactionKey{}, fmt.Errorf("%w; load a new initial key: posagent keys load -dukpt SERIAL", ErrExhausted)
	}
	if !f.saved {
		// A save that failed may have taken place or not. Its keys stay in reserve, and no counter is lost by trying again.
		if err := f.file.locked(f.advanceLocked); err != nil {
			return TransactionKey{}, fmt.Errorf("the DUKPT counter cannot be kept: %w", err)
		}
		f.saved = true
	}
	k := f.reserve[0]
	f.reserve = f.reserve[1:]
	f.saved = len(f.reserve) > 0
	return k, nil
}

// advanceLocked replaces the family on the disk if it is still the one that this process has begun with, or wrote.
func (f *Family) advanceLocked() error {
	there, err := readPrivate(f.file.path)
	switch {
	case errors.Is(err, ErrNoKeys), err == nil && !bytes.Equal(there, f.sealed):
		return fmt.Errorf("%w; restart posagent run", ErrChanged)
	case err != nil:
		return err
	}
	return f.saveLocked()
}

func (f *Family) saveLocked() error {
	text := f.encode()
	defer clear(text)
	before, sealed := f.sealed, f.file.sealer.sealText(text)
	f.sealed = sealed
	err := f.file.replace(sealed, text)
	if err != nil {
		if there, unread := readPrivate(f.file.path); unread != nil || !bytes.Equal(there, sealed) {
			f.sealed = before
		}
	}
	return err
}

// Destroy clears every key in memory; Next then says ErrExhausted. The file stays.
func (f *Family) Destroy() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.reserve {
		k.Destroy()
	}
	f.reserve, f.saved = nil, false
	f.device.Destroy()
}

// Format shows the check value of the initial key and nothing else.
func (f *Family) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "[DUKPT "+f.check.String()+"]")
}

// LogValue shows the same to the log.
func (f *Family) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(f)) }

// encode gives bytes with keys in clear; the caller clears them.
func (f *Family) encode() []byte {
	r := *f.device.held
	b := make([]byte, 0, familyLength)
	b = append(append(append(b, familyLayout), r.ksn[:]...), f.check[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(f.since.Unix()))
	for _, key := range r.future {
		if key == nil || r.ksn.counter() == 0 { // of a family that is used up only its number is kept
			b = append(b, make([]byte, 1+DoubleLength)...)
		} else {
			b = append(append(b, 1), key...)
		}
	}
	return b
}

// decodeFamily reads what encode wrote. The caller clears b.
func decodeFamily(b []byte) (*Family, error) {
	in := &reader{b: b}
	layout := in.take(1)
	r := &dukptRegisters{ksn: KSN(in.take(len(KSN{})))}
	check, since := CheckValue(in.take(len(CheckValue{}))), time.Unix(int64(in.number()), 0).UTC()
	for bit := range r.future {
		if has, key := in.take(1), in.take(DoubleLength); has[0] == 1 {
			r.future[bit] = bytes.Clone(key)
		}
	}
	if in.bad || len(in.b) != 0 || layout[0] != familyLayout || !r.whole() {
		return nil, fmt.Errorf("%w: what they hold is no DUKPT family of this version", ErrSealed)
	}
	return &Family{check: check, since: since, device: &DUKPT{&r}}, nil
}

// whole reports whether every key is there from which the counters to come are derived: that of the present counter, and
// those of the bits above that it has not set yet.
func (r *dukptRegisters) whole() bool {
	count := r.ksn.counter()
	if count == 0 {
		return true // used up
	}
	low := bits.TrailingZeros32(count)
	for bit := low; bit < counterBits; bit++ {
		if r.future[bit] == nil && (bit == low || count&(1<<bit) == 0) {
			return false
		}
	}
	return bits.OnesCount32(count) <= mostOnes
}
