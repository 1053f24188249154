package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// bare is the unit of every ratio: one pwrite of 4 KiB into a file that has its blocks, and one fdatasync. It is timed
// between the operations that are compared with it, because a disk has moods and a remembered figure knows none of them.
type bare struct {
	f     *os.File
	block [bareBlock]byte
	n     int64
	took  []time.Duration
}

const (
	bareBlock  = 4096
	bareBlocks = 16
)

// newBare makes the file, on the disk that is measured.
func newBare(dir string) (*bare, error) {
	f, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		return nil, err
	}
	_, err = f.Write(make([]byte, bareBlock*bareBlocks))
	if err = errors.Join(err, f.Sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &bare{f: f}, nil
}

// write does it once.
func (b *bare) write() error {
	b.n++
	b.block[0] = byte(b.n)
	began := time.Now()
	_, err := b.f.WriteAt(b.block[:], b.n%bareBlocks*bareBlock)
	if err == nil {
		err = syscall.Fdatasync(int(b.f.Fd()))
	}
	b.took = append(b.took, time.Since(began))
	return err
}

// unit is the median since the last call of unit, which is what the operations in between are divided by.
func (b *bare) unit() time.Duration {
	m := median(b.took)
	b.took = nil
	return m
}

func (b *bare) close() { _ = b.f.Close() }

// median is 0 of none, and the larger of the two in the middle.
func median[T cmp.Ordered](all []T) T { return quantile(all, 0.5) }

// quantile is what that share of all stays below; 0 of none.
func quantile[T cmp.Ordered](all []T, share float64) (q T) {
	if len(all) == 0 {
		return q
	}
	all = slices.Sorted(slices.Values(all))
	return all[min(len(all)-1, int(share*float64(len(all))))]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

// rest waits, unless the bench is told to end.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
