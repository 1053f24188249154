package txnstore

import (
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// leaves are the pages of hot.db that hold, or held, its one leaf: bbolt goes round three.
var leaves = []int{2, 3, 4}

// An older leaf stands where the root looks for the newest one, and the last commit's block of shadow is gone too: what was
// begun in it is not forgotten without a word.
func TestALeafOfAnEarlierCommitInHotIsTold(t *testing.T) {
	tried := 0
	for _, older := range leaves {
		for _, newest := range leaves {
			s := openQuiet(t, quickDir(t))
			before := contents(t, s.dir)
			last := mustBegin(t, s, "one")
			after := contents(t, s.dir)
			if older == newest || string(before[hotName][newest*pageSize:(newest+1)*pageSize]) == string(after[hotName][newest*pageSize:(newest+1)*pageSize]) {
				continue
			}
			dir := quickDir(t)
			photograph(t, s.dir, dir)
			patch(t, filepath.Join(dir, hotName), func(b []byte) []byte {
				copy(b[newest*pageSize:], b[older*pageSize:(older+1)*pageSize])
				binary.NativeEndian.PutUint64(b[newest*pageSize:], uint64(newest))
				return b
			})
			block := changedBlocks(before[shadowName], after[shadowName])[0]
			patch(t, filepath.Join(dir, shadowName), func(b []byte) []byte { clear(b[block*pageSize : (block+1)*pageSize]); return b })
			next, report := mustOpen(t, dir)
			says(t, report, "numbers 1 to 100 and as many STANs are passed over")
			assert.Greater(t, mustBegin(t, next, "two").ID, last.ID)
			require.NoError(t, next.Close())
			tried++
		}
	}
	assert.Equal(t, len(leaves)-1, tried)
}

// The very first commit of hot.db, a boot, reached shadow only.
func TestALostFirstCommitOfHotIsTold(t *testing.T) {
	dir := quickDir(t)
	require.NoError(t, makeDir(dir))
	_, err := prepare(dir, must(testOptions().check()).seals)
	require.NoError(t, err)
	born := contents(t, dir)
	s := openQuiet(t, dir)
	lied := quickDir(t)
	photograph(t, s.dir, lied)
	patch(t, filepath.Join(lied, hotName), func([]byte) []byte { return born[hotName] })
	next, report := mustOpen(t, lied)
	says(t, report, "the last commit is in shadow and not in hot.db")
	assert.Equal(t, uint32(2), next.Boot())
	require.NoError(t, next.Close())
}

// Nobody can say any more how far the counters of hot.db had gone: the last sale's slot and the copies are damaged with them.
func TestWhereNobodyKnowsTheNumbersTheyArePassedOver(t *testing.T) {
	for _, hurt := range []struct {
		words  string
		shadow func([]byte) []byte
	}{
		{"shadow was put aside", func(b []byte) []byte { return b[:5*pageSize] }},
		{"of shadow is torn or damaged", func(b []byte) []byte {
			for n := range identityBlock {
				b[n*pageSize+100] ^= 1
			}
			return b
		}},
	} {
		dir := quickDir(t)
		s, _ := mustOpen(t, dir)
		last := mustBegin(t, s, "one")
		require.NoError(t, s.Close())
		spoilHot(t, dir, slotBucket(0), slotKey)
		spoilHot(t, dir, counterBucket, counterKey)
		patch(t, filepath.Join(dir, shadowName), hurt.shadow)
		s, report := mustOpen(t, dir)
		says(t, report, hurt.words)
		says(t, report, "and as many STANs are passed over")
		assert.Greater(t, mustBegin(t, s, "two").ID, last.ID)
		require.NoError(t, s.Close())
	}
}
