package txnstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// without runs a deed and returns a photograph of the store after it in which one file has missed it.
func without(t testing.TB, s *Store, name string, deed func()) string {
	before, err := os.ReadFile(filepath.Join(s.dir, name))
	require.NoError(t, err)
	deed()
	dir := quickDir(t)
	photograph(t, s.dir, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), before, 0o600))
	return dir
}

func says(t testing.TB, report Report, words string) {
	t.Helper()
	assert.Contains(t, strings.Join(report.Findings, "\n"), words)
}

func TestACommitThatReachedOneFileIsNotLost(t *testing.T) {
	for _, name := range []string{hotName, shadowName} {
		s := openQuiet(t, quickDir(t))
		for n := range 7 {
			sell(t, s, refNumber(n))
			require.NoError(t, s.Tidy())
		}
		var r txn.Txn
		for step, deed := range []func(){
			func() { r = mustBegin(t, s, "till-1") },
			func() { r = mustAdvance(t, s, r.ID, txn.Reversing, nil) },
			func() { r, _ = s.Update(r.ID, func(x *txn.Txn) { x.Tries.Made++ }) },
		} {
			dir := without(t, s, name, deed)
			next, report := mustOpen(t, dir)
			got, err := next.Get(r.ID)
			require.NoError(t, err)
			assert.Equal(t, r, got, "%s, step %d", name, step)
			assert.Equal(t, 1, report.Owed)
			says(t, report, "the last commit is in")
			require.NoError(t, next.Close())
			next, report = mustOpen(t, dir)
			assert.Empty(t, report.Findings, "both files agree again")
			assert.Equal(t, uint32(9), mustBegin(t, next, "till-2").STAN)
			require.NoError(t, next.Close())
		}
		dir := without(t, s, name, func() {
			stan, err := s.NextSTAN()
			require.NoError(t, err)
			assert.Equal(t, uint32(9), stan)
		})
		next, _ := mustOpen(t, dir)
		stan, err := next.NextSTAN()
		require.NoError(t, err)
		assert.Equal(t, uint32(10), stan)
		require.NoError(t, next.Close())
	}
}

// A disk that reports flushes it does not do: everything since some moment is missing from one file.
func TestALostFlushIsNoticedAndSurvived(t *testing.T) {
	for _, name := range []string{hotName, shadowName} {
		s := openQuiet(t, quickDir(t))
		sell(t, s, "till-1")
		dir := without(t, s, name, func() {
			mustBegin(t, s, "till-2")
			mustBegin(t, s, "till-3")
			mustAdvance(t, s, 2, txn.Declined, nil)
		})
		next, report := mustOpen(t, dir)
		says(t, report, "reports flushes that do not happen")
		owed, err := next.Owed()
		require.NoError(t, err)
		assert.Equal(t, []txn.ID{3}, ids(owed))
		assert.Equal(t, txn.ID(4), mustBegin(t, next, "till-4").ID)
		require.NoError(t, next.Close())
	}
}

// spoilHot flips a bit inside a value of hot.db, which bbolt does not notice.
func spoilHot(t testing.TB, dir string, bucket, key []byte) {
	db, err := bolt.Open(filepath.Join(dir, hotName), 0o600, &bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistArrayType})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		v := append([]byte(nil), tx.Bucket(bucket).Get(key)...)
		v[len(v)/2] ^= 0x10
		counts := tx.Bucket(counterBucket)
		if err := counts.SetSequence(heardStamp(counts.Sequence(), tx.ID())); err != nil {
			return err
		}
		return tx.Bucket(bucket).Put(key, v)
	}))
	require.NoError(t, db.Close())
}

func TestAFlippedBitInHotIsTakenFromShadow(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	r := mustBegin(t, s, "till-1")
	r = mustAdvance(t, s, r.ID, txn.Reversing, nil)
	require.NoError(t, s.Close())
	spoilHot(t, dir, slotBucket(0), slotKey)
	spoilHot(t, dir, counterBucket, counterKey)
	s, report := mustOpen(t, dir)
	says(t, report, "an unreadable record (checksum does not match); taken from shadow: reversing")
	says(t, report, "the counters of hot.db cannot be read")
	assert.Zero(t, report.Bad)
	got, err := s.Get(r.ID)
	require.NoError(t, err)
	assert.Equal(t, r, got)
	assert.Equal(t, uint32(2), s.Boot())
	assert.Equal(t, txn.ID(2), mustBegin(t, s, "till-2").ID)
	require.NoError(t, s.Close())
}

func TestARecordThatNobodyCanReadStopsItselfOnly(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	mustBegin(t, s, "till-1")
	require.NoError(t, s.Close())
	spoilHot(t, dir, slotBucket(0), slotKey)
	patch(t, filepath.Join(dir, shadowName), func(b []byte) []byte {
		for n := range shadowTurns {
			b[n*pageSize+200] ^= 1
		}
		return b
	})
	kept := hotValue(t, dir, 0)
	for range 2 {
		s, report := mustOpen(t, dir)
		assert.Equal(t, 1, report.Bad)
		says(t, report, "slot 0 of hot.db cannot be read")
		assert.GreaterOrEqual(t, mustBegin(t, s, refNumber(int(s.Boot()))).ID, txn.ID(2), "its number is not used again")
		require.NoError(t, s.Close())
		assert.Equal(t, kept, hotValue(t, dir, 0), "it is kept for repair")
	}
	s, _ = mustOpen(t, dir)
	mustBegin(t, s, "d")
	mustBegin(t, s, "e")
	_, err := s.Begin(draft("f"))
	require.ErrorIs(t, err, ErrFull)
	assert.Contains(t, err.Error(), "1 cannot be read")
	require.NoError(t, s.Close())
}

func hotValue(t testing.TB, dir string, slot int) (v []byte) {
	h, err := openHot(filepath.Join(dir, hotName), true, false)
	require.NoError(t, err)
	require.NoError(t, h.db.View(func(tx *bolt.Tx) error {
		v = append(v, tx.Bucket(slotBucket(slot)).Get(slotKey)...)
		return nil
	}))
	require.NoError(t, h.close())
	return v
}

func TestABadRecordInTheArchiveStopsItselfOnly(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for n := range 8 {
		r := mustBegin(t, s, refNumber(n))
		mustAdvance(t, s, r.ID, txn.Reversing, nil)
		mustAdvance(t, s, r.ID, txn.Suspense, nil)
		require.NoError(t, s.Tidy())
	}
	alterArchive(t, s, func(tx *bolt.Tx) error {
		v := append([]byte(nil), tx.Bucket(txnBucket).Get(idKey(3))...)
		v[60] ^= 1
		return tx.Bucket(txnBucket).Put(idKey(3), v)
	})
	next, report := after(t, s)
	assert.Equal(t, 1, report.Bad)
	assert.Equal(t, 7, report.Owed)
	says(t, report, "transaction 3")
	_, err := next.Get(3)
	require.ErrorIs(t, err, ErrBadRecord)
	assert.Contains(t, err.Error(), "number 3 in archive.db")
	_, err = next.Advance(3, txn.Resolved, nil)
	require.ErrorIs(t, err, ErrBadRecord)
	_, err = next.Begin(draft(refNumber(2)))
	require.ErrorIs(t, err, ErrBadRecord, "its reference still counts")
	list, err := next.List(10)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{8, 7, 6, 5, 4, 2, 1}, ids(list))
	var seen []txn.ID
	err = next.Since(1, func(r txn.Txn) error { seen = append(seen, r.ID); return nil })
	require.ErrorIs(t, err, ErrBadRecord, "books made from it would be short")
	assert.Equal(t, []txn.ID{1, 2, 4, 5, 6, 7, 8}, seen)
	mustBegin(t, next, "goes-on")
}

// The sealed card is bound to its record: one copied into another record does not open.
func TestASealIsBoundToItsRecord(t *testing.T) {
	c := testCodec(t, "T1234567")
	r := usual(t)
	sealed := c.seals.seal(purposeCard, 7, cardInTheClear(r.Card))
	_, err := c.seals.open(purposeCard, 8, sealed)
	assert.ErrorIs(t, err, ErrSealed)
	_, err = testCodec(t, "T7654321").seals.open(purposeCard, 7, sealed)
	assert.ErrorIs(t, err, ErrSealed)
	_, err = c.decode(putFrame(recordFrame, c.payload(nil, r, c.seals.seal(purposeCard, 8, cardInTheClear(r.Card)))))
	assert.ErrorIs(t, err, ErrSealed)
}

// Power lost between the archive's commit and the next use of the slot: both copies exist in the same version.
func TestArchivingTwiceChangesNothing(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for n := range 4 {
		sell(t, s, refNumber(n))
	}
	beforeTidy := quickDir(t)
	photograph(t, s.dir, beforeTidy)
	require.NoError(t, s.Tidy())
	next, report := after(t, s)
	assert.Empty(t, report.Findings)
	for _, sl := range next.slots {
		assert.Equal(t, slotFree, sl.kind)
	}
	// The archive's flush lied: it is back before the commit, and the slots still have everything.
	lied := quickDir(t)
	photograph(t, s.dir, lied)
	b, err := os.ReadFile(filepath.Join(beforeTidy, archiveName))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(lied, archiveName), b, 0o600))
	again := openQuiet(t, lied)
	require.NoError(t, again.Tidy())
	list, err := again.List(10)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{4, 3, 2, 1}, ids(list))
}

// A newer program may add fields: they are carried, within their limit, through every change made here.
func TestUnknownFieldsAreKept(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	r := mustBegin(t, s, "till-1")
	s.slots[0].extra = []byte{201, 3, 'n', 'e', 'w'}
	s.slots[0].frame, s.slots[0].dirty = nil, true
	require.NoError(t, s.Tidy())
	require.NoError(t, s.Close())
	s, _ = mustOpen(t, dir)
	mustAdvance(t, s, r.ID, txn.Declined, nil)
	require.NoError(t, s.archiveFinished())
	_, err := s.Update(r.ID, func(x *txn.Txn) { x.Operator = "02" })
	require.NoError(t, err)
	got, _, err := s.find(r.ID)
	require.NoError(t, err)
	assert.Equal(t, []byte{201, 3, 'n', 'e', 'w'}, got.extra)
	require.NoError(t, s.Close())

	long := usual(t)
	long.extra = append([]byte{201, maxExtra}, make([]byte, maxExtra)...)
	_, _, err = s.codec.encode(copied(long))
	assert.ErrorIs(t, err, ErrRecord)
}

func TestADamagedIdentityIsWrittenAgain(t *testing.T) {
	dir := traded(t, 6)
	patch(t, filepath.Join(dir, shadowName), func(b []byte) []byte { b[identityBlock*pageSize+30] ^= 1; return b })
	s, report := mustOpen(t, dir)
	says(t, report, "identity")
	alterArchive(t, s, func(tx *bolt.Tx) error {
		return errors.Join(tx.Bucket(metaBucket).Put(identityKey, []byte("?")), tx.Bucket(metaBucket).Put(countersKey, []byte("?")))
	})
	require.NoError(t, s.Close())
	s, report = mustOpen(t, dir)
	says(t, report, "identity")
	says(t, report, "the counters of archive.db")
	require.NoError(t, s.Close())
	_, report = mustOpenClosed(t, dir)
	assert.Empty(t, report.Findings)
}
