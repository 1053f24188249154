package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"posagent/link/acquirer/keys"
)

// The store's key may be kept by the kernel instead of in a file: a key of type "user" (keyrings(7), keyctl(2)) that the
// machine's own start-up has put there, for instance from a TPM or a secure element, before posagent runs. The key file
// then holds only where the key is, "keyring:NAME", and goes on telling a first start from a lost store (keys.go).
const keyringPrefix = "keyring:"

// storeKeyFrom reads the store's key by its file, and holds the file against the configuration.
func (c *Config) storeKeyFrom(path string) ([]byte, error) {
	pointer, err := readPointer(path)
	switch {
	case err != nil:
		return nil, err
	case pointer == "" && c.Store.KeySource == "":
		return readKey(path, storeKeyBytes)
	case pointer == "":
		return nil, fmt.Errorf("%s holds the key itself and store.key_source names %s; load the key into the keyring, "+
			"check that it opens the store, and write that name into the file instead", path, c.Store.KeySource)
	case pointer != c.Store.KeySource:
		return nil, fmt.Errorf("%s says that the key is at %q and store.key_source says %q; correct the configuration", path, pointer, c.Store.KeySource)
	}
	return keyringKey(strings.TrimPrefix(pointer, keyringPrefix))
}

// makeStoreKey makes what a first start needs, durably: a key in a file, or a file that names one in the keyring.
func (c *Config) makeStoreKey(path string) ([]byte, error) {
	if c.Store.KeySource == "" {
		return makeKey(path)
	}
	key, err := keyringKey(strings.TrimPrefix(c.Store.KeySource, keyringPrefix))
	if err != nil {
		return nil, err
	}
	return key, writeKeyFile(path, c.Store.KeySource)
}

// readPointer returns "keyring:NAME" if that is what the file holds, and nothing if it holds anything else.
func readPointer(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, unix.EISDIR) && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	line := strings.TrimSpace(string(text))
	if !strings.HasPrefix(line, keyringPrefix) {
		return "", nil
	}
	return line, nil
}

func writeKeyFile(path, line string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
		return err
	}
	return errors.Join(syncPath(path), syncPath(filepath.Dir(path)))
}

// validKeySource accepts nothing, which is the file, or a name in the keyring.
func validKeySource(s string) bool {
	name, inKeyring := strings.CutPrefix(s, keyringPrefix)
	return s == "" || inKeyring && name != "" && len(name) <= 100 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}

// keyringKey reads a key from the session's keyring or from the user's: 32 bytes, or 64 hexadecimal digits.
func keyringKey(name string) ([]byte, error) {
	held, err := keys.Ring{Name: name}.Read(func(held []byte) error {
		key, err := keyIn(held)
		clear(key)
		return err
	})
	if err != nil {
		return nil, keyringError(name, err)
	}
	defer clear(held)
	return keyIn(held)
}

func keyIn(held []byte) ([]byte, error) {
	if len(held) == storeKeyBytes {
		return bytes.Clone(held), nil
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(held)))
	if err != nil || len(key) != storeKeyBytes {
		return nil, errNotAKey
	}
	return key, nil
}

var errNotAKey = fmt.Errorf("it does not hold a key; it must have %d bytes or %d hexadecimal digits", storeKeyBytes, 2*storeKeyBytes)

// keyringError says what to do about the failure that tells most.
func keyringError(name string, all error) error {
	what := func(format string, args ...any) error {
		return fmt.Errorf("the kernel's keyring, key %q: %s", name, fmt.Sprintf(format, args...))
	}
	switch {
	case errors.Is(all, errNotAKey):
		return what("%v", errNotAKey)
	case errors.Is(all, unix.EKEYEXPIRED), errors.Is(all, unix.EKEYREVOKED):
		return what("it has expired or was revoked; load it again before posagent starts")
	case errors.Is(all, unix.EACCES), errors.Is(all, unix.EPERM):
		return what("posagent may not read it; load it as posagent's user (keyctl padd user %s @u)", name)
	case errors.Is(all, unix.ENOSYS), errors.Is(all, unix.EOPNOTSUPP):
		return what("this kernel has no keyrings; use store.key_file without key_source")
	default:
		return what("it is not there; load it before posagent starts (keyctl padd user %s @u) (%v)", name, strings.ReplaceAll(all.Error(), "\n", "; "))
	}
}
