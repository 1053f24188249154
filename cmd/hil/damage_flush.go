package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// A flush that did not happen: a disk said that a sync, or an O_DSYNC write, had been done, and what it covers is not on
// the disk, while everything before it and everything after it is. The power goes at a later moment, the cut:
//
//	… write ── sync (said: done) ── ACK ── write ── sync ── ACK ── … ── cut
//	    └── lost                                └── on the disk
//
// What such a disk leaves is one of three things:
//
//   - what an honest disk could have left, because nothing reached the disk after the flush: nobody can tell;
//   - what differs only where nothing is read any more: a page that has been given up since, an older block of shadow;
//   - everything else: this must be told by the next start, every time.
type lostFlush struct {
	at   int   // index of the call that lied
	lost []int // calls that it covered
	cut  int   // calls before this index have been made
}

// flushLies lists the flushes of a history, each with cuts at the flush, after each of the next promises in widening steps, and
// at the end. With single set, each of a flush's writes is lost alone.
func flushLies(h *history, single bool) (list []lostFlush) {
	var pending []int
	lie := func(at int, lost []int) {
		cuts := cutsAfter(h.Ops, at)
		for _, cut := range cuts {
			if !single {
				list = append(list, lostFlush{at, lost, cut})
				continue
			}
			for _, one := range lost {
				if len(lost) > 1 && h.Ops[one].Kind == opWrite {
					list = append(list, lostFlush{at, []int{one}, cut})
				}
			}
		}
	}
	for i, o := range h.Ops {
		switch {
		case o.Kind == opLine:
		case o.Kind == opSync:
			var covered, still []int
			for _, n := range pending {
				if o.covers(h.Ops[n]) {
					covered = append(covered, n)
				} else {
					still = append(still, n)
				}
			}
			if pending = still; len(covered) > 0 {
				lie(i, covered)
			}
		case o.Durable:
			lie(i, []int{i})
		default:
			pending = append(pending, i)
		}
	}
	return list
}

// cutsAfter are the moments at which the power may go after a call: at once, and after promises in widening steps.
func cutsAfter(ops []op, at int) []int {
	cuts, promises, next := []int{at + 1}, 0, 1
	for i := at + 1; i < len(ops); i++ {
		if ops[i].Kind != opLine || !strings.HasPrefix(ops[i].Text, "ACK ") {
			continue
		}
		if promises++; promises == next || promises <= 4 {
			cuts, next = append(cuts, i+1), next*2
		}
	}
	if last := len(ops); cuts[len(cuts)-1] != last {
		cuts = append(cuts, last)
	}
	return cuts
}

// without makes the calls of a history up to a cut, except some. A name that was never changed keeps what is written to
// the file later.
func without(ops []op, cut int, lost []int) *image {
	skip, names := map[int]bool{}, map[string]string{}
	for _, n := range lost {
		skip[n] = true
	}
	d := newImage()
	for i, o := range ops[:cut] {
		if o.Kind == opLine || o.Kind == opSync {
			continue
		}
		if name, other := names[o.Name]; other {
			o.Name = name
		}
		switch {
		case !skip[i]:
			d.apply(o)
		case o.Kind == opRename:
			names[o.To] = o.Name
		}
	}
	return d
}

// told is the lie in words: the pages that are missing, and when it was told and found.
func (l lostFlush) told(h *history) string {
	var lost []string
	for _, n := range l.lost {
		o := h.Ops[n]
		lost = append(lost, fmt.Sprintf("%s %s%s at %d+%d", [...]string{"write", "truncate", "sync", "create", "rename", "remove", "line"}[o.Kind],
			o.Name, o.To, o.Offset/blockBytes, len(o.Data)/blockBytes))
	}
	return fmt.Sprintf("%s, after %d promises, cut after %d", strings.Join(lost, ", "), promisedAt(h.Ops, l.at), promisedAt(h.Ops, l.cut))
}

// sortOfLie is what a lie left.
type sortOfLie string

const (
	lieNone    sortOfLie = ""               // everything it covered has been written again since
	lieHonest  sortOfLie = "as a power cut" // nothing reached the disk after it
	liePast    sortOfLie = "in the past"    // it differs only where nothing is read any more
	lieMatters sortOfLie = "must be told of"
)

// judge compares what a lie left with what an honest disk would have. It uses scratch as a directory.
func (l lostFlush) judge(h *history, left *image, scratch string) (sortOfLie, error) {
	honest := without(h.Ops, l.cut, nil)
	differs := map[string][]int{}
	for _, name := range damageFiles {
		a, there := left.files[name]
		b, wanted := honest.files[name]
		switch {
		case there != wanted || len(a) != len(b):
			differs[name] = nil
		case !bytes.Equal(a, b):
			for n := range len(a) / blockBytes {
				if from := n * blockBytes; !bytes.Equal(a[from:from+blockBytes], b[from:from+blockBytes]) {
					differs[name] = append(differs[name], n)
				}
			}
		}
	}
	for _, name := range append([]string{}, damageFiles...) {
		if a, b := left.files[name+".new"], honest.files[name+".new"]; !bytes.Equal(a, b) {
			differs[name+".new"] = nil
		}
	}
	if len(differs) == 0 {
		return lieNone, nil
	}
	if !reachedDisk(h.Ops, l.at+1, l.cut) {
		return lieHonest, nil
	}
	for name, blocks := range differs {
		matters, err := blocks == nil, error(nil)
		switch {
		case matters:
		case name == shadowFile:
			matters = newestBlocks(h.Ops[:l.cut], blocks)
		default:
			matters, err = reachedPages(filepath.Join(scratch, "honest"), honest.files[name], blocks)
		}
		if err != nil {
			return "", fmt.Errorf("look at an honest %s: %w", name, err)
		}
		if matters {
			return lieMatters, nil
		}
	}
	return liePast, nil
}

// reachedDisk tells whether anything that was asked for between two calls is certainly on the disk.
func reachedDisk(ops []op, from, to int) bool {
	for i := from; i < to; i++ {
		o := ops[i]
		if o.Kind == opWrite && o.Durable {
			return true
		}
		if o.Kind != opSync {
			continue
		}
		for n := from; n < i; n++ {
			if o.covers(ops[n]) && ops[n].Kind != opLine && ops[n].Kind != opSync {
				return true
			}
		}
	}
	return false
}

// newestBlocks tells whether any of these blocks of shadow was the last of its slot that was written, or never is again:
// three blocks stand for a slot, and the sixteenth for the identity.
func newestBlocks(ops []op, blocks []int) bool {
	last := map[int]int{}
	for _, o := range ops {
		if o.Kind == opWrite && o.Name == shadowFile {
			n := int(o.Offset / blockBytes)
			last[n/3] = n
		}
	}
	for _, n := range blocks {
		if newest, written := last[n/3]; !written || newest == n {
			return true
		}
	}
	return false
}

// reachedPages asks bbolt whether it would read any of these pages of a sound database.
func reachedPages(path string, content []byte, pages []int) (reached bool, err error) {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return false, err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true, PageSize: blockBytes})
	if err != nil {
		return false, err
	}
	err = db.View(func(tx *bolt.Tx) error {
		for _, n := range pages {
			if n < 2 {
				reached = reached || n == tx.ID()%2
				continue
			}
			info, err := tx.Page(n)
			if err != nil {
				return err
			}
			reached = reached || info != nil && info.Type != "free"
		}
		return nil
	})
	return reached, errors.Join(err, db.Close())
}

// promisedAt counts the promises made before a cut.
func promisedAt(ops []op, cut int) (acked int) {
	for _, o := range ops[:cut] {
		if o.Kind == opLine && strings.HasPrefix(o.Text, "ACK ") {
			acked++
		}
	}
	return acked
}

// older has one file as it was at an earlier moment, and the others as they are.
type older struct {
	file      string
	then, cut int
}

// olderFiles pairs moments of a history, for each file. Both are after birth, and between two promises.
func olderFiles(h *history) (list []older) {
	const moments = 24
	var acks []int
	for i, o := range h.Ops {
		if o.Kind == opLine && strings.HasPrefix(o.Text, "ACK ") {
			acks = append(acks, i+1)
		}
	}
	for _, file := range damageFiles {
		for _, n := range spread(len(acks), moments) {
			for _, back := range []int{1, 2, 3, 4, 5, 7, 10, 15, 25, 50, 100, 200} {
				if back <= n {
					list = append(list, older{file, acks[n-back], acks[n]})
				}
			}
		}
	}
	return list
}

func (o older) image(h *history) *image {
	now, then := without(h.Ops, o.cut, nil), without(h.Ops, o.then, nil)
	after := now.copied()
	after.files = maps.Clone(now.files)
	after.files[o.file] = then.files[o.file]
	return after
}
