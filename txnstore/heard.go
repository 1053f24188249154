package txnstore

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// A disk that reports a flush and does not make it leaves files that are each sound and do not belong together. So each
// file says what the others had reached when it was written. The numbers stand where bbolt keeps a bucket's sequence, which
// is there in any case and carried along by programs that do not know of it; 0 is one that was never written:
//
//	archive.db   bucket meta    high 32 bits: commits of archive.db in the terminal's life, whatever it was built anew
//	                            low 32 bits: bbolt's number of the commit that wrote this root leaf
//	hot.db       bucket c       low 32 bits: commits of archive.db that were on the disk
//	                            high 32 bits: bbolt's number of the commit that wrote this root leaf
//	             bucket rN      number of the commit whose copy stands in slot N's newest block of shadow
//
// What is missing on the disk is told by
//
//	a root leaf has another number than the root that leads to it                     its pages: damaged
//	archive.db has fewer commits than hot.db heard of                                 its root: everything is looked at
//	a slot's newest block of shadow is older than hot.db heard                        that block
//	hot.db is behind shadow, or ahead of it (compare)                                 the other
//
// The newest commit of archive.db, after which hot.db has committed nothing, cannot be missed, and need not: whatever it
// took over still stands in the slots.
type heard struct {
	archive uint64
	blocks  [hotSlots]uint64
}

// archiveStamp is a number of commits of archive.db, and bbolt's own number of the commit that writes it.
func archiveStamp(number uint64, txid int) uint64 { return number<<32 | uint64(uint32(txid)) }

// heardStamp is the same numbers the other way round: files of schema 3 have only the first.
func heardStamp(archive uint64, txid int) uint64 { return uint64(uint32(txid))<<32 | archive&(1<<32-1) }

// stamp numbers the commit that tx will be.
func (a *archive) stamp(tx *bolt.Tx) error {
	return tx.Bucket(metaBucket).SetSequence(archiveStamp(a.number+1, tx.ID()))
}

// begin prepares a commit of archive.db and numbers it.
func (a *archive) begin(work func(*bolt.Tx) error) (*bolt.Tx, error) {
	return stage(a.db, func(tx *bolt.Tx) error {
		if err := work(tx); err != nil {
			return err
		}
		return a.stamp(tx)
	})
}

// commit ends what begin began.
func (a *archive) commit(tx *bolt.Tx) error {
	err := commit(a.db.Path(), tx)
	if err == nil {
		a.number++
	}
	return err
}

// put writes into hot.db what the others have reached. Of was, which it holds, only what differs is touched: each bucket that
// bbolt opens costs more than its number.
func (h heard) put(tx *bolt.Tx, was heard) error {
	if err := tx.Bucket(counterBucket).SetSequence(heardStamp(h.archive, tx.ID())); err != nil {
		return err
	}
	for i, commit := range h.blocks {
		if commit == was.blocks[i] {
			continue
		}
		if err := tx.Bucket(slotBucket(i)).SetSequence(commit); err != nil {
			return err
		}
	}
	return nil
}

func readHeard(tx *bolt.Tx) (h heard) {
	if bucket := tx.Bucket(counterBucket); bucket != nil {
		h.archive = bucket.Sequence() & (1<<32 - 1)
	}
	for i := range h.blocks {
		if bucket := tx.Bucket(slotBucket(i)); bucket != nil {
			h.blocks[i] = bucket.Sequence()
		}
	}
	return h
}

// stamped compares a root with the leaf that it leads to.
func stamped(meta metaPage, commit uint32) *fault {
	if commit == 0 || commit == uint32(meta.commit) {
		return nil
	}
	return &fault{meta.root, 0, fmt.Sprintf("was written by commit %d where commit %d belongs: a flush was reported and did not happen",
		commit, uint32(meta.commit))}
}

// behind finds a root of archive.db that hot.db knows to be out of date.
func behind(health []Health) bool {
	var archive, hot *Health
	for i := range health {
		switch health[i].File {
		case archiveName:
			archive = &health[i]
		case hotName:
			hot = &health[i]
		}
	}
	if archive.Verdict == Damaged || hot.Verdict == Damaged || hot.heard <= archive.number {
		return false
	}
	archive.add(Repairable, &fault{0, 64, fmt.Sprintf("%d commits are missing that %s knows of: a flush was reported and did not happen, or a root is torn",
		hot.heard-archive.number, hotName)})
	return true
}

// misled reports whether a root leads to a leaf of another commit.
func misled(file boltFile, meta metaPage) bool {
	p, err := file.readPage(meta.root, meta.pages, maxOverflow)
	return err != nil || p.flags == leafFlag && stamped(meta, uint32(rootStamp(p))) != nil
}

// bestRoot looks for the newest root leaf of archive.db among all pages, for a file whose roots are lost.
func bestRoot(file boltFile) (best metaPage, ok bool) {
	pages, newest := uint64(file.size/pageSize), uint64(0)
	for id := uint64(2); id < pages; id++ {
		p, err := file.readPage(id, pages, maxOverflow)
		if err != nil || p.flags != leafFlag {
			continue
		}
		if stamp := rootStamp(p); stamp > newest {
			newest = stamp
			best = metaPage{root: id, freelist: noFreelist, pages: pages, commit: uint64(uint32(stamp))}
		}
	}
	return best, newest > 0
}

// rootStamp is the number of a root leaf, 0 of any other page.
func rootStamp(p treePage) (stamp uint64) {
	list, err := p.elements()
	if err != nil {
		return 0
	}
	records := false
	for _, e := range list {
		switch {
		case !e.bucket || len(e.value) < bucketHeader:
			return 0
		case string(e.key) == string(metaBucket):
			stamp = binary.NativeEndian.Uint64(e.value[8:])
		case string(e.key) == string(txnBucket):
			records = true
		}
	}
	if !records {
		return 0
	}
	return stamp
}
