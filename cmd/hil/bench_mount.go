package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// loopDisk is a disk that nobody else uses, so that its counters count us alone: an ext4 file system in a file of the disk
// that is measured, behind a loop device with direct I/O (losetup(8)). It is what the design's budgets were taken on.
type loopDisk struct{ dir string }

// loopDiskAt is where it is mounted, below the bench's directory.
const loopDiskAt = "disk"

const loopDiskSize = 512 << 20

// newLoopDisk needs root, losetup and mkfs.ext4.
func newLoopDisk(parent string) (_ *loopDisk, err error) {
	image, at := filepath.Join(parent, "disk.img"), filepath.Join(parent, loopDiskAt)
	f, err := os.Create(image)
	if err != nil {
		return nil, err
	}
	// Blocks that were never written would cost an allocation each in the middle of a measurement.
	zeros := make([]byte, 4<<20)
	for n := int64(0); n < loopDiskSize && err == nil; n += int64(len(zeros)) {
		_, err = f.Write(zeros)
	}
	if err = errors.Join(err, f.Sync(), f.Close(), os.MkdirAll(at, 0o755)); err != nil {
		return nil, err
	}
	if _, err := toolSaid("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image); err != nil {
		return nil, err
	}
	device, err := toolSaid("losetup", "--direct-io=on", "--find", "--show", image)
	if err != nil {
		return nil, err
	}
	err = syscall.Mount(device, at, "ext4", 0, "")
	_, left := toolSaid("losetup", "--detach", device) // as soon as it is not mounted any more, however that comes
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mount %s: %w", device, err), left)
	}
	return &loopDisk{at}, left
}

// close unmounts it.
func (d *loopDisk) close() error { return syscall.Unmount(d.dir, unix.MNT_DETACH) }

// removeLoopDisk unmounts what a bench left that was killed.
func removeLoopDisk(parent string) {
	_ = syscall.Unmount(filepath.Join(parent, loopDiskAt), unix.MNT_DETACH)
}

func toolSaid(program string, args ...string) (string, error) {
	out, err := exec.Command(program, args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, text)
	}
	return text, nil
}
