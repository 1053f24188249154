package agent

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Marks are two facts that must be durable within milliseconds, when the store may be in the middle of a commit: that the
// power failed, and in the middle of what; and that the case was opened. Each has its own block of a file that is written
// in place, synced by the write itself.
//
//	0     CRC-32 of what follows, length, JSON      the power failed
//	4096  the same                                  the case was opened
//
// A block of zeros is no mark. A block that is torn is a mark that cannot be read: of the case that counts as opened, of the
// power it is told and forgotten. A nil *Marks keeps nothing, for terminals without such lines.
type Marks struct {
	mu   sync.Mutex
	file *os.File
}

// Mark is one of them.
type Mark struct {
	At    time.Time   `json:"at"`
	Boot  uint32      `json:"boot"`
	Stage words.Stage `json:"stage,omitempty"`
	ID    txn.ID      `json:"id,omitempty"`
}

const (
	markBlock = 4096
	powerAt   = 0
	tamperAt  = markBlock
)

var errTornMark = errors.New("the block is torn")

// OpenMarks opens the file, or makes it.
func OpenMarks(path string) (*Marks, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_SYNC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeMarks(path); err == nil {
			f, err = os.OpenFile(path, os.O_RDWR|os.O_SYNC, 0)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("marks: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() != 2*markBlock {
		err = fmt.Errorf("marks: %s has %d bytes, not %d: it is not this program's; put it aside", path, info.Size(), 2*markBlock)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Marks{file: f}, nil
}

// makeMarks makes the file whole or not at all, so that a mark later changes no size and no directory.
func makeMarks(path string) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 2*markBlock))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Close closes the file.
func (k *Marks) Close() error {
	if k == nil {
		return nil
	}
	return k.file.Close()
}

// SetPower marks that the power failed. Later ones replace it.
func (k *Marks) SetPower(m Mark) error { return k.set(powerAt, &m) }

// ClearPower takes that back.
func (k *Marks) ClearPower() error { return k.set(powerAt, nil) }

// Power reads what the power failed in the middle of.
func (k *Marks) Power() (m Mark, found bool, err error) { return k.get(powerAt) }

// SetTampered marks that the case was opened, for all later starts.
func (k *Marks) SetTampered(at time.Time, boot uint32) error {
	return k.set(tamperAt, &Mark{At: at, Boot: boot})
}

// ClearTampered is a technician's deed.
func (k *Marks) ClearTampered() error { return k.set(tamperAt, nil) }

// Tampered reports whether the case was opened.
func (k *Marks) Tampered() (bool, error) {
	_, found, err := k.get(tamperAt)
	return found, err
}

func (k *Marks) set(at int64, m *Mark) error {
	if k == nil {
		return nil
	}
	block := make([]byte, markBlock)
	if m != nil {
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint32(block[4:], uint32(len(text)))
		copy(block[8:], text)
		binary.BigEndian.PutUint32(block, crc32.ChecksumIEEE(block[4:8+len(text)]))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	_, err := k.file.WriteAt(block, at)
	return err
}

func (k *Marks) get(at int64) (m Mark, found bool, err error) {
	if k == nil {
		return Mark{}, false, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	block := make([]byte, markBlock)
	if _, err := k.file.ReadAt(block, at); err != nil && !errors.Is(err, io.EOF) {
		return Mark{}, false, err
	}
	return readMark(block)
}

func readMark(block []byte) (m Mark, found bool, err error) {
	if len(block) != markBlock {
		return Mark{}, false, errTornMark
	}
	if bytes.Equal(block, make([]byte, markBlock)) {
		return Mark{}, false, nil
	}
	length := binary.BigEndian.Uint32(block[4:])
	if length > markBlock-8 || crc32.ChecksumIEEE(block[4:8+length]) != binary.BigEndian.Uint32(block) {
		return Mark{}, false, errTornMark
	}
	if err := json.Unmarshal(block[8:8+length], &m); err != nil {
		return Mark{}, false, fmt.Errorf("%w: %w", errTornMark, err)
	}
	return m, true, nil
}
