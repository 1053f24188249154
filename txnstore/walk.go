package txnstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// maxDepth is more levels than a tree of maxBoltFile bytes has; maxFaults is how many places of one file are named.
const (
	maxDepth  = 12
	maxFaults = 32
)

// walk goes once over everything that a root reaches. It ends after each page has been met once, whatever the pages say,
// and goes on beside what it finds.
type walk struct {
	file   boltFile
	meta   metaPage
	brief  [][]byte // buckets whose leaves are left out, save the first and the last
	visit  func(v visited)
	seen   []byte // a bit a page
	faults []*fault
	names  [][]byte          // buckets found
	marks  map[string]uint64 // their sequences (heard.go)

	rooms [2][maxDepth + 1]room // for the page under way at each level of the tree of buckets, and of the tree below it
	in    []element             // of an inline bucket
}

// room is where a page is read into.
type room struct {
	raw  []byte
	list []element
}

// roomOf is that of a page at a depth. Who reads another page of that level ends what was read in it.
func (w *walk) roomOf(bucket []byte, depth int) *room {
	r := &w.rooms[0][depth]
	if bucket != nil {
		r = &w.rooms[1][depth]
	}
	if r.raw == nil {
		r.raw = make([]byte, pageSize)
	}
	return r
}

// visited is one value met. It is gone when the visit is over.
type visited struct {
	bucket, key, value []byte
	page               uint64
	offset             int
}

func (w *walk) run() {
	w.seen, w.marks = make([]byte, w.meta.pages/8+1), map[string]uint64{}
	w.tree(below{id: w.meta.root, depth: maxDepth, first: true, last: true})
	w.free()
}

func (w *walk) blame(err error) {
	var f *fault
	if errors.As(err, &f) && len(w.faults) < maxFaults {
		w.faults = append(w.faults, f)
	}
}

// reached reports whether a page belongs to what the root reaches.
func (w *walk) reached(id uint64) bool {
	return id/8 < uint64(len(w.seen)) && w.seen[id/8]&(1<<(id%8)) != 0
}

// take marks a page; it is wrong to meet one twice.
func (w *walk) take(id, from uint64) bool {
	switch {
	case id < 2 || id >= w.meta.pages:
		w.blame(&fault{from, 0, fmt.Sprintf("leads to page %d, outside the file", id)})
		return false
	case w.reached(id):
		w.blame(&fault{from, 0, fmt.Sprintf("leads to page %d, which is used elsewhere too", id)})
		return false
	}
	w.seen[id/8] |= 1 << (id % 8)
	return true
}

// below is a part of a tree still to be walked: a page, from which page it was reached, the keys that it must hold (from
// low up to high), and whether it is at the left or right edge of its tree.
type below struct {
	bucket      []byte // nil for the tree of buckets
	id, from    uint64
	depth       int
	low, high   []byte
	first, last bool
}

func (w *walk) tree(b below) {
	if b.depth == 0 {
		w.blame(&fault{b.id, 0, "the tree is deeper than any that was written"})
		return
	}
	if !w.take(b.id, b.from) {
		return
	}
	room := w.roomOf(b.bucket, b.depth)
	p, err := w.file.readPageInto(room.raw, b.id, w.meta.pages, maxOverflow)
	if err != nil {
		w.blame(err)
		return
	}
	for n := range p.over {
		if !w.take(b.id+n+1, b.id) {
			return
		}
	}
	list, err := p.elementsInto(room.list)
	if err != nil {
		w.blame(err)
		return
	}
	room.list = list
	if n := len(list); n > 0 && (bytes.Compare(list[0].key, b.low) < 0 || b.high != nil && bytes.Compare(list[n-1].key, b.high) >= 0) {
		w.blame(&fault{b.id, pageHeader, "its keys belong to another page"})
		return
	}
	if p.flags == leafFlag {
		w.leaf(b.bucket, p, list)
		return
	}
	leavesOut := w.leavesOut(b.bucket, b.depth-1, list)
	for i, e := range list {
		next := below{bucket: b.bucket, id: e.child, from: b.id, depth: b.depth - 1, low: e.key, high: b.high,
			first: b.first && i == 0, last: b.last && i == len(list)-1}
		if i+1 < len(list) {
			next.high = list[i+1].key
		}
		if leavesOut && !next.first && !next.last {
			w.take(e.child, b.id)
			continue
		}
		w.tree(next)
	}
}

// leavesOut reports whether the pages below a branch are leaves that need not be read now. A tree of bbolt has all its
// leaves at one level, so the first one tells.
func (w *walk) leavesOut(bucket []byte, depth int, list []element) bool {
	if !slices.ContainsFunc(w.brief, func(b []byte) bool { return bytes.Equal(b, bucket) }) {
		return false
	}
	p, err := w.file.readPageInto(w.roomOf(bucket, depth).raw, list[0].child, w.meta.pages, maxOverflow)
	return err == nil && p.flags == leafFlag
}

func (w *walk) leaf(bucket []byte, p treePage, list []element) {
	for _, e := range list {
		switch {
		case e.bucket != (bucket == nil):
			w.blame(&fault{p.id, e.offset, "a bucket and a value are confused"})
		case e.bucket:
			w.bucket(e, p.id)
		case w.visit != nil:
			w.visit(visited{bucket, e.key, e.value, p.id, e.offset})
		}
	}
}

func (w *walk) bucket(e element, page uint64) {
	if len(e.value) < bucketHeader {
		w.blame(&fault{page, e.offset, "a bucket is cut short"})
		return
	}
	w.names = append(w.names, slices.Clone(e.key))
	w.marks[string(e.key)] = binary.NativeEndian.Uint64(e.value[8:])
	if root := binary.NativeEndian.Uint64(e.value); root != 0 {
		w.tree(below{bucket: e.key, id: root, from: page, depth: maxDepth, first: true, last: true})
		return
	}
	p, err := inlinePage(page, e)
	var list []element
	if err == nil {
		list, err = p.elementsInto(w.in)
	}
	if err != nil {
		w.blame(err)
		return
	}
	w.in = list
	for _, in := range list {
		switch {
		case in.bucket:
			w.blame(&fault{page, e.offset, "an inline bucket holds a bucket"})
		case w.visit != nil:
			w.visit(visited{e.key, in.key, in.value, page, e.offset + len(e.key) + bucketHeader + in.offset})
		}
	}
}

// free checks the list of free pages: bbolt writes over whatever stands in it.
func (w *walk) free() {
	if w.meta.freelist == noFreelist || !w.take(w.meta.freelist, 0) {
		return
	}
	p, err := w.file.readPage(w.meta.freelist, w.meta.pages, w.meta.pages)
	if err != nil {
		w.blame(err)
		return
	}
	for n := range p.over {
		if !w.take(p.id+n+1, p.id) {
			return
		}
	}
	list, err := p.freeList()
	if err != nil {
		w.blame(err)
		return
	}
	for last := uint64(0); len(list) > 0; list = list[8:] {
		id := binary.NativeEndian.Uint64(list)
		if id <= last || id < 2 || id >= w.meta.pages || w.reached(id) {
			w.blame(&fault{p.id, pageHeader, fmt.Sprintf("calls page %d free, which it cannot be", id)})
			return
		}
		last = id
	}
}
