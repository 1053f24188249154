package linktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxLedgerFile is the largest file of books that is read, in bytes: over a hundred thousand rows.
const maxLedgerFile = 64 << 20

// LoadLedger reads books that SaveLedger wrote and proves them. A file that does not exist is an empty ledger; a file
// that is damaged is an error, never an empty ledger.
func LoadLedger(path string) (Ledger, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Ledger{}, nil
	}
	if err != nil {
		return Ledger{}, fmt.Errorf("ledger: %w", err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxLedgerFile+1))
	if err != nil {
		return Ledger{}, fmt.Errorf("ledger: %w", err)
	}
	l, err := parseLedger(raw)
	if err != nil {
		return Ledger{}, fmt.Errorf("ledger %s is damaged: %w; move it aside to start with empty books", path, err)
	}
	return l, nil
}

func parseLedger(raw []byte) (Ledger, error) {
	if len(raw) > maxLedgerFile {
		return Ledger{}, fmt.Errorf("longer than %d bytes", maxLedgerFile)
	}
	var l Ledger
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return Ledger{}, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Ledger{}, errors.New("something follows the books")
	}
	return l, l.Check()
}

// SaveLedger replaces the file as a whole: written beside it, synced, renamed over it, directory synced. Killed at any
// moment, the process leaves the old books or the new ones.
func SaveLedger(path string, l Ledger) error {
	raw, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	beside := path + ".new"
	if err := writeSynced(beside, append(raw, '\n')); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := os.Rename(beside, path); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer directory.Close()
	return directory.Sync()
}

func writeSynced(path string, raw []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	return errors.Join(err, file.Sync(), file.Close())
}
