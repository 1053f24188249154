package keys

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Where the machine lets a test keep a key, the keyring is held to what a file is held to; elsewhere its errors are.
func TestASetInTheKeyring(t *testing.T) {
	name := fmt.Sprint("posagent-keys-test-", os.Getpid())
	k, err := NewKeyring(name, testDevice(), testTerminal)
	require.NoError(t, err)
	_, err = k.Load()
	require.Error(t, err)
	t.Log(err)
	set := setOf(t, sampleMaster, 1)
	if err := k.Save(set); err != nil {
		require.ErrorContains(t, err, "the kernel's keyring, key "+name)
		t.Logf("this machine keeps no keys (%v): only the errors are tested", err)
		return
	}
	defer func() { assert.NoError(t, k.Destroy()) }()
	require.NoError(t, k.Mend())
	got, err := k.Load()
	require.NoError(t, err)
	requireSet(t, set, got)
	assert.False(t, k.Survives())

	other, err := NewKeyring(name, testDevice(), "30010002")
	require.NoError(t, err)
	_, err = other.Load()
	require.ErrorIs(t, err, ErrSealed)
	next := setOf(t, "0123456789ABCDEFFEDCBA9876543210", 2)
	require.NoError(t, k.Save(next))
	got, err = k.Load()
	require.NoError(t, err)
	requireSet(t, next, got)

	require.NoError(t, k.Destroy())
	_, err = k.Load()
	require.ErrorIs(t, err, ErrNoKeys)
	require.NoError(t, k.Destroy())
	require.NoError(t, k.Save(set), "and a new one may be loaded")

	for _, content := range [][]byte{unhex(t, sampleMaster), []byte(sampleMaster + "\n")} { // as a start-up puts it there
		_, err := unix.AddKey("user", name, content, unix.KEY_SPEC_USER_KEYRING)
		require.NoError(t, err)
		got, err := k.Load()
		require.NoError(t, err)
		assert.Equal(t, FromKeyring, got.Source)
		assert.Equal(t, sampleMaster, digitsOf(t, got.Master))
	}
	_, err = unix.AddKey("user", name, []byte("something else"), unix.KEY_SPEC_USER_KEYRING)
	require.NoError(t, err)
	_, err = k.Load()
	require.ErrorIs(t, err, ErrForm)
	odd := errors.New("odd")
	_, err = Ring{name}.Read(func([]byte) error { return odd })
	require.ErrorIs(t, err, odd)
}
