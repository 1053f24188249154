package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// loadKey puts a key where the machine's start-up would, and takes it away again.
func loadKey(name string, content []byte) (unload func(), err error) {
	id, err := unix.AddKey("user", name, content, unix.KEY_SPEC_USER_KEYRING)
	if err != nil {
		return nil, err
	}
	return func() {
		_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, unix.KEY_SPEC_USER_KEYRING, 0, 0)
	}, nil
}

func TestAKeyFromTheKeyring(t *testing.T) {
	name := fmt.Sprint("posagent-test-", os.Getpid())
	key := bytes.Repeat([]byte{0x5a, 0xa5}, storeKeyBytes/2)
	_, err := keyringKey(name)
	require.ErrorContains(t, err, "the kernel's keyring, key \""+name+"\": ", "not there, or no keyring here")
	t.Log(err)
	for what, content := range map[string][]byte{"bytes": key, "digits": []byte(hex.EncodeToString(key) + "\n")} {
		unload, err := loadKey(name, content)
		if err != nil {
			t.Logf("this machine keeps no keys (%v): only the error is tested", err)
			return
		}
		got, err := keyringKey(name)
		unload()
		require.NoError(t, err, what)
		assert.Equal(t, key, got, what)
	}
	for _, bad := range [][]byte{key[:31], bytes.Repeat(key, 10), bytes.Repeat([]byte("x"), 64)} {
		unload, err := loadKey(name, bad)
		require.NoError(t, err)
		_, err = keyringKey(name)
		unload()
		assert.ErrorContains(t, err, "it must have 32 bytes or 64 hexadecimal digits")
		assert.NotContains(t, err.Error(), string(bad))
	}
}

// keyring NAME DIGITS loads a key for the length of a script.
func keyring(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keyring NAME DIGITS")
	}
	unload, err := loadKey(args[0], []byte(args[1]))
	ts.Check(err)
	ts.Defer(unload)
}

// keepsKeys is the condition [keyring]: whether this machine's kernel lets a test keep a key.
func keepsKeys() bool {
	unload, err := loadKey(fmt.Sprint("posagent-probe-", os.Getpid()), []byte("x"))
	if err != nil {
		return false
	}
	unload()
	return true
}
