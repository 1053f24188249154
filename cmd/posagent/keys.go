package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"posagent/txnstore"
)

// storeKeyBytes is the length of the key that seals card data, and the acquirer's keys, at rest.
const storeKeyBytes = 32

// The store's key is born beside the store, and each start can tell from what is there how far the first one got:
//
//	KEY.new    store    the first start was interrupted, or this is it: go on with KEY.new, and rename it to KEY at last
//	KEY        store    in service
//	-          store    alarm: without its key nobody can read the cards of what is owed
//	KEY        -        alarm: a terminal was in service here and its books are gone
//	-          -        the first start
const unborn = ".new"

// openStore makes the device key at the first start and never afterwards.
func (c *Config) openStore(log *slog.Logger) (*txnstore.Store, error) {
	key, born, err := c.storeKey()
	if errors.Is(err, errNoStore) {
		key, err = c.makeStoreKey(c.path(c.Store.KeyFile) + unborn)
	}
	if err != nil {
		return nil, fmt.Errorf("store.key_file: %w", err)
	}
	store, report, err := txnstore.Open(c.path(c.Store.Dir), c.storeOptions(key))
	if err != nil {
		return nil, fmt.Errorf("store.dir: %w", err)
	}
	if !born {
		// Power lost before this leaves KEY.new beside a store, and the next start comes here again.
		if err := keepKey(c.path(c.Store.KeyFile)); err != nil {
			return nil, errors.Join(fmt.Errorf("store.key_file: %w", err), store.Close())
		}
	}
	for _, finding := range report.Findings {
		log.Warn("store", "found", finding)
	}
	log.Info("store open", "new", report.New, "boot", report.Boot, "owed", report.Owed)
	return store, nil
}

func (c *Config) storeOptions(key []byte) *txnstore.Options {
	return &txnstore.Options{Terminal: c.Terminal.ID, Merchant: c.Terminal.Merchant, Profile: c.mark(), Key: key, Now: time.Now,
		Keep: txnstore.Keep{Batches: uint32(c.Store.KeepBatches), Age: time.Duration(c.Store.KeepDays) * 24 * time.Hour}}
}

// errNoStore means that no terminal has been in service here.
var errNoStore = errors.New("there is no store yet; \"posagent run\" makes it at its first start")

// storeKey finds the key of the store that is there, and says whether its name is final. It changes nothing. The error is
// errNoStore where a first start has everything before it.
func (c *Config) storeKey() (key []byte, born bool, err error) {
	path, dir := c.path(c.Store.KeyFile), c.path(c.Store.Dir)
	traded, err := txnstore.HasFiles(dir)
	if err != nil {
		return nil, false, err
	}
	_, err = os.Stat(path)
	switch {
	case err == nil && !traded:
		return nil, true, fmt.Errorf("%s is the key of a store and %s holds none; mount or restore the store, "+
			"or remove the key if this terminal has never been in service", path, dir)
	case err == nil:
		key, err = c.storeKeyFrom(path)
		return key, true, err
	case !errors.Is(err, fs.ErrNotExist):
		return nil, false, err
	}
	key, err = c.storeKeyFrom(path + unborn)
	if pointer, _ := readPointer(path + unborn); err == nil || pointer != "" {
		return key, false, err
	}
	if traded {
		return nil, false, fmt.Errorf("%s is missing and %s holds a store; restore the key of this store from its safe copy", path, dir)
	}
	return nil, false, errNoStore
}

// makeKey is durable before it returns: a store sealed with a key that a power cut took away would be lost.
func makeKey(path string) ([]byte, error) {
	key := make([]byte, storeKeyBytes)
	_, _ = rand.Read(key) // never fails, by its contract
	return key, writeKeyFile(path, hex.EncodeToString(key))
}

func keepKey(path string) error {
	if err := os.Rename(path+unborn, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// readKey reads a key file of n bytes in hex. Others than its owner must not be able to read it.
func readKey(path string, n int) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is not there; write the key into it, %d hexadecimal digits, and chmod 600 it", path, 2*n)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file; name the file that holds the key", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s can be read by others (mode %04o); chmod 600 it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != n {
		return nil, fmt.Errorf("%s does not hold a key; it must have %d hexadecimal digits", path, 2*n)
	}
	return key, nil
}
