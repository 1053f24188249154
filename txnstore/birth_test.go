package txnstore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newborn makes the three files as birth leaves them, never opened.
func newborn(t testing.TB) string {
	dir := quickDir(t)
	c := testCodec(t, "T1234567")
	require.NoError(t, birth(dir, c.seals))
	return dir
}

// Birth writes and renames three files in turn, so a power cut leaves the first n of them, and of the next one nothing, a
// part of its temporary file, or the whole of it. Each must give a new store that trades.
func TestAFirstStartInterruptedAnywhereIsBegunAgain(t *testing.T) {
	whole := newborn(t)
	for born := range len(fileNames()) + 1 {
		for _, part := range []string{"nothing", "empty", "torn", "whole"} {
			dir := quickDir(t)
			for _, name := range fileNames()[:born] {
				b, err := os.ReadFile(filepath.Join(whole, name))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
			}
			if born < len(fileNames()) && part != "nothing" {
				name := fileNames()[born]
				b, err := os.ReadFile(filepath.Join(whole, name))
				require.NoError(t, err)
				b = b[:map[string]int{"empty": 0, "torn": len(b) / 3, "whole": len(b)}[part]]
				require.NoError(t, os.WriteFile(filepath.Join(dir, name+unborn), b, 0o600))
			}
			s, report := mustOpen(t, dir)
			assert.True(t, report.New, "%d files, %s", born, part)
			assert.Equal(t, uint32(1), report.Boot)
			sell(t, s, "till-1")
			require.NoError(t, s.Close())
			leftovers, err := filepath.Glob(filepath.Join(dir, "*"+unborn))
			require.NoError(t, err)
			assert.Empty(t, leftovers)
			s, report = mustOpen(t, dir)
			assert.Empty(t, report.Findings)
			_, ok, err := s.ByReference("till-1")
			require.NoError(t, err)
			assert.True(t, ok)
			require.NoError(t, s.Close())
		}
	}
}

func TestANewbornFileHasNoHoles(t *testing.T) {
	dir := newborn(t)
	for name, size := range map[string]int64{hotName: hotSize, archiveName: archiveStep, shadowName: shadowSize} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, size, info.Size(), name)
		assert.GreaterOrEqual(t, allocated(info), size, name)
		assert.Equal(t, os.FileMode(0o600), info.Mode(), name)
	}
}

// The power may go between birth and the end of the first Open at any commit of it: boot 1 in hot.db and shadow, or in
// one of them, and not yet in archive.db.
func TestTheFirstBootInterrupted(t *testing.T) {
	opened := quickDir(t)
	s, _ := mustOpen(t, opened)
	require.NoError(t, s.Close())
	for _, old := range [][]string{{archiveName}, {archiveName, hotName}, {archiveName, shadowName}} {
		dir := quickDir(t)
		photograph(t, opened, dir)
		fresh := newborn(t)
		// Same key and terminal, so files of two births differ only in the sealed check and fit together.
		for _, name := range old {
			b, err := os.ReadFile(filepath.Join(fresh, name))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		}
		s, report := mustOpen(t, dir)
		assert.Equal(t, uint32(2), report.Boot, "%v", old)
		sell(t, s, "till-1")
		require.NoError(t, s.Close())
		for _, name := range fileNames() {
			count, err := readBoot(filepath.Join(dir, name))
			require.NoError(t, err)
			assert.True(t, count.inService(), "%s knows that the terminal is in service", name)
		}
	}
}
