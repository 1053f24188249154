package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
)

const (
	sectorBytes = 512  // assumed to reach the disk whole or not at all, except in shorn blocks
	blockBytes  = 4096 // what the file system and the flash write at once
)

// image is what a directory holds. The bytes of a file are shared between copies and replaced, never written to, except by
// the copy that owns them.
type image struct {
	files map[string][]byte
	owned map[string]bool
}

func newImage() *image { return &image{map[string][]byte{}, map[string]bool{}} }

// copied shares every file with d, which must not be changed in place afterwards either.
func (d *image) copied() *image {
	d.owned = map[string]bool{}
	return &image{maps.Clone(d.files), map[string]bool{}}
}

func (d *image) own(name string, size int64) []byte {
	old := d.files[name]
	if !d.owned[name] || int64(cap(old)) < size {
		n := max(size, int64(len(old)))
		b := make([]byte, n, n+n/2) // a file that grows, grows sector by sector
		copy(b, old)
		d.files[name], d.owned[name] = b, true
		return b
	}
	if int64(len(old)) < size {
		clear(old[len(old):size])
		d.files[name] = old[:size]
	}
	return d.files[name]
}

// apply does one call. A call on a file whose creation was lost does nothing.
func (d *image) apply(o op) {
	if _, there := d.files[o.Name]; !there && o.Kind != opCreate {
		return
	}
	switch o.Kind {
	case opWrite:
		copy(d.own(o.Name, o.Offset+int64(len(o.Data)))[o.Offset:], o.Data)
	case opTruncate:
		if b := d.own(o.Name, o.Offset); int64(len(b)) > o.Offset {
			d.files[o.Name] = b[:o.Offset]
		}
	case opCreate:
		d.files[o.Name], d.owned[o.Name] = []byte{}, true
	case opRename:
		d.files[o.To], d.owned[o.To] = d.files[o.Name], d.owned[o.Name]
		delete(d.files, o.Name)
		delete(d.owned, o.Name)
	case opRemove:
		delete(d.files, o.Name)
		delete(d.owned, o.Name)
	}
}

func (d *image) applyAll(list []op) {
	for _, o := range list {
		d.apply(o)
	}
}

// digest tells two contents of a directory apart.
type digest [16]byte

// digester digests crash states of one base: the blocks that a state shares with the base are digested once.
type digester struct {
	base   map[string][]digest // by file, of each of its blocks
	shared map[string][]byte
}

// newDigester takes over what another one, where there is one, knows of blocks that are the same in its base.
func newDigester(base *image, other *digester) *digester {
	g := &digester{map[string][]digest{}, base.files}
	for name, b := range base.files {
		if other == nil || len(other.shared[name]) != len(b) {
			g.base[name] = blockDigests(b)
			continue
		}
		list, was := slices.Clone(other.base[name]), other.shared[name]
		for n := range list {
			from, to := n*blockBytes, min(len(b), (n+1)*blockBytes)
			if !bytes.Equal(b[from:to], was[from:to]) {
				sum := sha256.Sum256(b[from:to])
				list[n] = digest(sum[:16])
			}
		}
		g.base[name] = list
	}
	return g
}

func blockDigests(b []byte) (list []digest) {
	for block := range slices.Chunk(b, blockBytes) {
		sum := sha256.Sum256(block)
		list = append(list, digest(sum[:16]))
	}
	return list
}

// of digests a state, given the blocks that may differ from the base; a file that the base lacks is read whole.
func (g *digester) of(d *image, touched map[string][]int) digest {
	h := sha256.New()
	var size [8]byte
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		b := d.files[name]
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		h.Write([]byte(name))
		h.Write(size[:])
		known := g.base[name]
		if len(b) != len(g.shared[name]) || len(known) == 0 {
			known = blockDigests(b)
		} else if len(touched[name]) > 0 {
			known = slices.Clone(known)
			for _, n := range touched[name] {
				if n >= len(known) {
					continue // written, and cut off again
				}
				sum := sha256.Sum256(b[n*blockBytes : min(len(b), (n+1)*blockBytes)])
				known[n] = digest(sum[:16])
			}
		}
		for i := range known {
			h.Write(known[i][:])
		}
	}
	return digest(h.Sum(nil)[:16])
}

// touched lists the blocks that calls write to.
func touched(list []op) map[string][]int {
	blocks := map[string][]int{}
	for _, o := range list {
		if o.Kind != opWrite || len(o.Data) == 0 {
			continue
		}
		for n := int(o.Offset / blockBytes); int64(n)*blockBytes < o.Offset+int64(len(o.Data)); n++ {
			if !slices.Contains(blocks[o.Name], n) {
				blocks[o.Name] = append(blocks[o.Name], n)
			}
		}
	}
	return blocks
}
