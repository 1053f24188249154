package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What is done to files is first a list of steps and then carried out, so that a test can stop after any of them, and in
// the middle of one, as the power does.
type step struct {
	deed    deed
	path    string
	to      string // of a rename
	content []byte // of a write
}

type deed string

const (
	write     deed = "write"     // a new file, of mode 0600
	overwrite deed = "overwrite" // with zeros, the whole length, where it lies
	syncFile  deed = "sync"
	rename    deed = "rename"
	link      deed = "link" // a second name, so that what a rename replaces can still be overwritten
	remove    deed = "remove"
	syncDir   deed = "sync directory"
)

// newName is what a file is called until it is whole, and oldName what a replaced one is until it is overwritten.
const (
	newName = ".new"
	oldName = ".old"
)

// saving replaces a file. Power lost before the rename leaves the old file whole, afterwards the new one; what lies under
// the two other names is nobody's, and the next save or destruction ends it. The directory is synced before the old file
// is overwritten: until then a power cut may take the rename back.
func saving(path string, content []byte, replaces bool) []step {
	steps := []step{{deed: write, path: path + newName, content: content}, {deed: syncFile, path: path + newName}}
	if replaces {
		steps = append(steps, step{deed: link, path: path, to: path + oldName})
	}
	steps = append(steps, step{deed: rename, path: path + newName, to: path}, step{deed: syncDir, path: path})
	if replaces {
		steps = append(steps, destroying(path+oldName)...)
	}
	return steps
}

// destroying ends a file: what it held is gone before its name is.
func destroying(path string) []step {
	return []step{{deed: overwrite, path: path}, {deed: syncFile, path: path}, {deed: remove, path: path}, {deed: syncDir, path: path}}
}

func perform(steps []step) error {
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.deed, err)
		}
	}
	return nil
}

func (s step) do() error {
	switch s.deed {
	case write:
		return withFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, func(f *os.File) error {
			_, err := f.Write(s.content)
			return err
		})
	case overwrite:
		return withFile(s.path, os.O_WRONLY, func(f *os.File) error {
			info, err := f.Stat()
			if err != nil {
				return err
			}
			_, err = f.WriteAt(make([]byte, info.Size()), 0)
			return err
		})
	case syncFile:
		return withFile(s.path, os.O_RDONLY, (*os.File).Sync)
	case rename:
		return os.Rename(s.path, s.to)
	case link:
		return os.Link(s.path, s.to)
	case remove:
		return os.Remove(s.path)
	case syncDir:
		return withFile(filepath.Dir(s.path), os.O_RDONLY, (*os.File).Sync)
	}
	panic("keys: a step without a deed")
}

func withFile(path string, flag int, do func(*os.File) error) error {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(do(f), f.Close())
}

func isThere(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func isSameFile(one, other string) (bool, error) {
	a, err := os.Lstat(one)
	if err == nil {
		var b fs.FileInfo
		if b, err = os.Lstat(other); err == nil {
			return os.SameFile(a, b), nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return false, err
}
