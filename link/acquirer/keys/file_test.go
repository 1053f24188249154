package keys

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testTerminal = "30010001"

func testDevice() []byte { return bytes.Repeat([]byte{0x5A, 0xA5}, DeviceKeyLength/2) }

func setOf(t testing.TB, digits string, generation uint64) *Set {
	return &Set{Master: masterOf(t, digits), Source: FromComponents, Generation: generation, Counter: 7,
		Loaded: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC), By: []string{"Li Lei", "韩梅梅"}}
}

func fileAt(t testing.TB, path string) *File {
	f, err := NewFile(path, testDevice(), testTerminal)
	require.NoError(t, err)
	return f
}

func requireSet(t testing.TB, want, got *Set) {
	t.Helper()
	require.Equal(t, digitsOf(t, want.Master), digitsOf(t, got.Master))
	w, g := *want, *got
	w.Master, g.Master = Key{}, Key{}
	require.Equal(t, w, g)
}

func TestASetIsKeptSealed(t *testing.T) {
	dir := t.TempDir()
	f := fileAt(t, filepath.Join(dir, "made", "tmk.key"))
	_, err := f.Load()
	require.ErrorIs(t, err, ErrNoKeys)
	require.NoError(t, f.Destroy(), "nothing to destroy")

	set := setOf(t, sampleMaster, 1)
	require.NoError(t, f.Save(set))
	got, err := f.Load()
	require.NoError(t, err)
	requireSet(t, set, got)
	info, err := os.Stat(f.path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	content, err := os.ReadFile(f.path)
	require.NoError(t, err)
	assert.NotContains(t, string(content), string(unhex(t, sampleMaster)))
	assert.NotContains(t, string(content), "Li Lei")
	assert.True(t, IsSealed(content))

	next := setOf(t, "0123456789ABCDEFFEDCBA9876543210", 2)
	next.By, next.Source = nil, FromBundle
	require.NoError(t, f.Save(next))
	got, err = f.Load()
	require.NoError(t, err)
	requireSet(t, next, got)
	entries, err := os.ReadDir(filepath.Dir(f.path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left beside it")

	require.NoError(t, f.Destroy())
	_, err = f.Load()
	require.ErrorIs(t, err, ErrNoKeys)
	require.NoError(t, f.Destroy())
}

// goldenSeal is a sealed file of layout 1, as an earlier version wrote it.
func goldenSeal(t testing.TB) []byte {
	text, err := os.ReadFile("../../../testdata/keys/sealed-1.hex")
	require.NoError(t, err)
	return unhex(t, strings.TrimSpace(string(text)))
}

// What a terminal in service has on its disk is read by every later version.
func TestWhatEarlierVersionsSealedStillOpens(t *testing.T) {
	f := fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))
	require.NoError(t, os.WriteFile(f.path, goldenSeal(t), 0o600))
	got, err := f.Load()
	require.NoError(t, err)
	requireSet(t, setOf(t, sampleMaster, 1), got)
}

func TestSealedKeysOpenInOnePlaceOnly(t *testing.T) {
	f := fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))
	require.NoError(t, f.Save(setOf(t, sampleMaster, 1)))
	otherDevice, err := NewFile(f.path, bytes.Repeat([]byte{1}, DeviceKeyLength), testTerminal)
	require.NoError(t, err)
	otherTerminal, err := NewFile(f.path, testDevice(), "30010002")
	require.NoError(t, err)
	for _, other := range []*File{otherDevice, otherTerminal} {
		_, err := other.Load()
		require.ErrorIs(t, err, ErrSealed)
	}
	content, err := os.ReadFile(f.path)
	require.NoError(t, err)
	for i := range content { // no byte may differ
		damaged := bytes.Clone(content)
		damaged[i] ^= 1
		require.NoError(t, os.WriteFile(f.path, damaged, 0o600))
		_, err := f.Load()
		require.Error(t, err, "byte %d", i)
	}
	for n := range content { // and none be missing
		require.NoError(t, os.WriteFile(f.path, content[:n], 0o600))
		_, err := f.Load()
		require.Error(t, err, "%d bytes", n)
	}
	_, err = NewFile(f.path, testDevice()[:31], testTerminal)
	assert.ErrorContains(t, err, "must have 32 bytes")
}

func TestAFileInTheClearIsReadAndThenSealed(t *testing.T) {
	f := fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))
	require.NoError(t, os.WriteFile(f.path, []byte(strings.ToLower(sampleMaster)+"\n"), 0o600))
	plain, err := os.Open(f.path) // what stays of the file once its name is another's
	require.NoError(t, err)
	defer plain.Close()
	set, err := f.Load()
	require.NoError(t, err)
	assert.Equal(t, FromFile, set.Source)
	assert.Equal(t, sampleMaster, digitsOf(t, set.Master))
	require.NoError(t, f.Save(set))
	left := make([]byte, 33)
	n, err := plain.ReadAt(left, 0)
	require.NoError(t, err)
	assert.Equal(t, make([]byte, 33), left[:n], "the clear key was overwritten where it lay")
	for content, want := range map[string]error{"00": ErrForm, "": ErrForm, "secret in the safe": ErrForm, strings.Repeat("0", 32): ErrMasterKey,
		strings.Repeat("\x00", 40): ErrDestroyed, strings.Repeat("x", mostSeal+9): ErrForm, sealMagic + "x": ErrSealed} {
		require.NoError(t, os.WriteFile(f.path, []byte(content), 0o600))
		_, err := f.Load()
		require.ErrorIs(t, err, want, "%q", content)
		assert.NotContains(t, err.Error(), "safe")
	}
}

func TestOthersMayNotReadIt(t *testing.T) {
	f := fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))
	require.NoError(t, f.Save(setOf(t, sampleMaster, 1)))
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o610} {
		require.NoError(t, os.Chmod(f.path, mode))
		_, err := f.Load()
		require.ErrorContains(t, err, "can be read by others")
	}
	require.NoError(t, os.Remove(f.path))
	require.NoError(t, os.Mkdir(f.path, 0o700))
	_, err := f.Load()
	assert.ErrorContains(t, err, "is not a file")
}

func TestASaveThatFailsLeavesTheOldSet(t *testing.T) {
	f := fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))
	set := setOf(t, sampleMaster, 1)
	require.NoError(t, f.Save(set))
	require.NoError(t, os.MkdirAll(filepath.Join(f.path+newName, "in the way"), 0o700))
	require.Error(t, f.Save(setOf(t, "0123456789ABCDEFFEDCBA9876543210", 2)))
	got, err := f.Load()
	require.NoError(t, err)
	requireSet(t, set, got)
	gone := setOf(t, sampleMaster, 3)
	gone.Master.Destroy()
	require.ErrorIs(t, f.Save(gone), ErrDestroyed)
	nameless := setOf(t, sampleMaster, 3)
	nameless.By = []string{"a\nb"}
	require.Error(t, f.Save(nameless))
}

func FuzzSealedFile(f *testing.F) {
	s, err := newSealer(testDevice(), testTerminal, purposeSeal)
	require.NoError(f, err)
	sealed := goldenSeal(f)
	f.Add(sealed)
	f.Add(make([]byte, 100))
	f.Add([]byte(sampleMaster))
	f.Fuzz(func(t *testing.T, content []byte) {
		if set, err := s.open(content); err == nil {
			require.Equal(t, sealed, content, "a seal that nobody made opens")
			require.Equal(t, uint64(1), set.Generation)
		}
		if set, err := plainSet(content, FromKeyring); err == nil {
			require.NoError(t, judgeDouble(unhex(t, digitsOf(t, set.Master))))
		}
	})
}

// What is sealed is the terminal's own; it is read as if it were not.
func FuzzSet(f *testing.F) {
	whole, err := setOf(f, sampleMaster, 1).encode()
	require.NoError(f, err)
	f.Add(whole)
	f.Add(whole[:20])
	f.Fuzz(func(t *testing.T, content []byte) {
		set, err := decodeSet(content)
		if err != nil {
			require.True(t, isNoKey(err), "%v", err)
			return
		}
		again, err := set.encode()
		require.NoError(t, err)
		require.Equal(t, content, again)
	})
}
