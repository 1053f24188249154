package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// disk is what a block device has counted.
type disk struct{ bytes, flushes int64 }

func (d disk) minus(e disk) disk { return disk{d.bytes - e.bytes, d.flushes - e.flushes} }

// diskOf reads the counters of the device that holds a directory.
func diskOf(dir string) (disk, error) {
	var info syscall.Stat_t
	if err := syscall.Stat(dir, &info); err != nil {
		return disk{}, err
	}
	device := uint64(info.Dev)
	text, err := os.ReadFile(fmt.Sprintf("/sys/dev/block/%d:%d/stat", unix.Major(device), unix.Minor(device)))
	if err != nil {
		return disk{}, err
	}
	return readDisk(string(text))
}

// readDisk takes sectors written and flush requests from a stat file (Linux Documentation/block/stat.rst: fields 7 and 16,
// a sector is 512 bytes; flushes are counted since Linux 5.5).
func readDisk(text string) (disk, error) {
	fields := strings.Fields(text)
	if len(fields) < 17 {
		return disk{}, fmt.Errorf("%d counters instead of 17", len(fields))
	}
	sectors, err := strconv.ParseInt(fields[6], 10, 64)
	if err != nil {
		return disk{}, err
	}
	flushes, err := strconv.ParseInt(fields[15], 10, 64)
	return disk{sectors * 512, flushes}, err
}
