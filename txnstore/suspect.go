package txnstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// suspectName is an empty file: something in archive.db was found bad that Open would not look at, so the next Open looks
// at everything.
const suspectName = "suspect"

// Suspect makes the next Open look at everything.
func Suspect(dir string) error {
	path := filepath.Join(dir, suspectName)
	err := os.WriteFile(path, nil, 0o600)
	if err = errors.Join(err, syncFile(dir)); err != nil {
		return fmt.Errorf("have the store looked at by its next start: %w", err)
	}
	return nil
}

func suspected(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, suspectName))
	return !errors.Is(err, fs.ErrNotExist)
}

// trusted ends a suspicion.
func trusted(dir string) error {
	err := os.Remove(filepath.Join(dir, suspectName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
