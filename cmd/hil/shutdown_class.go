package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// cutClass is a kind of volume, and a way of shutting it down.
type cutClass struct {
	volumeKind
	how    int
	weight int  // of all shutdowns
	frail  bool // the file system itself is known not to last always
}

func (c cutClass) String() string { return fmt.Sprintf("%-28s %-18s", c.name, wayOf(c.how)) }

const volumeSize = 32 << 20

func cutClasses() []cutClass {
	ext4 := func(name, options string, mkfs ...string) volumeKind {
		return volumeKind{name: name, system: "ext4", mkfs: mkfs, options: options, size: volumeSize}
	}
	plain := ext4("ext4", "", "-b", "4096")
	cached := ext4("ext4 on a disk with a cache", "", "-b", "4096")
	cached.cached = true
	return []cutClass{
		{volumeKind: plain, how: shutNoFlush, weight: 30},
		{volumeKind: plain, how: shutLogFlush, weight: 8},
		{volumeKind: plain, how: shutSynced, weight: 4},
		{volumeKind: ext4("ext4, 1 KiB blocks", "", "-b", "1024"), how: shutNoFlush, weight: 10},
		{volumeKind: ext4("ext4, fast_commit", "", "-b", "4096", "-O", "fast_commit"), how: shutNoFlush, weight: 12, frail: true},
		{volumeKind: ext4("ext4, data=writeback", "data=writeback", "-b", "4096"), how: shutNoFlush, weight: 8},
		{volumeKind: ext4("ext4, data=journal", "data=journal", "-b", "4096"), how: shutNoFlush, weight: 8},
		{volumeKind: volumeKind{name: "xfs", system: "xfs", size: 300 << 20}, how: shutNoFlush, weight: 8},
		{volumeKind: cached, how: shutNoFlush, weight: 12},
	}
}

func wayOf(how int) string {
	return map[int]string{shutSynced: "after a sync", shutLogFlush: "after the journal", shutNoFlush: "at once"}[how]
}

// possible leaves out what this machine does not have, but not ext4 as everybody uses it.
func (p *shutdowns) possible(ctx context.Context) (list []cutClass, absent []string, err error) {
	why := map[string]error{}
	wanted := slices.DeleteFunc(cutClasses(), func(c cutClass) bool { return !strings.Contains(c.name, p.only) })
	if len(wanted) == 0 {
		return nil, nil, fmt.Errorf("-only %q is part of no file system's name; they are %q", p.only, cutClasses())
	}
	for i, c := range wanted {
		if _, asked := why[c.name]; !asked {
			why[c.name] = c.whyNot(ctx, filepath.Join(p.dir, "try-"+strconv.Itoa(i)))
		}
		switch err := why[c.name]; {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err == nil:
			list = append(list, c)
		case i == 0:
			return nil, nil, fmt.Errorf("%w: %w", errUnable, err)
		default:
			absent = append(absent, fmt.Sprintf("%s: %v", c.name, err))
		}
	}
	return list, slices.Compact(absent), nil
}
