package txnstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// recentKey holds which records the last commits of archive.db wrote, in which version:
//
//	┌────────┬─────────┬────────┬─────────┬─────┐
//	│ number │ version │ number │ version │ ... │   varints, oldest first, in a frame
//	└────────┴─────────┴────────┴─────────┴─────┘
//
// A page of a flush that did not happen keeps what it held before, which is sound and may even belong to the same place of
// the tree. A start does not read all pages, but it can afford to look these few records up, with their references: so a
// lost page is missed as long as one of its records is among them.
var recentKey = []byte("recent")

const recentFrame frameKind = 'N'

const mostRecent = 64

type version struct {
	id  txn.ID
	gen uint32
}

func putRecent(list []version) []byte {
	var b []byte
	for _, v := range list {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(v.id)), uint64(v.gen))
	}
	return putFrame(recentFrame, b)
}

func openRecent(frame []byte) (list []version, err error) {
	b, err := openFrame(recentFrame, frame)
	for err == nil && len(b) > 0 {
		id, n := binary.Uvarint(b)
		gen, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 || gen > 1<<32-1 || len(list) == mostRecent {
			return nil, errors.New("recent records: not well formed")
		}
		list, b = append(list, version{txn.ID(id), uint32(gen)}), b[n+m:]
	}
	return list, err
}

// keepRecent adds entries to the list, and takes out what is pruned.
func keepRecent(tx *bolt.Tx, entries []entry, pruned []*record) error {
	meta := tx.Bucket(metaBucket)
	list, _ := openRecent(meta.Get(recentKey)) // an unreadable one is begun again: the next start has told of it
	gone := map[txn.ID]bool{}
	for _, e := range entries {
		gone[e.ID] = true
	}
	for _, r := range pruned {
		gone[r.ID] = true
	}
	list = slices.DeleteFunc(list, func(v version) bool { return gone[v.id] })
	for _, e := range entries[max(0, len(entries)-mostRecent):] {
		list = append(list, version{e.ID, e.Gen})
	}
	return meta.Put(recentKey, putRecent(list[max(0, len(list)-mostRecent):]))
}

// missed looks the recent records of archive.db up, and returns what is wrong with the first that is not there as it was
// written. A page that cannot be read is the verifier's business, or that of whoever reads it.
func missed(dir string) *fault {
	file, err := os.Open(filepath.Join(dir, archiveName))
	if err != nil {
		return nil
	}
	defer file.Close()
	t, err := readTree(file, nil)
	if err != nil {
		return nil
	}
	frame, err := t.get(metaBucket, recentKey)
	if err != nil || frame == nil {
		return nil
	}
	list, err := openRecent(frame)
	if err != nil {
		return &fault{t.meta.root, 0, err.Error()}
	}
	names, whose := []string{}, map[string]txn.ID{}
	for _, v := range list {
		var g glance
		var code string
		var unread error
		found, err := t.find(txnBucket, idKey(v.id), func(frame []byte) { g, code, unread = glanceAt(frame) })
		if err != nil {
			return &fault{t.meta.root, 0, fmt.Sprintf("transaction %d: %v", v.id, err)}
		}
		switch {
		case !found:
			return v.missing(t)
		case unread != nil || g.id != v.id: // it stops itself
		case g.gen < v.gen:
			return v.missing(t)
		default:
			names = append(names, g.reference)
			whose[g.reference] = g.id
			if code != "" {
				names = append(names, code)
				whose[code] = g.id
			}
		}
	}
	slices.Sort(names) // neighbours share a page
	for _, name := range names {
		if found, err := t.find(refBucket, []byte(name), nil); err != nil || !found {
			return &fault{t.meta.root, 0, fmt.Sprintf("the reference or the payment code of transaction %d is not there, and was written: a flush was reported and did not happen", whose[name])}
		}
	}
	return nil
}

func (v version) missing(t tree) *fault {
	return &fault{t.meta.root, 0, fmt.Sprintf("transaction %d is not there in version %d, which was written: a flush was reported and did not happen", v.id, v.gen)}
}
