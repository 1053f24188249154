package txnstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"syscall"
)

// shadow is the second copy of what hot.db commits: sixteen blocks, each written by one pwrite that is on the disk when it
// returns (O_DSYNC). Slot n of hot.db has blocks 3n to 3n+2 and goes round them, so a torn write never destroys the
// version before it. Block 15 is the identity and is written at birth.
//
//	 0         4         5       6                                            4092     4096
//	┌─────────┬─────────┬───────┬────────────────┬──────────────────┬────────┬────────┐
//	│ 'pTSH'  │ version │ block │ counters frame │ record frame, or │ zeros  │ CRC32C │
//	│         │         │ number│                │ identity, or none│        │        │
//	└─────────┴─────────┴───────┴────────────────┴──────────────────┴────────┴────────┘
//
// A commit that changes no record (a STAN for a sign-in, a boot) writes the block of a slot in turn, with the record that
// slot holds.
const (
	shadowName    = "shadow"
	shadowBlocks  = 16
	shadowSize    = shadowBlocks * pageSize
	shadowTurns   = 3
	identityBlock = 15

	blockMagic   = "pTSH"
	blockVersion = 1
	blockHeader  = 6
	blockEnd     = pageSize - 4
)

var errEmptyBlock = errors.New("never written")

// block is a decoded block; frame is a record's or the identity's, or empty, and points into what was decoded.
type block struct {
	count counters
	frame []byte
}

// putBlock appends a block to nothing, in a room that may be used again.
func putBlock(room []byte, number int, count counters, frame []byte) []byte {
	b := slices.Grow(room[:0], pageSize)
	b = append(append(b, blockMagic...), blockVersion, byte(number))
	b = append(append(b, count.frame()...), frame...)
	b = append(b, make([]byte, blockEnd-len(b))...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func openBlock(number int, b []byte) (block, error) {
	switch {
	case len(b) != pageSize:
		return block{}, fmt.Errorf("block of %d bytes", len(b))
	case allZero(b):
		return block{}, errEmptyBlock
	case string(b[:4]) != blockMagic || binary.BigEndian.Uint32(b[blockEnd:]) != crc32.Checksum(b[:blockEnd], castagnoli):
		return block{}, errors.New("checksum does not match")
	case b[4] != blockVersion:
		return block{}, fmt.Errorf("block version %d, this program reads %d", b[4], blockVersion)
	case int(b[5]) != number:
		return block{}, fmt.Errorf("block %d stands here", b[5])
	}
	payload, rest, err := cutFrame(countersFrame, b[blockHeader:blockEnd])
	if err != nil {
		return block{}, fmt.Errorf("counters: %w", err)
	}
	count, err := readCounters(payload)
	if err != nil {
		return block{}, err
	}
	if allZero(rest) {
		return block{count, nil}, nil
	}
	kind := recordFrame
	if number == identityBlock {
		kind = identityFrame
	}
	_, after, err := cutFrame(kind, rest)
	if err != nil || !allZero(after) {
		return block{}, errors.New("content is not well formed")
	}
	return block{count, rest[:len(rest)-len(after)]}, nil
}

func allZero(b []byte) bool { return bytes.Count(b, []byte{0}) == len(b) }

// shadowFile is the open file. Its owner serialises writes.
type shadowFile struct {
	f    *os.File
	room []byte        // of the block that was written last
	turn [hotSlots]int // block written last, 0 to 2

	newest [hotSlots]uint64 // number of the commit in that block
}

func openShadow(path string, readOnly bool) (*shadowFile, error) {
	flags := os.O_RDWR | syscall.O_DSYNC
	if readOnly {
		flags = os.O_RDONLY
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", shadowName, err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != shadowSize {
		_ = f.Close()
		if err == nil {
			err = damaged(path, fmt.Sprintf("has %d bytes instead of %d", info.Size(), shadowSize))
		}
		return nil, err
	}
	return &shadowFile{f: f}, nil
}

// shadowImage is what the file holds, decoded.
type shadowImage struct {
	identity identity
	idErr    error
	count    counters // the highest of all blocks
	slots    [hotSlots]found
	newest   [hotSlots]uint64 // number of the commit in each slot's newest block
	vacant   [hotSlots]bool   // that block says that the slot holds nothing that is live
	bad      []int            // blocks that are neither whole nor empty
	used     bool             // a block was written after birth
}

func (s *shadowFile) read(c *codec) (shadowImage, error) {
	image := shadowImage{idErr: errEmptyBlock}
	for i := range image.slots {
		image.slots[i].err = errEmptyRecord
	}
	b := make([]byte, pageSize)
	for n := range shadowBlocks {
		if _, err := s.f.ReadAt(b, int64(n)*pageSize); err != nil {
			return image, fmt.Errorf("read %s: %w", shadowName, err)
		}
		blk, err := openBlock(n, b)
		if errors.Is(err, errEmptyBlock) {
			continue
		}
		if n == identityBlock {
			image.idErr = err
			if err == nil {
				image.identity, image.idErr = openIdentity(blk.frame)
			}
		} else {
			image.used = true
		}
		if err != nil {
			image.bad = append(image.bad, n)
			continue
		}
		image.count = image.count.raised(blk.count)
		if n == identityBlock {
			continue
		}
		slot, turn := n/shadowTurns, n%shadowTurns
		if blk.count.Commit >= image.newest[slot] {
			image.newest[slot], s.turn[slot], image.vacant[slot] = blk.count.Commit, turn, len(blk.frame) == 0
		}
		if len(blk.frame) > 0 {
			image.slots[slot] = newer(image.slots[slot], decodeFound(c, blk.frame))
		}
	}
	s.newest = image.newest
	return image, nil
}

// newer prefers a record to none, one that can be read to one that cannot, a later transaction, a later version.
func newer(a, b found) found {
	switch {
	case b.err != nil && (a.err == nil || errors.Is(b.err, errEmptyRecord)):
		return a
	case b.err != nil || a.err != nil:
		return b
	case b.ID > a.ID || b.ID == a.ID && b.Gen > a.Gen:
		return b
	}
	return a
}

// write puts the next version of a slot's block and returns when it is on the disk.
func (s *shadowFile) write(slot int, count counters, frame []byte) error {
	turn := (s.turn[slot] + 1) % shadowTurns
	number := slot*shadowTurns + turn
	if err := s.put(number, count, frame); err != nil {
		return err
	}
	s.turn[slot], s.newest[slot] = turn, count.Commit
	return nil
}

func (s *shadowFile) put(number int, count counters, frame []byte) error {
	s.room = putBlock(s.room, number, count, frame)
	if _, err := s.f.WriteAt(s.room, int64(number)*pageSize); err != nil {
		return fmt.Errorf("write %s: %w", shadowName, err)
	}
	return nil
}

func (s *shadowFile) close() error { return s.f.Close() }
