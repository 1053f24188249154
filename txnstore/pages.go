package txnstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/bits"
	"slices"
)

// A database file of go.etcd.io/bbolt v1 as bytes, read with pread only: nothing is mapped, so a file that is cut while it
// is read is an error and not a SIGBUS, and no number found in the file is used before it has been held against the file.
// Integers are the machine's, as bbolt writes them.
//
//	page, 4 KiB     id 8 │ flags 2 │ count 2 │ overflow 4 │ elements, 16 bytes each │ keys and values
//	meta, page 0/1  header │ magic 4 │ version 4 │ page size 4 │ flags 4 │ root 8 │ sequence 8 │ freelist 8 │ pages 8 │
//	                commit 8 │ FNV-1a of what stands before it 8
//	branch element  position 4 │ key size 4 │ page 8                  position counts from the element itself
//	leaf element    flags 4 │ position 4 │ key size 4 │ value size 4
//	bucket value    root page 8, or 0 when a leaf page follows inline │ sequence 8 │ inline page
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHeader   = 16
	elementSize  = 16
	bucketHeader = 16
	metaEnd      = pageHeader + 64
	metaSum      = pageHeader + 56

	branchFlag   = 0x01
	leafFlag     = 0x02
	metaFlag     = 0x04
	freelistFlag = 0x10
	bucketFlag   = 0x01 // of a leaf element: its value is a bucket

	noFreelist = ^uint64(0)

	// Limits that we chose.
	maxBoltFile = 4 << 30
	maxOverflow = 15 // pages behind a page of a tree; a record of 720 bytes never needs one
)

// fault is something wrong at one place of a file.
type fault struct {
	page   uint64
	offset int // in the page
	what   string
}

func (f *fault) Error() string {
	return fmt.Sprintf("page %d, offset %d: %s", f.page, f.offset, f.what)
}

// boltFile is a database file of size bytes.
type boltFile struct {
	r    io.ReaderAt
	size int64
}

// metaPage is one of the two roots of the file.
type metaPage struct {
	root     uint64
	freelist uint64
	pages    uint64 // high-water mark: every page in use is below it
	commit   uint64
}

// readMeta checks one meta page. whole reports whether bbolt would take it; with an error beside it, the file must not be
// given to bbolt, which does not look further than the checksum. A meta in the place of the other is such a case: bbolt
// would next write over the newer one.
func (b boltFile) readMeta(n uint64) (m metaPage, whole bool, err error) {
	raw := make([]byte, metaEnd)
	if err := b.readAt(raw, int64(n)*pageSize); err != nil {
		return m, false, &fault{n, 0, "cannot be read: " + err.Error()}
	}
	u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
	sum := fnv.New64a()
	_, _ = sum.Write(raw[pageHeader:metaSum])
	switch {
	case u32(raw[16:]) != boltMagic:
		return m, false, &fault{n, 16, "is not the root of a database"}
	case u32(raw[20:]) != boltVersion:
		return m, false, &fault{n, 20, fmt.Sprintf("database version %d, this program reads %d", u32(raw[20:]), boltVersion)}
	case u64(raw[metaSum:]) != sum.Sum64():
		return m, false, &fault{n, metaSum, "checksum of the root does not match"}
	}
	m = metaPage{root: u64(raw[32:]), freelist: u64(raw[48:]), pages: u64(raw[56:]), commit: u64(raw[64:])}
	switch {
	case u32(raw[24:]) != pageSize:
		err = &fault{n, 24, fmt.Sprintf("pages of %d bytes instead of %d", u32(raw[24:]), pageSize)}
	case m.commit%2 != n:
		err = &fault{n, 64, "holds the root that belongs into the other of the two places"}
	case m.pages < 4 || m.pages > uint64(b.size/pageSize):
		err = &fault{n, 56, fmt.Sprintf("the file has %d bytes and its root speaks of %d pages of %d", b.size, m.pages, pageSize)}
	case m.root < 2 || m.root >= m.pages:
		err = &fault{n, 32, fmt.Sprintf("root page %d is outside the file", m.root)}
	}
	return m, true, err
}

// current is the root that bbolt would use: the newer of those that are whole. ok is false where there is none, or where
// bbolt must not be let near it. One root alone may be torn: that is what a power cut in the middle of a commit leaves.
func (b boltFile) current() (m metaPage, faults []*fault, ok bool) {
	fatal, any := false, false
	for n := range uint64(2) {
		found, whole, err := b.readMeta(n)
		var f *fault
		if errors.As(err, &f) {
			faults = append(faults, f)
			fatal = fatal || whole
			continue
		}
		if !any || found.commit > m.commit {
			m, any = found, true
		}
	}
	return m, faults, any && !fatal
}

func (b boltFile) readAt(p []byte, at int64) error {
	n, err := b.r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = errors.New("the file ends before it")
	}
	return err
}

// treePage is a page whose header has been checked, with its overflow.
type treePage struct {
	id    uint64
	flags uint16
	count int
	over  uint64 // pages behind it
	raw   []byte
}

// readPage reads page id of a file of so many pages.
func (b boltFile) readPage(id, pages uint64, mostOver uint64) (treePage, error) {
	return b.readPageInto(make([]byte, pageSize), id, pages, mostOver)
}

// readPageInto is readPage with room for a page that nobody else uses any more.
func (b boltFile) readPageInto(raw []byte, id, pages uint64, mostOver uint64) (treePage, error) {
	if id < 2 || id >= pages {
		return treePage{}, &fault{id, 0, fmt.Sprintf("is outside the file, which has %d pages", pages)}
	}
	if err := b.readAt(raw, int64(id)*pageSize); err != nil {
		return treePage{}, &fault{id, 0, "cannot be read: " + err.Error()}
	}
	p, err := pageOfBytes(id, raw)
	switch {
	case err != nil:
		return p, err
	case binary.NativeEndian.Uint64(raw) != id:
		return p, &fault{id, 0, fmt.Sprintf("says that it is page %d", binary.NativeEndian.Uint64(raw))}
	case p.over > mostOver || p.over >= pages-id:
		return p, &fault{id, 12, fmt.Sprintf("claims %d pages behind it", p.over)}
	case p.over > 0:
		p.raw = make([]byte, (p.over+1)*pageSize)
		if err := b.readAt(p.raw, int64(id)*pageSize); err != nil {
			return p, &fault{id, 0, "cannot be read: " + err.Error()}
		}
	}
	return p, nil
}

// pageOfBytes reads a page's header; raw is the page or the inline page of a bucket that stands on page id.
func pageOfBytes(id uint64, raw []byte) (treePage, error) {
	if len(raw) < pageHeader {
		return treePage{}, &fault{id, 0, "a page is cut short"}
	}
	u16 := binary.NativeEndian.Uint16
	p := treePage{id: id, flags: u16(raw[8:]), count: int(u16(raw[10:])), over: uint64(binary.NativeEndian.Uint32(raw[12:])), raw: raw}
	if bits.OnesCount16(p.flags) != 1 {
		return p, &fault{id, 8, fmt.Sprintf("is of no kind (flags %#04x)", p.flags)}
	}
	return p, nil
}

// inlinePage reads the page in the value of a bucket that stands on page id. It has no number of its own: bbolt would free
// the page of that number.
func inlinePage(id uint64, e element) (treePage, error) {
	p, err := pageOfBytes(id, e.value[bucketHeader:])
	if err == nil && (p.flags != leafFlag || p.over != 0 || binary.NativeEndian.Uint64(p.raw) != 0) {
		err = &fault{id, e.offset, "an inline bucket is not a leaf"}
	}
	return p, err
}

// element is one line of a branch or of a leaf; key and value are parts of the page.
type element struct {
	key, value []byte
	child      uint64 // of a branch
	bucket     bool
	offset     int
}

// elements checks every line of a page: that it lies in the page, and that keys ascend. They follow one another without a gap, as
// bbolt writes them (internal/common, WriteInodeToPage): one behind the last line is there because the page claims too few.
func (p treePage) elements() ([]element, error) { return p.elementsInto(nil) }

// elementsInto is elements with room for some of them.
func (p treePage) elementsInto(room []element) ([]element, error) {
	if p.flags != branchFlag && p.flags != leafFlag {
		return nil, &fault{p.id, 8, fmt.Sprintf("is not of a tree (flags %#04x)", p.flags)}
	}
	first := pageHeader + p.count*elementSize
	if first > len(p.raw) || p.flags == branchFlag && p.count == 0 {
		return nil, &fault{p.id, 10, fmt.Sprintf("claims %d elements", p.count)}
	}
	list := slices.Grow(room[:0], p.count)[:p.count]
	clear(list)
	next := uint64(first)
	for i := range list {
		e, at := &list[i], pageHeader+i*elementSize
		var position, keySize, valueSize uint64
		u32 := func(o int) uint64 { return uint64(binary.NativeEndian.Uint32(p.raw[at+o:])) }
		if p.flags == branchFlag {
			position, keySize, e.child = u32(0), u32(4), binary.NativeEndian.Uint64(p.raw[at+8:])
		} else {
			position, keySize, valueSize = u32(4), u32(8), u32(12)
			e.bucket = u32(0) == bucketFlag
			if u32(0) > bucketFlag {
				return nil, &fault{p.id, at, "an element is of no kind"}
			}
		}
		start := uint64(at) + position
		if start < uint64(first) || start+keySize+valueSize > uint64(len(p.raw)) || keySize == 0 {
			return nil, &fault{p.id, at, "an element lies outside its page"}
		}
		if start != next {
			return nil, &fault{p.id, at, "an element does not follow the one before it"}
		}
		next = start + keySize + valueSize
		e.offset = int(start)
		e.key = p.raw[start : start+keySize]
		e.value = p.raw[start+keySize : start+keySize+valueSize]
		if i > 0 && bytes.Compare(list[i-1].key, e.key) >= 0 {
			return nil, &fault{p.id, at, "keys are not in order"}
		}
	}
	return list, nil
}

// freeList reads the numbers of the free pages.
func (p treePage) freeList() ([]byte, error) {
	if p.flags != freelistFlag {
		return nil, &fault{p.id, 8, "is not the list of free pages"}
	}
	n, at := uint64(p.count), uint64(pageHeader)
	if p.count == 0xFFFF {
		n, at = binary.NativeEndian.Uint64(p.raw[at:]), at+8
	}
	if n > (uint64(len(p.raw))-at)/8 {
		return nil, &fault{p.id, 10, fmt.Sprintf("claims %d free pages", n)}
	}
	return p.raw[at : at+n*8], nil
}
