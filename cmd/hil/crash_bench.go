package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// workbench is the directory in memory on which a worker lays out one state after another. It rewrites what the last
// examination may have changed, and leaves alone what it surely did not: writing a megabyte of archive for each state
// would cost more than examining it.
type workbench struct {
	dir     string
	scratch map[string][]byte // reused for the files that a state changes
	on      map[string][]byte // what lies there, by the slice it was written from; nil is not known
}

// patched is base with calls applied, valid until the next one.
func (b *workbench) patched(base *image, ops []op) *image {
	if b.scratch == nil {
		b.scratch = map[string][]byte{}
	}
	after := base.copied()
	for _, o := range ops {
		was, there := after.files[o.Name]
		if (o.Kind == opWrite || o.Kind == opTruncate) && there && !after.owned[o.Name] {
			space := append(b.scratch[o.Name][:0], was...)
			b.scratch[o.Name] = space
			after.files[o.Name], after.owned[o.Name] = space, true
			delete(b.on, o.Name) // it may have been written from this very space
		}
		after.apply(o)
	}
	return after
}

// lay writes a state into the directory.
func (b *workbench) lay(state *image) error {
	if b.on == nil {
		if err := os.RemoveAll(b.dir); err != nil {
			return err
		}
		if err := os.Mkdir(b.dir, 0o700); err != nil {
			return err
		}
		b.on = map[string][]byte{}
	}
	present, err := os.ReadDir(b.dir)
	if err != nil {
		return err
	}
	for _, f := range present {
		if _, wanted := state.files[f.Name()]; !wanted {
			if err := os.Remove(filepath.Join(b.dir, f.Name())); err != nil {
				return err
			}
			delete(b.on, f.Name())
		}
	}
	for name, content := range state.files {
		if b.untouched(name, content) {
			continue
		}
		if err := b.write(name, content); err != nil {
			return err
		}
		b.on[name] = content
	}
	return nil
}

// untouched tells whether a file certainly still holds what it was written from: only of archive.db, of which every
// commit changes a page of the first two, and everything else its length.
func (b *workbench) untouched(name string, content []byte) bool {
	was, known := b.on[name]
	if name != archiveFile || !known || len(was) != len(content) || len(was) < 2*blockBytes || &was[0] != &content[0] {
		return false
	}
	f, err := os.Open(filepath.Join(b.dir, name))
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != int64(len(content)) {
		return false
	}
	var metas [2 * blockBytes]byte
	_, err = f.ReadAt(metas[:], 0)
	return err == nil && string(metas[:]) == string(content[:2*blockBytes])
}

func (b *workbench) write(name string, content []byte) error {
	f, err := os.OpenFile(filepath.Join(b.dir, name), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	return errors.Join(err, f.Truncate(int64(len(content))), f.Close())
}

// spoilt says that the directory is not to be used again: an examination that failed may have left files open and locked.
func (b *workbench) spoilt() { b.on = nil }

// cursor finds the image at the beginning of a step. Going forward costs what the steps in between wrote.
type cursor struct {
	histories []history
	seed      uint64
	history   int
	step      int
	steps     []step
	at        *image
}

func (c *cursor) moveTo(history, number int) (*image, step, error) {
	if c.at == nil || c.history != history || c.step > number {
		if history >= len(c.histories) {
			return nil, step{}, fmt.Errorf("there is no history %d", history)
		}
		steps, err := c.histories[history].steps()
		if err != nil {
			return nil, step{}, err
		}
		base := newImage()
		if from := c.histories[history].From; from != nil {
			if base, err = crashed(c.histories, *from, c.seed); err != nil {
				return nil, step{}, err
			}
		}
		*c = cursor{c.histories, c.seed, history, 0, steps, base}
	}
	if number >= len(c.steps) {
		return nil, step{}, fs.ErrInvalid
	}
	for ; c.step < number; c.step++ {
		next := c.at.copied()
		next.applyAll(c.steps[c.step].flat())
		c.at = next
	}
	return c.at, c.steps[number], nil
}

// crashed is the image of a crash state.
func crashed(histories []history, o origin, seed uint64) (*image, error) {
	c := cursor{histories: histories, seed: seed}
	base, s, err := c.moveTo(o.History, o.Step)
	if err != nil {
		return nil, err
	}
	_, ops := crashesOf(base, s, stepSeed(seed, o.History, o.Step)).state(o.Number)
	after := base.copied()
	after.applyAll(ops)
	return after, nil
}

func stepSeed(seed uint64, history, number int) uint64 {
	return seed*0x9E3779B97F4A7C15 + uint64(history)<<32 + uint64(number)
}
