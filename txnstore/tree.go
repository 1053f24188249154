package txnstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
)

// tree reads one state of archive.db without bbolt. Open does not look at every page of that file (verify.go), so each
// page is checked when it is read: bbolt, which checks none, would follow a bad one into a fault of the memory or
// round in a circle until its stack ends the process.
type tree struct {
	file boltFile
	meta metaPage
	read map[uint64]leafOrBranch // pages read before, where many keys are looked up one after the other; nil keeps none
}

type leafOrBranch struct {
	treePage
	list []element
}

// page reads one page of a tree and checks it.
func (t tree) page(id uint64) (got leafOrBranch, err error) {
	if got, known := t.read[id]; known {
		return got, nil
	}
	if got.treePage, err = t.file.readPage(id, t.meta.pages, maxOverflow); err == nil {
		got.list, err = got.elements()
	}
	if err == nil && t.read != nil {
		t.read[id] = got
	}
	return got, err
}

// readTree takes the state that was committed last. The caller keeps others from committing while it reads.
func readTree(f *os.File) (tree, error) {
	info, err := f.Stat()
	if err != nil {
		return tree{}, fmt.Errorf("read %s: %w", archiveName, err)
	}
	t := tree{file: boltFile{f, info.Size()}}
	meta, faults, ok := t.file.current()
	if !ok {
		return tree{}, faults[0]
	}
	t.meta = meta
	return t, nil
}

// step is called for each value in turn, or for a part of the tree that cannot be read, from key on; it says whether to
// go on.
type step func(key, value []byte, err error) bool

// get returns the value of a key in a bucket, or nil.
func (t tree) get(bucket, key []byte) (value []byte, err error) {
	bad := t.scan(bucket, key, false, func(k, v []byte, e error) bool {
		if e != nil {
			err = e
		} else if bytes.Equal(k, key) {
			value = v
		}
		return false
	})
	if bad != nil {
		err = bad
	}
	return value, err
}

// scan goes over a bucket from a key upwards, or from the end downwards.
func (t tree) scan(bucket, from []byte, down bool, visit step) error {
	var in element
	var err error
	t.pages(t.meta.root, maxDepth, nil, nil, bucket, false, func(p uint64, e element, bad error) bool {
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
func (t tree) pages(id uint64, depth int, low, high, from []byte, down bool, visit func(uint64, element, error) bool) bool {
	p, err := t.page(id)
	list := p.list
	if n := len(list); err == nil && n > 0 && (bytes.Compare(list[0].key, low) < 0 || high != nil && bytes.Compare(list[n-1].key, high) >= 0) {
		err = &fault{id, pageHeader, "its keys belong to another page"}
	}
	if err == nil && depth == 0 {
		err = &fault{id, 0, "the tree is deeper than any that was written"}
	}
	if err != nil {
		return visit(id, element{key: low}, err)
	}
	if p.flags == leafFlag {
		return leafSteps(id, list, from, down, visit)
	}
	for n := range list {
		i := n
		if down {
			i = len(list) - 1 - n
		}
		end := high
		if i+1 < len(list) {
			end = list[i+1].key
		}
		if !down && end != nil && bytes.Compare(end, from) <= 0 {
			continue
		}
		if !t.pages(list[i].child, depth-1, list[i].key, end, from, down, visit) {
			return false
		}
	}
	return true
}

func leafSteps(id uint64, list []element, from []byte, down bool, visit func(uint64, element, error) bool) bool {
	for n := range list {
		i := n
		if down {
			i = len(list) - 1 - n
		}
		if !down && bytes.Compare(list[i].key, from) < 0 {
			continue
		}
		if !visit(id, list[i], nil) {
			return false
		}
	}
	return true
}
