package txnstore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// wreck makes files unreadable as databases: their first pages are zeros.
func wreck(t testing.TB, dir string, names ...string) {
	for _, name := range names {
		patch(t, filepath.Join(dir, name), func(b []byte) []byte { clear(b[:2*pageSize]); return b })
	}
}

// Nothing is deleted, the report waits until it is acknowledged, and the store is whole afterwards.
func TestASalvageKeepsTheOldFileAndItsReport(t *testing.T) {
	dir := worn(t, 9)
	wreck(t, dir, hotName)
	before := contents(t, dir)[hotName]
	s, report := mustOpen(t, dir)
	says(t, report, "damaged: hot.db, page 0, offset 16: is not the root of a database")
	says(t, report, "hot.db was put aside as hot.db"+asideMark)
	says(t, report, "this was written to report-")
	require.NoError(t, s.Close())
	aside, err := filepath.Glob(filepath.Join(dir, hotName+asideMark+"20260304T1200*-boot1"))
	require.NoError(t, err)
	require.Len(t, aside, 1)
	kept, err := os.ReadFile(aside[0])
	require.NoError(t, err)
	assert.Equal(t, before, kept)

	health, err := Check(dir, testOptions())
	require.NoError(t, err)
	for _, h := range health {
		assert.Equal(t, Healthy, h.Verdict, h.Findings)
	}
	reports, err := Reports(dir)
	require.NoError(t, err)
	require.Len(t, reports, 1)
	assert.Contains(t, reports[0].Text, "damaged: hot.db, page 0")
	_, report = mustOpenClosed(t, dir)
	assert.Equal(t, []string{reports[0].Name + " has not been acknowledged: posagent store report"}, report.Findings)
	assert.Error(t, Acknowledge(dir, "../"+reports[0].Name))
	require.NoError(t, Acknowledge(dir, reports[0].Name))
	reports, err = Reports(dir)
	require.NoError(t, err)
	assert.Empty(t, reports)
	_, report = mustOpenClosed(t, dir)
	assert.Empty(t, report.Findings)
}

// Both places of what is in flight are gone as databases. Their pages still hold it, and what is open is owed.
func TestWhatIsInFlightIsReadFromPagesGivenUp(t *testing.T) {
	dir := worn(t, 9)
	whole, _ := mustOpen(t, dir)
	want, err := whole.Owed()
	require.NoError(t, err)
	require.NoError(t, whole.Close())
	wreck(t, dir, hotName)
	patch(t, filepath.Join(dir, shadowName), func(b []byte) []byte { return b[:pageSize] })
	s, report := mustOpen(t, dir)
	got, err := s.Owed()
	require.NoError(t, err)
	require.Equal(t, len(want), len(got))
	for i := range want {
		assert.Equal(t, want[i].ID, got[i].ID)
		assert.Equal(t, want[i].State, got[i].State)
		if got[i].State != txn.Suspense { // archive.db is sound and has it
			says(t, report, fmt.Sprintf("transaction %d: the newest version that can be read is %s", got[i].ID, got[i].State))
		}
	}
	// What is owed is reversed where it lies.
	for _, x := range got {
		if x.State == txn.Pending {
			x = mustAdvance(t, s, x.ID, txn.Reversing, nil)
			mustAdvance(t, s, x.ID, txn.Reversed, nil)
		}
	}
	require.NoError(t, s.Close())
}

// An older version is all that is left: it is open, so it is owed, and no number is given twice.
func TestAnOlderVersionCountsAsInFlight(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	r := mustBegin(t, s, "till-1")
	old := contents(t, dir)
	mustAdvance(t, s, r.ID, txn.Approved, approve)
	last := s.count
	require.NoError(t, s.Close())
	// hot.db is gone, and shadow is back at the moment of the request.
	require.NoError(t, os.Remove(filepath.Join(dir, hotName)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, shadowName), old[shadowName], 0o600))
	s, _ = mustOpen(t, dir)
	owed, err := s.Owed()
	require.NoError(t, err)
	require.Equal(t, []txn.ID{r.ID}, ids(owed))
	assert.Equal(t, txn.Pending, owed[0].State)
	next := mustBegin(t, s, "till-2")
	assert.Greater(t, uint64(next.ID), last.NextID)
	assert.Greater(t, uint64(next.STAN), last.Serial)
	require.NoError(t, s.Close())
}

// The archive is made again from its own pages, with references and what is owed.
func TestTheArchiveIsBuiltAnewFromItsPages(t *testing.T) {
	dir := worn(t, 40)
	whole, _ := mustOpen(t, dir)
	want := everything(t, whole)
	require.NoError(t, whole.Close())
	wreck(t, dir, archiveName)
	s, report := mustOpen(t, dir)
	assert.Equal(t, want, everything(t, s))
	assert.Equal(t, 3, report.Owed)
	for id, x := range want {
		got, ok, err := s.ByReference(x.Reference)
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, id, got.ID)
	}
	assert.NotContains(t, strings.Join(report.Findings, "\n"), "nothing can be read")
	require.NoError(t, s.Tidy())
	require.NoError(t, s.Close())
}

// The power goes between any two steps of a salvage: the next Open begins again and ends the same.
func TestASalvageInterruptedIsBegunAgain(t *testing.T) {
	dir := worn(t, 9)
	whole, _ := mustOpen(t, dir)
	want := everything(t, whole)
	require.NoError(t, whole.Close())
	wreck(t, dir, hotName, archiveName)
	done := quickDir(t)
	for name, b := range contents(t, dir) {
		require.NoError(t, os.WriteFile(filepath.Join(done, name), b, 0o600))
	}
	c, err := testOptions().check()
	require.NoError(t, err)
	health, err := verifyAll(done, false, nil)
	require.NoError(t, err)
	_, err = mend(done, c, testOptions().Now(), health)
	require.NoError(t, err)
	after, before := contents(t, done), contents(t, dir)
	aside := func(name string) string {
		found, err := filepath.Glob(filepath.Join(done, name+asideMark+"*"))
		require.NoError(t, err)
		require.Len(t, found, 1)
		return filepath.Base(found[0])
	}
	states := map[string]func() map[string][]byte{
		"new files made": func() map[string][]byte {
			return map[string][]byte{hotName: before[hotName], archiveName: before[archiveName],
				hotName + unborn: after[hotName], archiveName + unborn: after[archiveName]}
		},
		"archive replaced": func() map[string][]byte {
			return map[string][]byte{hotName: before[hotName], archiveName: after[archiveName], hotName + unborn: after[hotName]}
		},
		"hot linked": func() map[string][]byte {
			return map[string][]byte{hotName: before[hotName], archiveName: after[archiveName], aside(hotName): before[hotName]}
		},
		"hot renamed away": func() map[string][]byte {
			return map[string][]byte{archiveName: after[archiveName], aside(hotName): before[hotName], hotName + unborn: after[hotName]}
		},
		"archive renamed away": func() map[string][]byte {
			return map[string][]byte{hotName: before[hotName], aside(archiveName): before[archiveName]}
		},
		"done": func() map[string][]byte {
			return map[string][]byte{hotName: after[hotName], archiveName: after[archiveName]}
		},
	}
	for name, files := range states {
		now := quickDir(t)
		for file, b := range files() {
			require.NoError(t, os.WriteFile(filepath.Join(now, file), b, 0o600))
		}
		require.NoError(t, os.WriteFile(filepath.Join(now, shadowName), before[shadowName], 0o600))
		s, _ := mustOpen(t, now)
		assert.Equal(t, want, everything(t, s), name)
		require.NoError(t, s.Close())
	}
}

// A page of the archive goes bad under a running agent, or was not looked at by its start: what needs it is refused, the
// rest goes on, and the next start looks at everything.
func TestAPageThatGoesBadLaterIsFoundWhenItIsRead(t *testing.T) {
	dir := worn(t, 60)
	path := filepath.Join(dir, archiveName)
	s, report := mustOpen(t, dir)
	require.Empty(t, report.Findings)
	page := pageHolding(t, path, 30)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, pageSize), int64(page)*pageSize)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = s.Get(30)
	require.ErrorIs(t, err, ErrBadRecord)
	assert.Contains(t, err.Error(), fmt.Sprintf("archive.db: page %d, offset ", page))
	_, err = s.Get(1)
	require.NoError(t, err)
	_, err = s.Update(30, printed)
	require.ErrorIs(t, err, ErrBadRecord)
	sell(t, s, "goes-on")
	require.NoError(t, s.Tidy())
	require.NoError(t, s.Close())
	require.True(t, suspected(dir))
	s, report = mustOpen(t, dir)
	says(t, report, fmt.Sprintf("damaged: archive.db, page %d", page))
	says(t, report, "nothing can be read of transaction")
	says(t, report, fmt.Sprintf("reference %q", refNumber(29)))
	_, err = s.Begin(draft(refNumber(29)))
	require.ErrorIs(t, err, ErrNotFound, "who repeats its reference is not charged again")
	require.NoError(t, s.Close())
	require.False(t, suspected(dir))
}

// pageHolding finds the leaf of archive.db that holds a transaction.
func pageHolding(t testing.TB, path string, id txn.ID) (page uint64) {
	b := boltFile{mustFile(t, path), archiveStep}
	meta, _, ok := b.current()
	require.True(t, ok)
	w := walk{file: b, meta: meta, visit: func(v visited) {
		if got, err := keyID(v.key); string(v.bucket) == string(txnBucket) && err == nil && got == id {
			page = v.page
		}
	}}
	w.run()
	require.NotZero(t, page)
	return page
}
