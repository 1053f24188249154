package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
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
	runtime.LockOSThread() // a keyring of the process is reached through the thread that made it
	defer runtime.UnlockOSThread()
	var errs []error
	for _, ring := range []int{unix.KEY_SPEC_SESSION_KEYRING, unix.KEY_SPEC_USER_KEYRING} {
		id, err := unix.KeyctlSearch(ring, "user", name, 0)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		key, err := readKeyringKey(ring, id)
		if err == nil {
			return key, nil
		}
		errs = append(errs, err)
	}
	return nil, keyringError(name, errs)
}

// readKeyringKey reads one key. A key that stands only in the user's keyring is not possessed by this process and so not
// readable; that keyring is then linked to the process's own.
func readKeyringKey(ring, id int) ([]byte, error) {
	held := make([]byte, 2*storeKeyBytes+2)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, held, 0)
	if errors.Is(err, unix.EACCES) {
		if _, linked := unix.KeyctlInt(unix.KEYCTL_LINK, ring, unix.KEY_SPEC_PROCESS_KEYRING, 0, 0); linked == nil {
			n, err = unix.KeyctlBuffer(unix.KEYCTL_READ, id, held, 0)
		}
	}
	if err != nil {
		return nil, err
	}
	if n == storeKeyBytes {
		return held[:n], nil
	}
	if n <= len(held) {
		if key, err := hex.DecodeString(strings.TrimSpace(string(held[:n]))); err == nil && len(key) == storeKeyBytes {
			return key, nil
		}
	}
	return nil, errNotAKey
}

var errNotAKey = fmt.Errorf("it does not hold a key; it must have %d bytes or %d hexadecimal digits", storeKeyBytes, 2*storeKeyBytes)

// keyringError says what to do about the failure that tells most.
func keyringError(name string, errs []error) error {
	what := func(format string, args ...any) error {
		return fmt.Errorf("the kernel's keyring, key %q: %s", name, fmt.Sprintf(format, args...))
	}
	all := errors.Join(errs...)
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
		return what("it is not there; load it before posagent starts (keyctl padd user %s @u) (%v)", name, errs[len(errs)-1])
	}
}
