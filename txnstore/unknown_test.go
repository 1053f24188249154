package txnstore

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// inOwnProcess runs the calling test in a child process, because a limit on file sizes is for a whole process and would
// hit the test tool's own files. It reports whether this is the child.
func inOwnProcess(t *testing.T) bool {
	t.Helper()
	const child = "TXNSTORE_TEST_CHILD"
	if os.Getenv(child) == t.Name() {
		return true
	}
	t.Parallel()
	argv := []string{os.Args[0], "-test.run=^" + t.Name() + "$", "-test.v"}
	if emulator := os.Getenv("EMULATOR"); emulator != "" {
		argv = append([]string{emulator}, argv...)
	}
	run := exec.Command(argv[0], argv[1:]...)
	run.Env = append(os.Environ(), child+"="+t.Name(), "GORACE=atexit_sleep_ms=0")
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name(), "the child ran the test")
	t.Logf("%s", out)
	return false
}

// whileWritesFailFrom makes every write at or beyond an offset of any file fail with EFBIG, in the whole process.
//
//	hot.db   pages 0 and 1 are metas, 2 and up hold the leaf
//	shadow   blocks 0 to 2 belong to slot 0
func whileWritesFailFrom(t *testing.T, offset uint64, deed func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: offset, Max: old.Max}))
	defer func() {
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
		signal.Reset(syscall.SIGXFSZ)
	}()
	deed()
}

func TestAFailedShadowMakesTheCommitUnknownAndOwed(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	require.NoError(t, s.files.shadow.f.Close())
	r, err := s.Begin(draft("till-1"))
	require.ErrorIs(t, err, ErrUnknownCommit)
	assert.Zero(t, r)
	owed, err := s.Owed()
	require.NoError(t, err, "the store has reopened its files")
	require.Len(t, owed, 1)
	assert.Equal(t, txn.Pending, owed[0].State)
	assert.Equal(t, "till-1", owed[0].Reference)
	_, err = s.Begin(draft("till-1"))
	require.ErrorIs(t, err, ErrReference)
	assert.Equal(t, uint32(1), s.Boot(), "reopening is no boot")

	require.NoError(t, s.files.shadow.f.Close())
	_, err = s.Advance(1, txn.Reversing, nil)
	require.ErrorIs(t, err, ErrUnknownCommit)
	got, err := s.Get(1)
	require.NoError(t, err)
	assert.Equal(t, txn.Reversing, got.State, "hot.db had it")
	next, report := after(t, s)
	assert.Empty(t, report.Findings, "and shadow was brought level")
	assert.Equal(t, uint32(2), mustBegin(t, next, "till-2").STAN)
}

func TestAMarkInTheArchiveOutlivesAFailedCommit(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	r := mustBegin(t, s, "till-1")
	mustAdvance(t, s, r.ID, txn.Approved, approve)
	require.NoError(t, s.archiveFinished())
	marked, err := s.Mark(r.ID, printed)
	require.NoError(t, err)
	require.NoError(t, s.files.shadow.f.Close())
	_, err = s.NextSTAN()
	require.ErrorIs(t, err, ErrUnknownCommit)
	got, err := s.Get(r.ID)
	require.NoError(t, err)
	assert.Equal(t, marked, got)
	require.NoError(t, s.Tidy())
	next, _ := after(t, s)
	got, err = next.Get(r.ID)
	require.NoError(t, err)
	assert.Equal(t, marked, got)
}

func TestACommitThatReachedShadowOnlySurfacesAsOwed(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	s := openQuiet(t, quickDir(t))
	whileWritesFailFrom(t, 2*pageSize, func() {
		_, err := s.Begin(draft("till-1"))
		require.ErrorIs(t, err, ErrUnknownCommit)
		t.Log(err)
		_, err = s.Owed()
		require.ErrorIs(t, err, ErrUnknownCommit, "nothing is read before the files agree again")
		_, err = s.Begin(draft("till-2"))
		require.ErrorIs(t, err, ErrUnknownCommit)
	})
	owed, err := s.Owed()
	require.NoError(t, err, "the store heals when the disk does")
	require.Len(t, owed, 1)
	assert.Equal(t, "till-1", owed[0].Reference)
	mustAdvance(t, s, 1, txn.Reversing, nil)
	assert.Equal(t, txn.ID(2), mustBegin(t, s, "till-2").ID)
}

func TestACommitThatReachedNothingLeavesNoNumberBehind(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	s := openQuiet(t, quickDir(t))
	sell(t, s, "till-0")
	var marked txn.Txn
	whileWritesFailFrom(t, 0, func() {
		_, err := s.NextSTAN()
		require.ErrorIs(t, err, ErrUnknownCommit)
	})
	marked, err := s.Get(1)
	require.NoError(t, err)
	assert.False(t, marked.OwesPaper(), "a mark that was waiting is still there")
	r := mustBegin(t, s, "till-1")
	assert.Equal(t, uint32(3), r.STAN, "the STAN that may be on the disk is not used again")
	assert.Equal(t, txn.ID(2), r.ID)
}

func TestAFailedArchiveKeepsEverything(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	s := openQuiet(t, quickDir(t))
	for n := range 4 {
		sell(t, s, refNumber(n))
	}
	whileWritesFailFrom(t, 2*pageSize, func() {
		require.ErrorIs(t, s.Tidy(), ErrUnknownCommit)
	})
	list, err := s.List(10)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{4, 3, 2, 1}, ids(list))
	paper, err := s.OwedPaper()
	require.NoError(t, err)
	assert.Empty(t, paper)
	require.NoError(t, s.Tidy())
	next, report := after(t, s)
	assert.Empty(t, report.Findings)
	list, err = next.List(10)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{4, 3, 2, 1}, ids(list))
}

// The archive cannot grow on a full disk: what is recorded stays, what is open can be finished, and sales go on until the
// slots are used up. Space makes it whole again.
func TestAFullDiskRefusesInTime(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	s := openQuiet(t, quickDir(t))
	fill(t, s, archiveStep-archiveMust)
	whileWritesFailFrom(t, archiveStep, func() {
		n := 0
		for ; ; n++ {
			r, err := s.Begin(draft(refNumber(1_000_000 + n)))
			if err != nil {
				require.ErrorIs(t, err, ErrNoSpace)
				require.NotErrorIs(t, err, ErrUnknownCommit)
				break
			}
			mustAdvance(t, s, r.ID, txn.Approved, approve)
			require.Less(t, n, 5000)
		}
		require.GreaterOrEqual(t, n, hotSlots)
		t.Logf("%d sales on a full disk", n)
		stan, err := s.NextSTAN()
		require.NoError(t, err)
		require.NotZero(t, stan)
	})
	mustBegin(t, s, "space-again")
}

// fill archives records until the archive uses so many bytes of its file.
func fill(t testing.TB, s *Store, bytes int64) {
	id := txn.ID(s.count.NextID)
	for used := int64(0); used < bytes; {
		entries := make([]entry, 0, 20)
		for range 20 {
			r := usual(t)
			r.ID, r.Reference = id, refNumber(int(id))
			frame, stored, err := s.codec.encode(copied(r))
			require.NoError(t, err)
			entries = append(entries, entry{stored, frame})
			id++
		}
		s.count.NextID = uint64(id)
		require.NoError(t, s.writeArchive(entries, nil))
		tx, err := s.files.archive.db.Begin(false)
		require.NoError(t, err)
		used = tx.Size()
		require.NoError(t, tx.Rollback())
	}
}
