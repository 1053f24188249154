package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const diskRuns = 8 // of the loop's sales in so many parts

// onDevice reads the disk's own counters around runs of sales, of which the median counts. They count everybody's writes,
// so they are shown only when the disk was almost idle for as long afterwards.
func (m *measuring) onDevice(ctx context.Context, dir string) (rows []row, note string, err error) {
	m.say("  against the disk's own counters")
	if _, err := diskOf(dir); err != nil {
		return nil, fmt.Sprintf("Sums of pwrite are shown: the disk's counters cannot be read (%v).", err), nil
	}
	t, err := openLoop("busy", dir)
	if err != nil {
		return nil, "", err
	}
	defer t.close()
	began, sales := time.Now(), max(1, m.sales/diskRuns)
	var bytes, flushes []int64
	last, err := diskOf(dir)
	for run := 0; run < diskRuns && err == nil; run++ {
		for range sales {
			if _, _, err := sellOnce(t); err != nil {
				return nil, "", err
			}
		}
		var now disk
		now, err = diskOf(dir)
		used := now.minus(last)
		bytes, flushes, last = append(bytes, used.bytes), append(flushes, used.flushes), now
	}
	if err == nil {
		err = rest(ctx, time.Since(began)/diskRuns)
	}
	if err != nil {
		return nil, "", err
	}
	idle, err := diskOf(dir)
	if err != nil {
		return nil, "", err
	}
	used, others := disk{median(bytes), median(flushes)}, idle.minus(last)
	if others.bytes > used.bytes/10 || others.flushes > used.flushes/10 {
		return nil, fmt.Sprintf("Sums of pwrite are shown: others gave the disk %s and %d flushes in as long a time as %d of these sales took.",
			mebibytes(others.bytes), others.flushes, sales), nil
	}
	return []row{
		{"on the device (/sys/block)", kibibytes(float64(used.bytes) / float64(sales)), "", "36 KiB"},
		{"  its flushes", fmt.Sprintf("%.2f", float64(used.flushes)/float64(sales)), "", "6.8"},
	}, fmt.Sprintf("The device's figures are the median of %d runs of %d sales, and include the file system's own writes.", diskRuns, sales), nil
}

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
