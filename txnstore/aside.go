package txnstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// asideMark stands between the name of a damaged file and the date and boot at which it was put aside.
const (
	asideMark = ".damaged-"
	asideDate = "20060102T150405"
)

// replace puts NAME.new, which is whole and synced, in the place of NAME, and keeps what was there under a dated name:
//
//	link NAME to NAME.damaged-20261122T000102-boot17 ──► fsync directory ──► rename NAME.new to NAME ──► fsync directory
//
// Power lost in between leaves NAME as it was, and the next Open begins again. A file system without links gets a rename
// instead; NAME is then missing for a moment, and gather looks for it under its dated name.
func replace(dir, name string, now time.Time, boot uint32) (kept string, err error) {
	path := filepath.Join(dir, name)
	if _, err := os.Lstat(path); err == nil {
		if kept, err = putAside(path, now, boot); err != nil {
			return "", err
		}
		if err := syncFile(dir); err != nil {
			return "", fmt.Errorf("put %s aside: %w", name, err)
		}
	}
	if err := os.Rename(path+unborn, path); err != nil {
		return "", fmt.Errorf("replace %s: %w", name, err)
	}
	if err := syncFile(dir); err != nil {
		return "", fmt.Errorf("replace %s: %w", name, err)
	}
	return kept, nil
}

// putAside never takes a name that exists.
func putAside(path string, now time.Time, boot uint32) (string, error) {
	const mostOfOneSecond = 100
	dated := fmt.Sprintf("%s%s%s-boot%d", path, asideMark, now.UTC().Format(asideDate), boot)
	for n := range mostOfOneSecond {
		to := dated
		if n > 0 {
			to = fmt.Sprintf("%s-%02d", dated, n)
		}
		err := os.Link(path, to)
		switch {
		case err == nil:
			return filepath.Base(to), nil
		case errors.Is(err, fs.ErrExist):
			continue
		}
		if _, exists := os.Lstat(to); errors.Is(exists, fs.ErrNotExist) {
			if err = os.Rename(path, to); err == nil {
				return filepath.Base(to), nil
			}
		}
		return "", fmt.Errorf("put %s aside: %w", filepath.Base(path), err)
	}
	return "", fmt.Errorf("put %s aside: %d files of this second exist; move them to another disk", filepath.Base(path), mostOfOneSecond)
}
