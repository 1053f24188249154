package simrig

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// remains are what a cut leaves of a store's directory, by the files' names.
type remains map[string]content

// content is a file: its bytes without the pages of zeros at its end, and its size with them.
type content struct {
	bytes []byte
	size  int64
}

// What the files of a store are made of (package txnstore, doc.go): pages of bbolt, of which the first two are the metas,
// and blocks of shadow.
const (
	pageBytes   = 4096
	sectorBytes = 512 // what a disk writes whole or not at all
	metaPages   = 2
	hotFile     = "hot.db"
	archiveFile = "archive.db"
	shadowFile  = "shadow"
)

// remainsReader reads files into buffers that it uses again: what it has read lasts until over.
type remainsReader struct {
	mu   sync.Mutex // guards everything below
	free [][]byte
	lent [][]byte
}

// buffer finds one for so many bytes. A new one is a little longer, because databases grow.
func (r *remainsReader) buffer(length int64) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.free, func(b []byte) bool { return int64(cap(b)) >= length })
	if i < 0 {
		r.free = append(r.free, make([]byte, length+length/4))
		i = len(r.free) - 1
	}
	b := r.free[i][:length]
	r.free = slices.Delete(r.free, i, i+1)
	r.lent = append(r.lent, b)
	return b
}

// over ends everything that was read.
func (r *remainsReader) over() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free, r.lent = append(r.free, r.lent...), nil
}

func (r *remainsReader) read(dir string) (remains, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := remains{}
	for _, e := range entries {
		if all[e.Name()], err = r.content(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r *remainsReader) content(path string) (content, error) {
	f, err := os.Open(path)
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return content{}, err
	}
	c := content{size: info.Size()}
	length := c.size
	if filepath.Base(path) == archiveFile {
		if length, err = written(f, length); err != nil {
			return c, err
		}
	}
	c.bytes = r.buffer(length)
	_, err = io.ReadFull(f, c.bytes)
	return c, err
}

// written is how much of a database was ever written: bbolt's metas say how many pages are in use (type meta in bbolt's
// internal/common), and behind those there are the zeros that the file was born with. A meta that cannot be believed
// makes it all of the file.
func written(f *os.File, size int64) (int64, error) {
	const (
		metaAt     = 16 // behind a page's header
		magicOf    = 0xED0CDAED
		highestOf  = 40 // pgid of the first page that was never used
		metaLength = 64
	)
	used := int64(0)
	for page := range int64(metaPages) {
		var meta [metaLength]byte
		if _, err := f.ReadAt(meta[:], page*pageBytes+metaAt); err != nil {
			return 0, err
		}
		if binary.LittleEndian.Uint32(meta[:]) != magicOf {
			return size, nil
		}
		used = max(used, int64(binary.LittleEndian.Uint64(meta[highestOf:]))*pageBytes)
	}
	if used <= 0 || used > size {
		return size, nil
	}
	return used, nil
}

// write lays the files into a new directory.
func (r remains) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, c := range r {
		if err := c.write(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (c content) write(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(c.bytes)
	if err == nil && c.size > int64(len(c.bytes)) {
		err = f.Truncate(c.size)
	}
	return errors.Join(err, f.Close())
}

func (c content) equal(o content) bool {
	return c.size == o.size && len(changedPages(c.bytes, o.bytes)) == 0
}

var zeros [pageBytes]byte

func zero(page []byte) bool { return bytes.Equal(page, zeros[:len(page)]) }
