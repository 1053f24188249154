package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"posagent/link/acquirer/keys"
)

// keyLogName is the file in the store's directory that remembers who loaded which keys.
const keyLogName = "keys.log"

// keyStore is where the configuration keeps the acquirer's keys.
func (c *Config) keyStore(device []byte) (keys.KeyStore, error) {
	if name, inKeyring := strings.CutPrefix(c.Acquirer.KeySource, keyringPrefix); inKeyring {
		return keys.NewKeyring(name, device, c.Terminal.ID)
	}
	return keys.NewFile(c.path(c.Acquirer.KeyFile), device, c.Terminal.ID)
}

// keyName is the configuration's key for that place, for error texts.
func (c *Config) keyName() string {
	if c.Acquirer.KeySource != "" {
		return "acquirer.key_source"
	}
	return "acquirer.key_file"
}

// keySet reads the acquirer's keys and changes nothing. A key in the clear needs no device key, so that it is judged
// where no terminal has been in service too; sealed ones do.
func (c *Config) keySet() (*keys.Set, error) {
	device, _, missing := c.storeKey()
	if missing != nil {
		device = make([]byte, storeKeyBytes)
	}
	defer clear(device)
	store, err := c.keyStore(device)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.keyName(), err)
	}
	set, err := store.Load()
	switch {
	case errors.Is(err, keys.ErrSealed) && missing != nil:
		err = fmt.Errorf("%w; the device key is not there: %w", err, missing)
	case errors.Is(err, keys.ErrNoKeys):
		err = fmt.Errorf("%w; load them: posagent keys load", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.keyName(), err)
	}
	return set, nil
}

// settleKeys finishes what a power cut interrupted when keys were loaded. Trade does not wait for it: it is tried again at
// the next start.
func (c *Config) settleKeys(set *keys.Set, log *slog.Logger) {
	if set.Source == keys.FromFile && set.Generation == 0 {
		log.Warn("the acquirer's master key lies in the clear", "where", c.path(c.Acquirer.KeyFile), "do", "posagent keys seal")
		return
	}
	k, err := c.openKeys(false)
	if err == nil {
		err = errors.Join(k.store.Mend(), k.log.Settle(set), k.log.Changed, k.close())
	}
	if err != nil {
		log.Warn("the key log could not be brought up to date", "cause", err)
	}
}

// keyRoom is everything that a verb about keys works on. While it is open no other process is in it.
type keyRoom struct {
	device []byte
	store  keys.KeyStore
	family *keys.FamilyFile // nil where the configuration names none
	log    *keys.Log
}

// openKeys makes the device key where no terminal has been in service and first says so; the first start goes on with it.
func (c *Config) openKeys(first bool) (*keyRoom, error) {
	device, _, err := c.storeKey()
	if errors.Is(err, errNoStore) && first {
		device, err = c.makeStoreKey(c.path(c.Store.KeyFile) + unborn)
	}
	if err != nil {
		return nil, fmt.Errorf("store.key_file: %w", err)
	}
	store, err := c.keyStore(device)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.keyName(), err)
	}
	family, err := c.dukptFile(device)
	if err != nil {
		return nil, err
	}
	log, err := keys.OpenLog(filepath.Join(c.path(c.Store.Dir), keyLogName), device)
	if err != nil {
		return nil, fmt.Errorf("store.dir: %w", err)
	}
	return &keyRoom{device, store, family, log}, nil
}

// mend ends what an interrupted change of keys left.
func (k *keyRoom) mend() error {
	if k.family == nil {
		return k.store.Mend()
	}
	return errors.Join(k.store.Mend(), k.family.Mend())
}

func (k *keyRoom) close() error {
	clear(k.device)
	return k.log.Close()
}

// signers are the key centres whose bundles this terminal accepts.
func (c *Config) signers() []ed25519.PublicKey {
	var list []ed25519.PublicKey
	for _, digits := range c.Acquirer.KeySigners {
		if key, err := hex.DecodeString(digits); err == nil && len(key) == ed25519.PublicKeySize {
			list = append(list, key)
		}
	}
	return list
}

// readSmall reads a request or a bundle, which may be a pipe's.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is not there", path)
	case err != nil:
		return nil, err
	case info.Size() > keys.MaxBundle:
		return nil, fmt.Errorf("%s is longer than %d bytes: it is neither a request nor a bundle", path, keys.MaxBundle)
	}
	return os.ReadFile(path)
}
