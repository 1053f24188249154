package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile bounds both files, in bytes.
const maxFile = 64 << 10

// failuresName is the file of failures beside a list.
func (l *List) failuresName() string { return l.path + ".failures" }

func (l *List) read() ([]entry, error) {
	text, err := readPrivate(l.path)
	if err != nil {
		return nil, fmt.Errorf("supervisors: %w", err)
	}
	entries, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("supervisors: %s: %w", l.path, err)
	}
	return entries, nil
}

func (l *List) write(entries []entry) error {
	var text []byte
	for _, e := range entries {
		text = append(text, e.line()...)
	}
	return replace(l.path, text)
}

func (l *List) failures() (map[string]int, error) {
	failures := map[string]int{}
	text, err := readPrivate(l.failuresName())
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &failures)
	}
	if err != nil {
		return nil, fmt.Errorf("supervisors: the count of failures cannot be read, so nothing is allowed; posagent supervisor unlock begins it again: %w", err)
	}
	if failures == nil {
		failures = map[string]int{}
	}
	return failures, nil
}

func (l *List) keep(failures map[string]int) error {
	text, err := json.Marshal(failures)
	if err != nil {
		return err
	}
	return replace(l.failuresName(), append(text, '\n'))
}

// readPrivate reads a file that nobody but its owner may read or change; none is an empty one.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s may be read or changed by others; make it a file of mode 0600", path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxFile)
	}
	return os.ReadFile(path)
}

// replace writes a file as a whole: beside it, synced, renamed over it, directory synced. Power lost at any moment leaves the
// old or the new one.
func replace(path string, text []byte) error {
	beside := path + ".new"
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
