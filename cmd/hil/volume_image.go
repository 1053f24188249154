package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// blankImage is memory without a name, which goes with the last process and device that uses it.
func blankImage(size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("image", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory for an image: %w", err)
	}
	image := os.NewFile(uintptr(fd), "image")
	if err := image.Truncate(size); err != nil {
		return nil, errors.Join(fmt.Errorf("memory for an image: %w", err), image.Close())
	}
	return image, nil
}

// copyData copies a file that has holes (lseek(2), SEEK_DATA).
func copyData(to, from *os.File) error {
	for end := int64(0); ; {
		begin, err := from.Seek(end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil
		}
		if err == nil {
			end, err = from.Seek(begin, unix.SEEK_HOLE)
		}
		if err == nil {
			_, err = io.Copy(io.NewOffsetWriter(to, begin), io.NewSectionReader(from, begin, end-begin))
		}
		if err != nil {
			return fmt.Errorf("copy an image: %w", err)
		}
	}
}

// attach gives the image a loop device, which the kernel takes away when it is closed and not mounted (loop(4)).
func (v *volume) attach() (*os.File, error) {
	image := v.image
	if v.disk != nil {
		var err error
		if image, err = os.OpenFile(filepath.Join(v.disk.point, diskFile), os.O_RDWR, 0); err != nil {
			return nil, err
		}
		defer image.Close()
	}
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("loop devices: %w", err)
	}
	defer control.Close()
	for range 50 { // somebody else may take the same one, or its node may not be there yet
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("loop devices: %w", err)
		}
		dev, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", n), os.O_RDWR, 0)
		if errors.Is(err, os.ErrNotExist) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("loop devices: %w", err)
		}
		config := unix.LoopConfig{Fd: uint32(image.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		err = unix.IoctlLoopConfigure(int(dev.Fd()), &config)
		if err == nil {
			return dev, nil
		}
		_ = dev.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("loop device %d: %w", n, err)
		}
	}
	return nil, errors.New("loop devices: no free one stayed free")
}
