package txnstore

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// onSmallDisk runs the calling test in a process that has a mount namespace of its own, with a tmpfs of so many bytes
// mounted for it. Nobody else sees that, and it goes with the process.
func onSmallDisk(t *testing.T, size int) (dir string, here bool) {
	t.Helper()
	const child = "TXNSTORE_TEST_SMALL_DISK"
	if dir := os.Getenv(child); dir != "" {
		require.NoError(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
		require.NoError(t, syscall.Mount("small", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)))
		return dir, true
	}
	t.Parallel()
	argv := []string{os.Args[0], "-test.run=^" + t.Name() + "$", "-test.v"}
	if emulator := os.Getenv("EMULATOR"); emulator != "" {
		argv = append([]string{emulator}, argv...)
	}
	run := exec.Command(argv[0], argv[1:]...)
	run.Env = append(os.Environ(), child+"="+t.TempDir(), "GORACE=atexit_sleep_ms=0")
	run.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		run.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		run.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		run.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := run.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) && os.Getenv("EMULATOR") != "" { // qemu-user makes no namespaces
		t.Skipf("this machine allows no mount to tests (%v); TestAFullDiskRefusesInTime shows the same by a limit on file sizes", err)
	}
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name(), "the child ran the test")
	t.Logf("%s", out)
	return "", false
}

// fillDisk leaves not one byte.
func fillDisk(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "somebody-elses-file")
	f, err := os.Create(path)
	require.NoError(t, err)
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err = f.Write(block); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			block = block[:len(block)/2]
		}
	}
	require.NoError(t, f.Close())
	return func() { require.NoError(t, os.Remove(path)) }
}

// A real full disk, at the worst moment: the archive is about to grow, five sales are open, and twenty stand in the archive
// and wait for people.
func TestEverythingOpenIsFinishedOnAFullDisk(t *testing.T) {
	dir, here := onSmallDisk(t, 4<<20)
	if !here {
		return
	}
	s := openQuiet(t, filepath.Join(dir, "store"))
	var suspense []txn.ID
	for n := range 20 {
		r := mustBegin(t, s, fmt.Sprint("people-", n))
		mustAdvance(t, s, r.ID, txn.Reversing, nil)
		mustAdvance(t, s, r.ID, txn.Suspense, nil)
		suspense = append(suspense, r.ID)
		require.NoError(t, s.MakeRoom())
	}
	require.NoError(t, s.archiveFinished())
	fill(t, s, archiveStep-archiveLow)
	var open []txn.ID
	for n := range hotSlots {
		open = append(open, mustBegin(t, s, fmt.Sprint("open-", n)).ID)
	}
	free := fillDisk(t, dir)

	for _, id := range open {
		mustAdvance(t, s, id, txn.Approved, approve)
		_, err := s.Mark(id, printed)
		require.NoError(t, err)
	}
	sold := len(open)
	for ; ; sold++ {
		if err := s.Able(); err != nil {
			require.ErrorIs(t, err, ErrNoSpace)
			_, err = s.Begin(draft("refused"))
			require.ErrorIs(t, err, ErrNoSpace)
			require.NotErrorIs(t, err, ErrUnknownCommit)
			t.Log(err)
			break
		}
		sell(t, s, refNumber(1_000_000+sold))
		require.NoError(t, func() error {
			if err := s.MakeRoom(); !errors.Is(err, ErrNoSpace) {
				return err
			}
			return nil
		}())
		require.Less(t, sold, 5000)
	}
	t.Logf("%d sales on a full disk, before new ones are refused", sold)
	assert.GreaterOrEqual(t, sold, 300)

	// From here on nothing new is begun, and everything that is owed can still be finished, with every try counted.
	commits := 0
	for range 30 {
		for _, id := range suspense {
			_, err := s.Update(id, func(t *txn.Txn) { t.Tries.Made++ })
			require.NoError(t, err)
			commits++
		}
	}
	for _, id := range suspense {
		mustAdvance(t, s, id, txn.Reversed, nil)
		commits++
	}
	t.Logf("%d further commits of what was owed", commits)
	assert.GreaterOrEqual(t, commits, 600, "300 sales of two commits")
	owed, err := s.Owed()
	require.NoError(t, err)
	assert.Empty(t, owed)

	free()
	require.NoError(t, s.Able(), "and with space trade goes on, in the same process")
	sell(t, s, "again")
	require.NoError(t, s.Close())
	s = openQuiet(t, filepath.Join(dir, "store"))
	for _, ref := range []string{"open-4", "people-19", "again", refNumber(1_000_000 + sold - 1)} {
		_, found, err := s.ByReference(ref)
		require.NoError(t, err)
		assert.True(t, found, ref)
	}
}

// A first start on a full disk, and on one that takes no writes, says what to do; with space the next start is the first.
func TestAFirstStartOnABadDisk(t *testing.T) {
	dir, here := onSmallDisk(t, 4<<20)
	if !here {
		return
	}
	free := fillDisk(t, dir)
	_, _, err := Open(filepath.Join(dir, "store"), testOptions())
	require.ErrorIs(t, err, ErrNoSpace)
	t.Log(err)
	free()
	s, report := mustOpen(t, filepath.Join(dir, "store"))
	assert.True(t, report.New)
	sell(t, s, "till-1")
	require.NoError(t, s.Close())

	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	_, _, err = Open(filepath.Join(dir, "store"), testOptions())
	require.ErrorIs(t, err, ErrReadOnly)
	assert.NotContains(t, err.Error(), unborn)
	t.Log(err)
	v, err := View(filepath.Join(dir, "store"), testOptions())
	require.NoError(t, err, "it can be read")
	_, found, err := v.ByReference("till-1")
	require.NoError(t, err)
	assert.True(t, found)
	require.NoError(t, v.Close())

	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
	openQuiet(t, filepath.Join(dir, "store"))
}
