package txnstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// traded is a directory in which a terminal has traded a little, with every file in use or with nothing archived yet.
func traded(t testing.TB, sales int) string {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	for n := range sales {
		sell(t, s, refNumber(n))
		require.NoError(t, s.Tidy())
	}
	mustBegin(t, s, "open")
	require.NoError(t, s.Close())
	return dir
}

func contents(t testing.TB, dir string) map[string][]byte {
	all := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
	}
	return all
}

// refusedUntouched wants Open and View to fail alike and to change nothing.
func refusedUntouched(t *testing.T, dir string, o *Options, want error) {
	t.Helper()
	before := contents(t, dir)
	s, _, err := Open(dir, o)
	if assert.ErrorIs(t, err, want) {
		t.Log(err)
	} else if err == nil {
		_ = s.Close()
	}
	v, err := View(dir, o)
	if !assert.ErrorIs(t, err, want) && err == nil {
		_ = v.Close()
	}
	after := contents(t, dir)
	assert.Len(t, after, len(before))
	for name, b := range before {
		assert.True(t, bytes.Equal(b, after[name]), "%s was changed", name)
	}
}

func TestAStoreOfAnotherTerminalIsRefused(t *testing.T) {
	dir := traded(t, 6)
	o := testOptions()
	o.Terminal = "T7654321"
	refusedUntouched(t, dir, o, ErrOtherTerminal)
	foreign := quickDir(t)
	s, _, err := Open(foreign, o)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for _, name := range fileNames() {
		mixed := quickDir(t)
		photograph(t, dir, mixed)
		b, err := os.ReadFile(filepath.Join(foreign, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(mixed, name), b, 0o600))
		refusedUntouched(t, mixed, testOptions(), ErrOtherTerminal)
	}
}

func TestAWrongKeyIsRefused(t *testing.T) {
	dir := traded(t, 6)
	o := testOptions()
	o.Key = bytes.Repeat([]byte{8}, keySize)
	refusedUntouched(t, dir, o, ErrSealed)
	fresh := newborn(t)
	refusedUntouched(t, fresh, o, ErrSealed)
}

// A file that is missing, empty or cut where the terminal has traded is never taken for a new store: View refuses it, and
// Open builds it anew from the others and says so.
func TestAMissingOrEmptyFileIsAnAlarm(t *testing.T) {
	t.Parallel()
	for _, sales := range []int{0, 1, 6} {
		dir := traded(t, sales)
		for n := 1; n < 7; n++ { // every choice of one or two files
			for _, how := range []string{"missing", "empty", "cut"} {
				hurt := quickDir(t)
				photograph(t, dir, hurt)
				lost := map[string]bool{}
				for i, name := range fileNames() {
					if n&(1<<i) == 0 {
						continue
					}
					lost[name] = true
					path := filepath.Join(hurt, name)
					switch how {
					case "missing":
						require.NoError(t, os.Remove(path))
					case "empty":
						require.NoError(t, os.Truncate(path, 0))
					default:
						require.NoError(t, os.Truncate(path, 3*pageSize))
					}
				}
				label := fmt.Sprintf("%d sales, %v %s", sales, slices.Sorted(maps.Keys(lost)), how)
				_, err := View(hurt, testOptions())
				require.ErrorIs(t, err, ErrDamaged, label)
				s, report := mustOpen(t, hurt)
				assert.False(t, report.New, label)
				assert.Equal(t, uint32(2), report.Boot, label)
				for name := range lost {
					says(t, report, "damaged: "+name)
				}
				if !lost[hotName] || !lost[shadowName] {
					owed, err := s.Owed()
					require.NoError(t, err)
					assert.Equal(t, []txn.ID{txn.ID(sales + 1)}, ids(owed), label)
				}
				next := mustBegin(t, s, "goes-on")
				assert.Greater(t, next.ID, txn.ID(sales+1), label)
				assert.Greater(t, next.STAN, uint32(sales+1), label)
				require.NoError(t, s.Close())
			}
		}
	}
}

func TestAnEmptyFileAloneIsNotAPlaceToStart(t *testing.T) {
	for _, name := range fileNames() {
		dir := quickDir(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		refusedUntouched(t, dir, testOptions(), ErrDamaged)
	}
}

func TestAFileOfOtherContentIsDamage(t *testing.T) {
	for _, name := range fileNames() {
		dir := traded(t, 6)
		patch(t, filepath.Join(dir, name), func(b []byte) []byte {
			for i := range b {
				b[i] = byte(i * 31)
			}
			return b
		})
		s, report := mustOpen(t, dir)
		owed, err := s.Owed()
		require.NoError(t, err)
		assert.Equal(t, []txn.ID{7}, ids(owed))
		require.NoError(t, s.Close())
		if name != shadowName {
			says(t, report, "was put aside as "+name+asideMark)
			continue
		}
		assert.Len(t, report.Findings, 1+shadowBlocks+1, "the identity, each block, the last commit")
		_, report = mustOpenClosed(t, dir)
		assert.Less(t, len(report.Findings), shadowBlocks)
	}
}

func mustOpenClosed(t testing.TB, dir string) (*Store, Report) {
	s, report := mustOpen(t, dir)
	require.NoError(t, s.Close())
	return s, report
}

func TestTwoAgentsDoNotShareAStore(t *testing.T) {
	t.Parallel()
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	_, _, err := Open(dir, testOptions())
	require.ErrorIs(t, err, ErrLocked)
	assert.Contains(t, err.Error(), "another posagent has this store open")
	require.NoError(t, s.Close())
	v, err := View(dir, testOptions())
	require.NoError(t, err)
	_, _, err = Open(dir, testOptions())
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, v.Close())
	s, _ = mustOpen(t, dir)
	require.NoError(t, s.Close())
}

func TestOptionsAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"no terminal":   func(o *Options) { o.Terminal = "" },
		"long terminal": func(o *Options) { o.Terminal = "T12345678" },
		"long merchant": func(o *Options) { o.Merchant = "1041100481600011" },
		"short key":     func(o *Options) { o.Key = o.Key[1:] },
	} {
		o := testOptions()
		spoil(o)
		_, _, err := Open(quickDir(t), o)
		assert.Error(t, err, name)
	}
	_, _, err := Open(quickDir(t), nil)
	assert.Error(t, err)
}

func TestAViewChangesNothing(t *testing.T) {
	empty := quickDir(t)
	_, err := View(empty, testOptions())
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = View(filepath.Join(empty, "nowhere"), testOptions())
	require.ErrorIs(t, err, fs.ErrNotExist)

	dir := traded(t, 9)
	before := contents(t, dir)
	v, err := View(dir, testOptions())
	require.NoError(t, err)
	w, err := View(dir, testOptions())
	require.NoError(t, err, "viewers do not mind each other")
	require.NoError(t, w.Close())
	owed, err := v.Owed()
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{10}, ids(owed))
	assert.Equal(t, 1, v.Report().Owed)
	list, err := v.List(3)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{10, 9, 8}, ids(list))
	r, ok, err := v.ByReference(refNumber(2))
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, txn.ID(3), r.ID)
	_, err = v.Get(11)
	assert.ErrorIs(t, err, ErrNotFound)
	n := 0
	require.NoError(t, v.Since(1, func(txn.Txn) error { n++; return nil }))
	assert.Equal(t, 10, n)
	paper, err := v.OwedPaper()
	require.NoError(t, err)
	assert.Empty(t, paper)
	require.NoError(t, v.Close())
	assert.True(t, errors.Is(v.Close(), ErrClosed))
	_, err = v.Get(1)
	assert.ErrorIs(t, err, ErrClosed)
	assert.Equal(t, before, contents(t, dir))
}

func TestNoCardNumberIsReadableInAnyFile(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	for n := range 9 {
		sell(t, s, refNumber(n))
		require.NoError(t, s.Tidy())
	}
	mustBegin(t, s, "open")
	require.NoError(t, s.Close())
	pan := draft("x").Card.PAN.DigitsInTheClear()
	packed := []byte{0x62, 0x24, 0x24, 0x29, 0x00, 0x00, 0x01, 0x13}
	for name, b := range contents(t, dir) {
		assert.False(t, bytes.Contains(b, []byte(pan)), name)
		assert.False(t, bytes.Contains(b, packed), name)
		assert.False(t, bytes.Contains(b, []byte(pan[6:])), name)
		assert.False(t, bytes.Contains(b, []byte("3012")), "%s: expiry", name)
		assert.True(t, bytes.Contains(b, []byte("PBOC DEBIT")), "%s does hold the records", name)
	}
}
