package supervisor

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

var right, wrong = txn.NewPassword("open sesame"), txn.NewPassword("open barley")

func newList(t *testing.T) *List {
	l := Open(filepath.Join(t.TempDir(), "supervisors"))
	l.rounds = minIterations
	require.NoError(t, l.Set("00", right))
	return l
}

func TestASupervisorIsLetInByTheirPasswordAlone(t *testing.T) {
	l := newList(t)
	require.NoError(t, l.Allow("00", right))
	require.ErrorIs(t, l.Allow("00", wrong), ErrDenied)
	require.ErrorIs(t, l.Allow("00", txn.Password{}), ErrDenied)
	require.ErrorIs(t, l.Allow("07", right), ErrDenied)
	text, err := os.ReadFile(l.path)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "sesame")
	info, err := os.Stat(l.path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.NotContains(t, fmt.Sprintf(verb, right), "sesame")
		assert.NotContains(t, fmt.Sprintf(verb, struct{ p txn.Password }{right}), "sesame")
	}
}

func TestALockOutSurvivesARestart(t *testing.T) {
	l := newList(t)
	for range MaxFailures {
		require.ErrorIs(t, Open(l.path).Allow("00", wrong), ErrDenied)
	}
	require.ErrorIs(t, Open(l.path).Allow("00", right), ErrLocked)
	all, err := l.All()
	require.NoError(t, err)
	assert.Equal(t, []Known{{"00", MaxFailures, true}}, all)
	require.NoError(t, l.Unlock("00"))
	require.NoError(t, l.Allow("00", right))
	require.ErrorIs(t, l.Allow("00", wrong), ErrDenied)
	require.NoError(t, l.Allow("00", right), "a right password begins the count again")
	all, err = l.All()
	require.NoError(t, err)
	assert.Zero(t, all[0].Failed)
}

// Where the attempt cannot be counted it is not made, and what cannot be read lets nobody in.
func TestWhatCannotBeCountedIsNotTried(t *testing.T) {
	l := newList(t)
	require.NoError(t, os.Mkdir(l.failuresName()+".new", 0o700))
	require.ErrorContains(t, l.Allow("00", right), "cannot be counted")
	require.NoError(t, os.Remove(l.failuresName()+".new"))
	require.NoError(t, os.WriteFile(l.failuresName(), []byte("{"), 0o600))
	require.ErrorContains(t, l.Allow("00", right), "nothing is allowed")
	require.NoError(t, l.Unlock("00"))
	require.NoError(t, l.Allow("00", right))
	require.NoError(t, os.Chmod(l.path, 0o644))
	require.ErrorContains(t, l.Allow("00", right), "mode 0600")
	require.ErrorIs(t, Open(filepath.Join(t.TempDir(), "none")).Allow("00", right), ErrDenied)
}

func TestTheListIsChangedAsAWhole(t *testing.T) {
	l := newList(t)
	require.NoError(t, l.Set("07", wrong))
	require.NoError(t, l.Allow("07", wrong))
	require.NoError(t, l.Set("07", right), "a new password")
	require.ErrorIs(t, l.Allow("07", wrong), ErrDenied)
	require.NoError(t, l.Remove("07"))
	require.ErrorIs(t, l.Allow("07", right), ErrDenied)
	require.NoError(t, l.Allow("00", right))
	for _, number := range []string{"", "0000", "0:", "零"} {
		require.Error(t, l.Set(number, right), number)
	}
	require.Error(t, l.Set("01", txn.NewPassword("short")))
	require.Error(t, l.Set("01", txn.NewPassword(strings.Repeat("x", 65))))
}

func FuzzParse(f *testing.F) {
	good := entry{"00", iterations, make([]byte, saltSize), make([]byte, hashSize)}.line()
	for _, s := range []string{"", "# nobody\n", good, good + good, strings.Replace(good, "200000", "1", 1), "a:b", strings.Repeat("\n", 9)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parse(text)
		if err != nil {
			return
		}
		again := ""
		for _, e := range entries {
			again += e.line()
		}
		back, err := parse(again)
		if err != nil || len(back) != len(entries) {
			t.Fatalf("%q does not survive: %v", text, err)
		}
	})
}
