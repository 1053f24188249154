package txnstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// trading is a running store with some history, the last archived record and a finished one still in a slot.
func trading(t testing.TB, sales int) *Store {
	s := openQuiet(t, quickDir(t))
	for n := range sales {
		sell(t, s, refNumber(n))
		require.NoError(t, s.Tidy())
	}
	return s
}

// mixed is a photograph of a store in which each page of one file is the one before or the one after a deed.
func mixed(t testing.TB, s *Store, name string, before []byte, keepOld func(page int) bool) (dir string) {
	dir = quickDir(t)
	photograph(t, s.dir, dir)
	patch(t, filepath.Join(dir, name), func(b []byte) []byte {
		for page := range len(b) / pageSize {
			if keepOld(page) {
				copy(b[page*pageSize:(page+1)*pageSize], before[page*pageSize:])
			}
		}
		return b
	})
	return dir
}

// A start on a lying disk says so, keeps every number that was given, and the next start has nothing to say but that.
func toldOnce(t testing.TB, dir, words string, last txn.ID) {
	t.Helper()
	s, report := mustOpen(t, dir)
	says(t, report, words)
	all := everything(t, s)
	for id := txn.ID(1); id <= last; id++ {
		assert.Contains(t, all, id)
	}
	require.NoError(t, s.Close())
	for _, r := range must(Reports(dir)) {
		require.NoError(t, Acknowledge(dir, r.Name))
	}
	_, report = mustOpenClosed(t, dir)
	assert.Empty(t, report.Findings)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestALostFlushOfTheArchiveIsTold(t *testing.T) {
	for _, lost := range []struct {
		what  string
		old   func(page int) bool
		words string
	}{
		{"its pages", func(page int) bool { return page > 1 }, "where commit"},
		{"its root", func(page int) bool { return page < 2 }, "1 commits are missing that hot.db knows of"},
	} {
		s := trading(t, 18)
		sell(t, s, "one")
		before := contents(t, s.dir)[archiveName]
		require.NoError(t, s.archiveFinished())
		last := mustBegin(t, s, "after") // takes a slot: hot.db has heard of the commit
		toldOnce(t, mixed(t, s, archiveName, before, lost.old), lost.words, last.ID)
	}
}

// What stood in the lost pages was archived, its slot and its copies are used again, and the tree is sound without it.
func TestALostPageOfTheArchiveIsMissed(t *testing.T) {
	s := trading(t, 22)
	before := contents(t, s.dir)[archiveName]
	for n := range 3 {
		sell(t, s, fmt.Sprintf("lost-%d", n))
	}
	require.NoError(t, s.archiveFinished())
	gone := s.count.NextID - 1
	page := int(pageHolding(t, filepath.Join(s.dir, archiveName), txn.ID(gone)))
	for n := range 25 { // and nothing of it is left in a slot, a block of shadow or a page given up
		sell(t, s, fmt.Sprintf("later-%d", n))
		require.NoError(t, s.Tidy())
	}
	now := contents(t, s.dir)[archiveName]
	dir := mixed(t, s, archiveName, before, func(n int) bool {
		return n == page && !bytes.Equal(now[n*pageSize:(n+1)*pageSize], before[n*pageSize:(n+1)*pageSize])
	})
	_, report := mustOpenClosed(t, dir)
	assert.NotEmpty(t, report.Findings)
}

func TestALostBlockOfShadowIsToldAfterLaterCommits(t *testing.T) {
	s := trading(t, 9)
	r := mustBegin(t, s, "one")
	before := contents(t, s.dir)[shadowName]
	mustAdvance(t, s, r.ID, txn.Reversing, nil)
	blocks := changedBlocks(before, contents(t, s.dir)[shadowName])
	require.Len(t, blocks, 1)
	last := mustBegin(t, s, "two")
	dir := mixed(t, s, shadowName, before, func(n int) bool { return n == blocks[0] })
	toldOnce(t, dir, "shadow has no copy of commit", last.ID)
}

// A torn root costs one look and one commit, not a search through the archive at each start.
func TestATornRootThatHidesNothingIsWrittenAgain(t *testing.T) {
	dir := worn(t, 12)
	newer := int(must(newestRoot(t, dir)))
	for _, root := range []int{1 - newer, newer} {
		hurt := quickDir(t)
		photograph(t, dir, hurt)
		patch(t, filepath.Join(hurt, archiveName), func(b []byte) []byte { clear(b[root*pageSize : (root+1)*pageSize]); return b })
		s, report := mustOpen(t, hurt)
		says(t, report, fmt.Sprintf("archive.db, page %d, offset 16: is not the root", root))
		require.NoError(t, s.Close())
		if root == newer {
			says(t, report, "commits are missing")
		} else {
			assert.Empty(t, must(Reports(hurt)), "nothing was salvaged")
		}
		for _, r := range must(Reports(hurt)) {
			require.NoError(t, Acknowledge(hurt, r.Name))
		}
		_, report = mustOpenClosed(t, hurt)
		assert.Empty(t, report.Findings)
	}
}

func newestRoot(t testing.TB, dir string) (uint64, error) {
	b := boltFile{mustFile(t, filepath.Join(dir, archiveName)), archiveStep}
	meta, _, _ := b.current()
	return meta.commit % 2, nil
}

// One flipped bit in a slot whose transaction is archived costs a line in the report, not the slot.
func TestASlotOfAnArchivedRecordIsUsedAgain(t *testing.T) {
	s := trading(t, 3)
	require.NoError(t, s.archiveFinished())
	dir := quickDir(t)
	photograph(t, s.dir, dir)
	slot := 0
	frame := hotValue(t, dir, slot)
	patch(t, filepath.Join(dir, hotName), func(b []byte) []byte {
		at := bytes.LastIndex(b, frame)
		for at >= 0 { // in every page that still holds it
			b[at+100] ^= 4
			at = bytes.LastIndex(b, frame)
		}
		return b
	})
	next, report := mustOpen(t, dir)
	says(t, report, "what stood there is archived, and the slot is used again")
	assert.Zero(t, report.Bad)
	for n := range hotSlots {
		mustBegin(t, next, fmt.Sprintf("again-%d", n))
	}
	require.NoError(t, next.Close())
	_, report = mustOpenClosed(t, dir)
	assert.Empty(t, report.Findings)
}

func TestPrunedRecordsStayPrunedWithoutRoots(t *testing.T) {
	o := testOptions()
	o.Keep.Batches = 1
	dir := quickDir(t)
	s, _, err := Open(dir, o)
	require.NoError(t, err)
	for n := range uint32(3) {
		for range 10 {
			sell(t, s, refNumber(int(s.count.NextID)))
			require.NoError(t, s.Tidy())
		}
		require.NoError(t, s.AdoptBatch(n+2))
	}
	for range 9 {
		sell(t, s, refNumber(int(s.count.NextID)))
		require.NoError(t, s.Tidy())
	}
	want := everything(t, s)
	require.Less(t, len(want), 39, "some were pruned")
	require.NoError(t, s.Close())
	wreck(t, dir, archiveName)
	s, report := mustOpen(t, dir)
	says(t, report, "archive.db was put aside")
	assert.Equal(t, len(want), len(everything(t, s)))
	require.NoError(t, s.Close())
}

// bbolt would free the page whose number stands in an inline page, and panic in the middle of a commit.
func TestTheNumberOfAnInlinePageIsLookedAt(t *testing.T) {
	for _, name := range []string{hotName, archiveName} {
		dir := worn(t, 0)
		patch(t, filepath.Join(dir, name), func(b []byte) []byte { numberInlinePages(b); return b })
		_, report := mustOpenClosed(t, dir)
		says(t, report, "an inline bucket is not a leaf")
	}
}

// numberInlinePages gives each inline page of a database a number.
func numberInlinePages(b []byte) {
	for page := 2; page < len(b)/pageSize; page++ {
		p, err := pageOfBytes(uint64(page), b[page*pageSize:(page+1)*pageSize])
		if err != nil || p.flags != leafFlag {
			continue
		}
		list, _ := p.elements()
		for _, e := range list {
			if e.bucket && len(e.value) > bucketHeader && binary.NativeEndian.Uint64(e.value) == 0 {
				binary.NativeEndian.PutUint64(e.value[bucketHeader:], 0xE000000000000000)
			}
		}
	}
}

// The list of free pages goes bad under a running store, and a commit of bbolt panics over it. The store says that the outcome
// is unknown, and neither it nor its Close waits for a transaction that nobody ends.
func TestAPanicInACommitIsNotWaitedFor(t *testing.T) {
	s := trading(t, 6)
	sell(t, s, "one")
	path := filepath.Join(s.dir, archiveName)
	b := boltFile{mustFile(t, path), archiveStep}
	meta, _, _ := b.current()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, 8), int64(meta.freelist)*pageSize) // its number; bbolt has the file mapped, and sees it
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.ErrorIs(t, s.archiveFinished(), ErrUnknownCommit)
	require.Error(t, s.Close())
	_, report := mustOpenClosed(t, s.dir)
	says(t, report, "archive.db was put aside")
}

// The directory's sync after the rename was lost, and everything since then is in the file under its first name.
func TestALostChangeOfNameLosesNothing(t *testing.T) {
	for _, name := range fileNames() {
		dir := worn(t, 9)
		s, _ := mustOpen(t, dir)
		want := everything(t, s)
		require.NoError(t, s.Close())
		path := filepath.Join(dir, name)
		require.NoError(t, os.Rename(path, path+unborn))
		s, report := mustOpen(t, dir)
		says(t, report, "a change of name was lost")
		assert.Equal(t, want, everything(t, s), name)
		require.NoError(t, s.Close())
	}
}

// The last commit is lost with the newer root of hot.db and with its block of shadow: its number is not given again.
func TestNumbersThatMayHaveBeenGivenArePassedOver(t *testing.T) {
	s := trading(t, 6)
	before := contents(t, s.dir)
	last := mustBegin(t, s, "one")
	after := contents(t, s.dir)
	root := 0
	if bytes.Equal(before[hotName][:pageSize], after[hotName][:pageSize]) {
		root = 1
	}
	dir := quickDir(t)
	photograph(t, s.dir, dir)
	zero := func(name string, page int) {
		patch(t, filepath.Join(dir, name), func(b []byte) []byte { clear(b[page*pageSize : (page+1)*pageSize]); return b })
	}
	zero(hotName, root)
	zero(shadowName, changedBlocks(before[shadowName], after[shadowName])[0])
	next, report := mustOpen(t, dir)
	says(t, report, fmt.Sprintf("numbers %d to %d and as many STANs are passed over", last.ID, last.ID+skipped-1))
	assert.Greater(t, mustBegin(t, next, "two").ID, last.ID)
	require.NoError(t, next.Close())
}

// A flipped bit in the index of references: nobody is shown another's sale, and the next start makes the index anew.
func TestAReferenceThatLeadsElsewhereIsRefusedAndMended(t *testing.T) {
	for _, id := range []txn.ID{2, 500} {
		s := trading(t, 12)
		require.NoError(t, s.archiveFinished())
		alterArchive(t, s, func(tx *bolt.Tx) error { return tx.Bucket(refBucket).Put([]byte(refNumber(5)), idKey(id)) })
		_, _, err := s.ByReference(refNumber(5))
		require.ErrorIs(t, err, ErrBadRecord)
		_, err = s.Begin(draft(refNumber(5)))
		require.ErrorIs(t, err, ErrBadRecord)
		require.NoError(t, s.Close())
		s, _ = mustOpen(t, s.dir)
		got, ok, err := s.ByReference(refNumber(5))
		require.NoError(t, err)
		assert.True(t, ok && got.ID == 6)
		require.NoError(t, s.Close())
	}
}

// Starts died of something that the verifier does not see.
func TestStartsThatDieEndInASalvage(t *testing.T) {
	dir := worn(t, 9)
	s, _ := mustOpen(t, dir)
	want := everything(t, s)
	require.NoError(t, s.Close())
	for died := range mostDeaths {
		assert.Equal(t, died, startsDied(dir))
	}
	s, report := mustOpen(t, dir)
	says(t, report, "starts ended before they were done")
	says(t, report, "hot.db was put aside")
	says(t, report, "archive.db was put aside")
	assert.Equal(t, want, everything(t, s))
	require.NoError(t, s.Close())
	assert.NoFileExists(t, filepath.Join(dir, startingName))
}

// A record under a damaged key is not in its place: a walk says so, and the next number does not follow it.
func TestADamagedKeyHidesNothing(t *testing.T) {
	s := trading(t, 30)
	require.NoError(t, s.archiveFinished())
	dir := quickDir(t)
	photograph(t, s.dir, dir)
	next := s.count.NextID
	patch(t, filepath.Join(dir, archiveName), func(b []byte) []byte {
		key := idKey(txn.ID(next - 1))
		for at := bytes.Index(b, append(key, frameMagic...)); at >= 0; at = bytes.Index(b, append(key, frameMagic...)) {
			b[at] ^= 0x40
		}
		return b
	})
	again, report := mustOpen(t, dir)
	assert.NotEmpty(t, report.Findings)
	assert.Less(t, uint64(mustBegin(t, again, "next").ID), next+2*skipped)
	require.NoError(t, again.Close())
}

func TestRecentRecordsAreAFewAndPrunedOnesLeave(t *testing.T) {
	s := trading(t, 90)
	require.NoError(t, s.archiveFinished())
	list, err := openRecent(must(s.files.archive.value(metaBucket, recentKey)))
	require.NoError(t, err)
	require.Len(t, list, mostRecent)
	assert.Equal(t, txn.ID(s.count.NextID-1), list[mostRecent-1].id)
	assert.Nil(t, missed(s.dir))
}
