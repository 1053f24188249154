package txnstore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// writes counts pwrites of a database; a commit of one leaf has two: the leaf, a sync, the meta page, a sync.
func writes(db *bolt.DB) int64 {
	stats := db.Stats()
	return stats.TxStats.GetWrite()
}

// leafPages counts the pages that hold anything, metas aside.
func leafPages(t testing.TB, db *bolt.DB) (used int) {
	require.NoError(t, db.View(func(tx *bolt.Tx) error {
		for n := 2; n < int(tx.Size()/pageSize); n++ {
			p, err := tx.Page(n)
			if err != nil {
				return err
			}
			if p.Type != "free" {
				used++
			}
		}
		return nil
	}))
	return used
}

// The worst case of hot.db: five records of the longest kind, counters of the longest kind.
func TestFiveFullestRecordsAreOnePageAndTwoWritesACommit(t *testing.T) {
	dir := quickDir(t)
	o := testOptions()
	o.Terminal = "TERMINAL"
	s, _, err := Open(dir, o)
	require.NoError(t, err)
	defer s.Close()
	for i := range hotSlots {
		r := fullest(t)
		r.State = "pending"
		r.Reference = r.Reference[:39] + string(rune('a'+i))
		frame, stored, err := s.codec.encode(copied(r))
		require.NoError(t, err)
		assert.Equal(t, maxRecord, len(frame), "the fullest record uses all there is")
		count := counters{1<<32 - 1, 1<<64 - 1, 1<<64 - 1, maxBatch, 1<<64 - 100 + uint64(i), "TERMINAL"}
		before := writes(s.files.hot.db)
		_, err = s.writeHot(&change{i, frame, stored}, count)
		require.NoError(t, err)
		assert.Equal(t, int64(2), writes(s.files.hot.db)-before)
	}
	before := writes(s.files.hot.db)
	_, err = s.writeHot(nil, s.count)
	require.NoError(t, err)
	assert.Equal(t, int64(2), writes(s.files.hot.db)-before)
	require.NoError(t, s.files.hot.db.View(func(tx *bolt.Tx) error {
		for _, name := range []string{"r0", "r1", "r2", "r3", "r4", "c"} {
			assert.Zero(t, tx.Bucket([]byte(name)).Root(), "bucket %s is inline", name)
		}
		return nil
	}))
	assert.Equal(t, 1, leafPages(t, s.files.hot.db))
	image, err := s.files.hot.read(s.codec)
	require.NoError(t, err)
	for _, found := range image.slots {
		assert.NoError(t, found.err)
	}
}

func TestASaleIsTwoCommitsAndTheHotFileNeverGrows(t *testing.T) {
	t.Parallel()
	dir := quickDir(t)
	s := openQuiet(t, dir)
	for n := range 300 {
		hot, archived := writes(s.files.hot.db), writes(s.files.archive.db)
		sell(t, s, refNumber(n))
		assert.Equal(t, int64(4), writes(s.files.hot.db)-hot)
		assert.Equal(t, archived, writes(s.files.archive.db), "the archive is not written while a customer waits")
		require.NoError(t, s.Tidy())
	}
	for name, size := range map[string]int64{hotName: hotSize, shadowName: shadowSize} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, size, info.Size(), name)
	}
	assert.Equal(t, 1, leafPages(t, s.files.hot.db))
}

func TestTheArchiveGrowsByWrittenZeros(t *testing.T) {
	t.Parallel()
	dir := quickDir(t)
	s := openQuiet(t, dir)
	path := filepath.Join(dir, archiveName)
	size := func() int64 {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Size()
	}
	assert.Equal(t, int64(archiveStep), size())
	for n := 0; size() < 3*archiveStep; n++ {
		require.Less(t, n, 20_000)
		entries := make([]entry, 0, 50)
		for i := range 50 {
			r := usual(t)
			r.ID, r.Reference = txn.ID(1+50*n+i), refNumber(50*n+i)
			frame, stored, err := s.codec.encode(copied(r))
			require.NoError(t, err)
			entries = append(entries, entry{stored, frame})
		}
		require.NoError(t, s.commitArchive(entries, archiveKeep))
		assert.Zero(t, size()%archiveStep, "bbolt never had to grow the file itself")
	}
	if info, err := os.Stat(path); assert.NoError(t, err) {
		assert.GreaterOrEqual(t, allocated(info), info.Size(), "no holes")
	}
}
