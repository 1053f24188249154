package keys

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// KeyStore keeps one set of keys. There are two: a sealed File, and the kernel's Keyring.
type KeyStore interface {
	// Load gives the set. Errors: ErrNoKeys, ErrDestroyed, ErrSealed, ErrForm, ErrMasterKey, or what the system said.
	Load() (*Set, error)
	// Save replaces the set, whole or not at all. When it returns, the old set is gone.
	Save(*Set) error
	// Destroy ends all keys that lie here and may be called again after any error or power cut; where there are none it
	// does nothing.
	Destroy() error
	// Mend ends what an interrupted Save left beside the set.
	Mend() error
	// Survives reports whether the keys are still there after the power was off.
	Survives() bool
	// String says where the keys lie.
	String() string
}

// File is a KeyStore in one sealed file with mode 0600.
//
//	NAME        the set
//	NAME.new    a set that is being written; nobody's until it is renamed
//	NAME.old    a set that was replaced and is being overwritten
//
// A file in the clear, 32 hexadecimal digits, as earlier versions had it, is read as a set too; the first Save seals.
type File struct{ sealedFile }

// sealedFile is a file that is replaced whole, under the three names above.
type sealedFile struct {
	path   string
	sealer *sealer
}

// NewFile names the file of a terminal's keys, sealed under a device key of 32 bytes. It touches nothing.
func NewFile(path string, device []byte, terminal string) (*File, error) {
	s, err := newSealer(device, terminal, purposeSeal)
	if err != nil {
		return nil, err
	}
	return &File{sealedFile{path, s}}, nil
}

func (f *sealedFile) String() string { return f.path }

// Survives is true.
func (f *File) Survives() bool { return true }

// Load also refuses a file that others than its owner may read.
func (f *File) Load() (*Set, error) {
	content, err := readPrivate(f.path)
	if err != nil {
		return nil, err
	}
	defer clear(content)
	if set, err := plainSet(content, FromFile); err == nil || !errors.Is(err, errNotPlain) {
		return set, about(f.path, err)
	}
	set, err := f.sealer.open(content)
	return set, about(f.path, err)
}

func about(path string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Save makes the directory where it is missing.
func (f *File) Save(set *Set) error {
	text, err := set.encode()
	if err != nil {
		return about(f.path, err)
	}
	defer clear(text)
	return f.replace(f.sealer.sealText(text), text)
}

// replace puts sealed in the place of what was there. What it wrote is read back and opened before that.
func (f *sealedFile) replace(sealed, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	if err := f.Mend(); err != nil {
		return err
	}
	replaces, err := isThere(f.path)
	if err != nil {
		return err
	}
	steps := saving(f.path, sealed, replaces)
	if err := perform(steps[:2]); err != nil {
		return about(f.path, err)
	}
	if err := f.readBack(text); err != nil {
		return about(f.path, err)
	}
	return about(f.path, perform(steps[2:]))
}

// Mend ends a new set that was never whole, and an old one that was not overwritten yet. Power lost around the rename may
// leave either as a second name of the set in use: then that name goes, and nothing is overwritten.
func (f *sealedFile) Mend() error {
	for _, left := range []string{f.path + newName, f.path + oldName} {
		same, err := isSameFile(f.path, left)
		switch {
		case err != nil:
		case same:
			err = perform([]step{{deed: remove, path: left}, {deed: syncDir, path: left}})
		default:
			err = end(left)
		}
		if err != nil {
			return about(left, err)
		}
	}
	return nil
}

func (f *sealedFile) readBack(text []byte) error {
	content, err := readPrivate(f.path + newName)
	if err != nil {
		return err
	}
	written, err := f.sealer.openText(content)
	if err != nil {
		return err
	}
	defer clear(written)
	if !bytes.Equal(written, text) {
		return fmt.Errorf("%w: the disk gives back other keys than were written; replace it", ErrSealed)
	}
	return nil
}

// Destroy overwrites, syncs and removes the set and what a save left, the set first. Power lost before the first sync may
// leave the set whole: whoever destroys because the case was opened calls Destroy again at the next start, while the case
// says so. From that sync on Load gives no key.
func (f *sealedFile) Destroy() error {
	var errs []error
	for _, path := range []string{f.path, f.path + newName, f.path + oldName} {
		errs = append(errs, about(path, end(path)))
	}
	return errors.Join(errs...)
}

// end destroys one file where it is there.
func end(path string) error {
	there, err := isThere(path)
	if err != nil || !there {
		return err
	}
	return perform(destroying(path))
}

// readPrivate reads a small file that belongs to its owner alone. The caller clears what it gives.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is not there: %w", path, ErrNoKeys)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file; name the file that holds the key", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s can be read by others (mode %04o); chmod 600 it", path, info.Mode().Perm())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := make([]byte, mostSeal+1)
	n, err := io.ReadFull(f, content)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return content[:n], nil
}

var errNotPlain = errors.New("not a key in the clear")

// plainSet reads 16 bytes, or 32 hexadecimal digits. The errors are errNotPlain, and ErrMasterKey for a bad key.
func plainSet(content []byte, source Source) (*Set, error) {
	b := make([]byte, DoubleLength)
	defer clear(b)
	switch text := []byte(strings.TrimSpace(string(content))); {
	case len(content) == DoubleLength && source == FromKeyring:
		copy(b, content)
	case len(text) == componentDigits:
		if _, err := hex.Decode(b, text); err != nil {
			return nil, errNotPlain
		}
	default:
		return nil, errNotPlain
	}
	master, err := NewMaster(b)
	if err != nil {
		return nil, err
	}
	return &Set{Master: master, Source: source, Loaded: time.Unix(0, 0).UTC()}, nil
}
