package txnstore

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func changedBlocks(a, b []byte) (numbers []int) {
	for n := range shadowBlocks {
		if !bytes.Equal(a[n*pageSize:(n+1)*pageSize], b[n*pageSize:(n+1)*pageSize]) {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// Marks raise a version without a block being written, and still no commit writes over the version before it.
func TestACommitWritesOneBlockAndNotThatOfTheVersionBefore(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	path := filepath.Join(s.dir, shadowName)
	read := func() []byte {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return b
	}
	r := mustBegin(t, s, "till-1")
	last := -1
	for n := range 20 {
		for range n % 5 {
			_, err := s.Mark(r.ID, func(x *txn.Txn) { x.Tries.Unsent++ })
			require.NoError(t, err)
		}
		before := read()
		_, err := s.Update(r.ID, func(x *txn.Txn) { x.Tries.Made++ })
		require.NoError(t, err)
		blocks := changedBlocks(before, read())
		require.Len(t, blocks, 1)
		assert.Less(t, blocks[0], shadowTurns, "a block of slot 0")
		assert.NotEqual(t, last, blocks[0])
		last = blocks[0]
	}
	assert.Empty(t, unreadable(s, read()))
}

// unreadable lists blocks that do not open.
func unreadable(s *Store, b []byte) (bad []int) {
	for n := range shadowBlocks {
		blk, err := openBlock(n, b[n*pageSize:(n+1)*pageSize])
		if err == errEmptyBlock {
			continue
		}
		if err == nil && n != identityBlock && len(blk.frame) > 0 {
			_, err = s.codec.decode(blk.frame)
		}
		if err != nil {
			bad = append(bad, n)
		}
	}
	return bad
}

// Once the two have disagreed, Open makes shadow whole: a hot.db that is lost afterwards costs nothing.
func TestShadowIsBroughtLevelAtOpen(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	r := mustBegin(t, s, "till-1")
	mustBegin(t, s, "till-2")
	dir := without(t, s, shadowName, func() { r = mustAdvance(t, s, r.ID, txn.Reversing, nil) })
	mustOpenClosed(t, dir)
	spoilHot(t, dir, slotBucket(0), slotKey)
	next, report := mustOpen(t, dir)
	says(t, report, "taken from shadow: reversing")
	got, err := next.Get(r.ID)
	require.NoError(t, err)
	assert.Equal(t, r, got)
	require.NoError(t, next.Close())
}

func TestTornBlocksAreWrittenAgain(t *testing.T) {
	dir := traded(t, 6)
	patch(t, filepath.Join(dir, shadowName), func(b []byte) []byte {
		for n := range identityBlock {
			b[n*pageSize+100] ^= 0xFF
		}
		return b
	})
	_, report := mustOpenClosed(t, dir)
	says(t, report, "of shadow is torn or damaged")
	_, report = mustOpenClosed(t, dir)
	assert.Empty(t, report.Findings)
	spoilHot(t, dir, slotBucket(0), slotKey)
	spoilHot(t, dir, slotBucket(2), slotKey)
	s, report := mustOpen(t, dir)
	assert.Equal(t, 1, report.Owed, "the open transaction is in shadow again")
	require.NoError(t, s.Close())
}

func TestABlockKnowsItsPlace(t *testing.T) {
	b := putBlock(nil, 3, newCounters("T1234567"), nil)
	_, err := openBlock(3, b)
	require.NoError(t, err)
	_, err = openBlock(4, b)
	assert.Error(t, err, "a misdirected write is told")
	for bit := range 8 * pageSize {
		hurt := bytes.Clone(b)
		hurt[bit/8] ^= 1 << (bit % 8)
		if _, err := openBlock(3, hurt); err == nil {
			t.Fatalf("bit %d flipped and nobody noticed", bit)
		}
	}
}

// sealBlock puts content into a block with a good checksum.
func sealBlock(number int, content []byte) []byte {
	b := append([]byte(blockMagic), blockVersion, byte(number))
	b = append(b, content...)
	b = append(b, make([]byte, blockEnd-len(b))...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}
