package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// volumeKind is a way to make and to mount a file system.
type volumeKind struct {
	name    string
	system  string   // ext4 or xfs
	mkfs    []string // arguments
	options string   // of the mount
	size    int64    // bytes
	cached  bool     // on a disk with a volatile write cache
}

// volume is a file system of its own on a loop device.
//
//	ext4 or xfs ── loop device ── image in memory
//
// What has reached the image stays, whether anybody asked for a flush or not: as on a disk that has no cache, or one that
// keeps it alive. A cached volume stands on another one:
//
//	ext4 ── loop device ── file on ext4 ── loop device ── image in memory
//	                       └ its pages are the disk's cache: a flush writes them, a shutdown of this ext4 drops them
//
// A loop device passes a flush on as fsync of its file (drivers/block/loop.c), and writes that ask for no flush stay in the
// file's pages. So that shutdown loses what a disk loses that was told of no flush.
type volume struct {
	volumeKind
	image *os.File
	point string
	disk  *volume  // with a cache; or nil
	held  *os.File // the mounted root; nil while nothing is mounted
}

const (
	diskFile = "disk" // the image of a cached volume
	ownSize  = 8 << 20
)

// newVolume makes a file system that is not mounted yet.
func newVolume(ctx context.Context, k volumeKind, point string) (*volume, error) {
	v := &volume{volumeKind: k, point: point}
	if err := os.MkdirAll(point, 0o700); err != nil {
		return nil, err
	}
	if k.cached {
		below := volumeKind{name: "disk", system: "ext4", mkfs: []string{"-b", "4096"}, size: k.size + ownSize}
		disk, err := newVolume(ctx, below, point+"-disk")
		if err != nil {
			return nil, err
		}
		if err := disk.mount(); err != nil {
			return nil, errors.Join(err, disk.remove())
		}
		v.disk = disk
		if err := writeSynced(filepath.Join(disk.point, diskFile), make([]byte, k.size)); err != nil { // holes would be allocated at a flush
			return nil, errors.Join(err, v.remove())
		}
	} else {
		var err error
		if v.image, err = blankImage(k.size); err != nil {
			return nil, err
		}
	}
	err := v.format(ctx)
	if err == nil { // some of a file system is made by the first who mounts it
		err = errors.Join(v.mount(), v.unmount())
	}
	if err != nil {
		return nil, errors.Join(err, v.remove())
	}
	return v, nil
}

func (v *volume) format(ctx context.Context) error {
	dev, err := v.attach()
	if err != nil {
		return err
	}
	defer dev.Close()
	args := append([]string{"-q"}, v.mkfs...)
	cmd := exec.CommandContext(ctx, "mkfs."+v.system, append(args, dev.Name())...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, firstLine(said.String()))
	}
	return dev.Sync()
}

// mount replays the journal, where there is something to replay.
func (v *volume) mount() error {
	if v.disk != nil && v.disk.held == nil {
		if err := v.disk.mount(); err != nil {
			return err
		}
	}
	dev, err := v.attach()
	if err != nil {
		return err
	}
	defer dev.Close()
	err = unix.Mount(dev.Name(), v.point, v.system, 0, v.options)
	for _, damage := range []error{unix.EUCLEAN, unix.EBADMSG, unix.EINVAL, unix.EIO} { // EINVAL: no such file system there
		if errors.Is(err, damage) {
			return fmt.Errorf("%w: %s: %w", errUnclean, v.name, err)
		}
	}
	if err != nil {
		return fmt.Errorf("mount -t %s -o %q %s: %w", v.system, v.options, dev.Name(), err)
	}
	v.held, err = os.Open(v.point)
	return err
}

// errUnclean is a file system that its own kernel does not mount again.
var errUnclean = errors.New("the file system is damaged and cannot be mounted")

// unmount waits for processes that have just been killed to let go.
func (v *volume) unmount() error {
	if v.held != nil {
		_ = v.held.Close()
		v.held = nil
		err := unix.Unmount(v.point, 0)
		for wait := time.Millisecond; errors.Is(err, unix.EBUSY) && wait < time.Minute; wait *= 2 {
			time.Sleep(wait)
			err = unix.Unmount(v.point, 0)
		}
		if err != nil {
			return fmt.Errorf("unmount %s: %w", v.point, err)
		}
	}
	if v.disk != nil {
		return v.disk.unmount()
	}
	return nil
}

// remove gives everything back; the volume may be mounted.
func (v *volume) remove() error {
	err := v.unmount()
	if v.disk != nil {
		err = errors.Join(err, v.disk.remove())
	}
	if v.image != nil {
		err = errors.Join(err, v.image.Close())
	}
	return err
}

// Ways to shut a file system down (ioctl_xfs_goingdown(2); ext4 has the same numbers, fs/ext4/ext4.h).
const (
	shutSynced   = 0 // after everything was written
	shutLogFlush = 1 // after the journal was written, without the files' dirty pages
	shutNoFlush  = 2 // at once

	goingDown = 0x8004587D // XFS_IOC_GOINGDOWN and EXT4_IOC_SHUTDOWN: _IOR('X', 125, __u32)
)

// shutdown takes the file system away from everybody who uses it; from now on it takes no write. A cached volume loses its
// disk's cache: not it is shut down, but its disk.
func (v *volume) shutdown(how int) error {
	if v.disk != nil {
		return v.disk.shutdown(how)
	}
	if err := unix.IoctlSetPointerInt(int(v.held.Fd()), goingDown, how); err != nil {
		return fmt.Errorf("shut %s down: %w", v.system, err)
	}
	return nil
}

// cutPower goes on with the disk as it is now: the volume was shut down, its user is dead, and nothing that the kernel
// writes while it unmounts counts. The volume is mounted afterwards.
func (v *volume) cutPower() error {
	below := v
	if v.disk != nil {
		below = v.disk
	}
	now, err := blankImage(below.size)
	if err != nil {
		return err
	}
	if err := copyData(now, below.image); err != nil {
		return errors.Join(err, now.Close())
	}
	before := below.image
	below.image = now
	return errors.Join(before.Close(), v.unmount(), v.mount())
}

// whyNot says why this machine cannot have such a volume: an error that is about the machine, and nil if it can.
func (k volumeKind) whyNot(ctx context.Context, point string) error {
	if _, err := exec.LookPath("mkfs." + k.system); err != nil {
		return fmt.Errorf("mkfs.%s is not installed (Debian: %s)", k.system, map[string]string{"ext4": "e2fsprogs", "xfs": "xfsprogs"}[k.system])
	}
	v, err := newVolume(ctx, k, point)
	if err != nil {
		return err
	}
	if err = v.mount(); err == nil {
		err = v.shutdown(shutNoFlush)
	}
	return errors.Join(err, v.remove())
}
