package txnstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
)

// tree reads one state of archive.db without bbolt. Open does not look at every page of that file (verify.go), so each
// page is checked when it is read: bbolt, which checks none, would follow a bad one into a fault of the memory or
// round in a circle until its stack ends the process.
type tree struct {
	file boltFile
	meta metaPage
	way  *way
}

// readTree takes the state that was committed last, with the room of a way that was gone before. The caller keeps others from
// committing while it reads.
func readTree(f *os.File, w *way) (tree, error) {
	info, err := f.Stat()
	if err != nil {
		return tree{}, fmt.Errorf("read %s: %w", archiveName, err)
	}
	t := tree{file: boltFile{f, info.Size()}, way: w.again()}
	meta, faults, ok := t.file.current()
	if !ok {
		return tree{}, faults[0]
	}
	t.meta = meta
	return t, nil
}

// way is the last page read at each level of one state of the file, checked. Sales follow one another at the right edge
// of the trees, so most of the way down is the one just gone; no commit writes over a page of the state before it.
type way struct {
	busy  bool
	steps [maxDepth + 2]struct {
		page treePage // id 0: none
		list []element
		room []byte
	}
}

// again is a way of which nothing is known, in the same room unless somebody still goes it.
func (w *way) again() *way {
	if w == nil || w.busy {
		return &way{}
	}
	for i := range w.steps {
		w.steps[i].page = treePage{}
	}
	return w
}

// levels of a way: those of a tree have maxDepth down to 0, the tree of buckets ends at one level of its own.
const bucketLevel = maxDepth + 1

// page reads a page of a tree, unless it is the one that was read last at its level. What it returns is good until another
// page of that level is read.
func (t tree) page(id uint64, level int) (treePage, []element, error) {
	s := &t.way.steps[level]
	if id != 0 && s.page.id == id {
		return s.page, s.list, nil
	}
	s.page = treePage{}
	if s.room == nil {
		s.room = make([]byte, pageSize)
	}
	p, err := t.file.readPageInto(s.room, id, t.meta.pages, maxOverflow)
	if err != nil {
		return p, nil, err
	}
	if s.list, err = p.elementsInto(s.list); err != nil {
		return p, nil, err
	}
	s.page = p
	return p, s.list, nil
}

// step is called for each value in turn, or for a part of the tree that cannot be read, from key on; it says whether to
// go on. Key and value are gone when it returns.
type step func(key, value []byte, err error) bool

// get returns the value of a key in a bucket, or nil.
func (t tree) get(bucket, key []byte) (value []byte, err error) {
	_, err = t.find(bucket, key, func(v []byte) { value = bytes.Clone(v) })
	return value, err
}

// find shows the value of a key in a bucket, which is gone afterwards, or says that there is none.
func (t tree) find(bucket, key []byte, show func(value []byte)) (found bool, err error) {
	bad := t.scan(bucket, key, false, func(k, v []byte, e error) bool {
		if e != nil {
			err = e
		} else if found = bytes.Equal(k, key); found && show != nil {
			show(v)
		}
		return false
	})
	if bad != nil {
		err = bad
	}
	return found, err
}

// scan goes over a bucket from a key upwards, or from the end downwards.
func (t tree) scan(bucket, from []byte, down bool, visit step) error {
	if t.way.busy { // by a visitor's caller
		t.way = &way{}
	}
	t.way.busy = true
	defer func() { t.way.busy = false }()
	var in element
	var err error
	t.pages(t.meta.root, bucketLevel, nil, nil, bucket, false, func(p uint64, e element, bad error) bool {
		if err = bad; err == nil && bytes.Equal(e.key, bucket) && e.bucket && len(e.value) >= bucketHeader {
			in = e
		} else if err == nil {
			err = &fault{p, e.offset, fmt.Sprintf("bucket %q is missing", bucket)}
		}
		return false
	})
	if err != nil {
		return err
	}
	if in.value == nil {
		return &fault{t.meta.root, 0, fmt.Sprintf("bucket %q is missing", bucket)}
	}
	each := func(p uint64, e element, bad error) bool {
		if bad == nil && e.bucket {
			bad = &fault{p, e.offset, "a bucket and a value are confused"}
		}
		return visit(e.key, e.value, bad)
	}
	if root := binary.NativeEndian.Uint64(in.value); root != 0 {
		t.pages(root, maxDepth, nil, nil, from, down, each)
		return nil
	}
	p, err := inlinePage(t.meta.root, in)
	if err != nil {
		return err
	}
	list, err := p.elements()
	if err != nil {
		return err
	}
	leafSteps(p.id, list, from, down, each)
	return nil
}

// pages visits the elements of the leaves below a page whose keys lie from low up to high. Every level has fewer keys to
// hold than the one above or the depth ends it, so no circle is followed for long.
func (t tree) pages(id uint64, level int, low, high, from []byte, down bool, visit func(uint64, element, error) bool) bool {
	p, list, err := t.page(id, level)
	if n := len(list); err == nil && n > 0 && (bytes.Compare(list[0].key, low) < 0 || high != nil && bytes.Compare(list[n-1].key, high) >= 0) {
		err = &fault{id, pageHeader, "its keys belong to another page"}
	}
	if err == nil && level == 0 {
		err = &fault{id, 0, "the tree is deeper than any that was written"}
	}
	if err != nil {
		return visit(id, element{key: low}, err)
	}
	if p.flags == leafFlag {
		return leafSteps(id, list, from, down, visit)
	}
	first, found := firstStep(list, from, down)
	if !found && first > 0 { // a branch's key is the lowest of its page
		first--
	}
	for n := first; n < len(list); n++ {
		i := n
		if down {
			i = len(list) - 1 - n
		}
		end := high
		if i+1 < len(list) {
			end = list[i+1].key
		}
		if !t.pages(list[i].child, level-1, list[i].key, end, from, down, visit) {
			return false
		}
	}
	return true
}

func leafSteps(id uint64, list []element, from []byte, down bool, visit func(uint64, element, error) bool) bool {
	first, _ := firstStep(list, from, down)
	for n := first; n < len(list); n++ {
		i := n
		if down {
			i = len(list) - 1 - n
		}
		if !visit(id, list[i], nil) {
			return false
		}
	}
	return true
}

// firstStep is where the keys from one upwards begin; downwards all are gone over.
func firstStep(list []element, from []byte, down bool) (first int, found bool) {
	if down {
		return 0, false
	}
	return slices.BinarySearchFunc(list, from, func(e element, key []byte) int { return bytes.Compare(e.key, key) })
}
