package txnstore

import (
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// archive.db: buckets as drawn in doc.go. Its freelist is synced, so that opening it does not depend on its size.
const (
	archiveName = "archive.db"
	archiveStep = 1 << 20 // born with, and grown by, so many bytes of written zeros
	archiveLow  = 512 << 10
	archiveMust = 192 << 10 // more pages than one commit here can take, with every path of every tree copied
)

var (
	txnBucket   = []byte("txn")
	refBucket   = []byte("ref")
	owedBucket  = []byte("owed")
	paperBucket = []byte("paper")
	metaBucket  = []byte("meta")

	identityKey = []byte("identity")
	countersKey = []byte("counters")
	marker      = []byte{1}
)

type archive struct{ db *bolt.DB }

func openArchive(path string, readOnly bool) (*archive, error) {
	db, err := openBolt(path, archiveStep, bolt.Options{ReadOnly: readOnly})
	if err != nil {
		return nil, err
	}
	a := &archive{db}
	err = view(db, func(tx *bolt.Tx) error {
		for _, name := range archiveBuckets() {
			if tx.Bucket(name) == nil {
				return damaged(path, fmt.Sprintf("has no bucket %q", name))
			}
		}
		return nil
	})
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return a, nil
}

// meta reads identity and counters; each has its own error.
func (a *archive) meta() (id identity, idErr error, count counters, countErr error, err error) {
	err = view(a.db, func(tx *bolt.Tx) error {
		bucket := tx.Bucket(metaBucket)
		id, idErr = openIdentity(bucket.Get(identityKey))
		count, countErr = openCounters(bucket.Get(countersKey))
		return nil
	})
	return id, idErr, count, countErr, err
}

// get reads one record. ErrNotFound; ErrBadRecord names it.
func (a *archive) get(c *codec, id txn.ID) (record, error) {
	var r record
	err := view(a.db, func(tx *bolt.Tx) (err error) {
		r, err = decodeArchived(c, id, tx.Bucket(txnBucket).Get(idKey(id)))
		return err
	})
	return r, err
}

func decodeArchived(c *codec, id txn.ID, frame []byte) (record, error) {
	if frame == nil {
		return record{}, fmt.Errorf("%w: number %d", ErrNotFound, id)
	}
	r, err := c.decode(frame)
	if err == nil && r.ID != id {
		err = fmt.Errorf("it is number %d", r.ID)
	}
	if err != nil {
		return record{}, fmt.Errorf("%w: number %d in %s: %w", ErrBadRecord, id, archiveName, err)
	}
	return r, nil
}

// byReference finds the number behind a caller's reference.
func (a *archive) byReference(ref string) (id txn.ID, ok bool, err error) {
	err = view(a.db, func(tx *bolt.Tx) (err error) {
		if v := tx.Bucket(refBucket).Get([]byte(ref)); v != nil {
			ok = true
			id, err = keyID(v)
		}
		return err
	})
	return id, ok, err
}

// index lists the numbers in the owed or the paper bucket, oldest first. A key that is no number is left out: nothing can
// be found by it.
func (a *archive) index(bucket []byte) (ids []txn.ID, err error) {
	err = view(a.db, func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, _ []byte) error {
			if id, err := keyID(k); err == nil {
				ids = append(ids, id)
			}
			return nil
		})
	})
	return ids, err
}

// entry is a record on its way into the archive.
type entry struct {
	record
	frame []byte
}

// stage puts the entries with their index lines, and the counters. The caller commits. Staging the same entries again
// changes nothing, so a power cut after the commit and before a slot is used again is harmless.
func (a *archive) stage(entries []entry, count counters, id *identity) (*bolt.Tx, error) {
	return stage(a.db, func(tx *bolt.Tx) error {
		for _, e := range entries {
			if err := putEntry(tx, e); err != nil {
				return fmt.Errorf("archive number %d: %w", e.ID, err)
			}
		}
		meta := tx.Bucket(metaBucket)
		if id != nil {
			if err := meta.Put(identityKey, id.frame()); err != nil {
				return err
			}
		}
		return meta.Put(countersKey, count.frame())
	})
}

func putEntry(tx *bolt.Tx, e entry) error {
	key := idKey(e.ID)
	records := tx.Bucket(txnBucket)
	records.FillPercent = 0.9 // numbers only grow, so leaves fill from the right
	refs := tx.Bucket(refBucket)
	taken := refs.Get([]byte(e.Reference)) != nil
	return errors.Join(
		records.Put(key, e.frame),
		mark(tx.Bucket(owedBucket), key, e.State.Owes() != txn.Nothing),
		mark(tx.Bucket(paperBucket), key, e.OwesPaper()),
		unless(taken, func() error { return refs.Put([]byte(e.Reference), key) }),
	)
}

// mark keeps a key in an index or out of it, and touches no page when it is so already.
func mark(index *bolt.Bucket, key []byte, in bool) error {
	switch is := index.Get(key) != nil; {
	case in && !is:
		return index.Put(key, marker)
	case !in && is:
		return index.Delete(key)
	}
	return nil
}

func unless(done bool, work func() error) error {
	if done {
		return nil
	}
	return work()
}

// reserve makes room for the next commits with written zeros: left to itself bbolt would grow by holes, and then every
// sync pays for allocating blocks and a full disk is noticed in the middle of a commit. It fails only when the next
// commit might not fit.
func (a *archive) reserve() error {
	var used int64
	if err := view(a.db, func(tx *bolt.Tx) error { used = tx.Size(); return nil }); err != nil {
		return err
	}
	info, err := os.Stat(a.db.Path())
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	room := info.Size() - used
	if room >= archiveLow {
		return nil
	}
	if err := appendZeros(a.db.Path(), info.Size(), archiveStep); err != nil && room < archiveMust {
		return fmt.Errorf("no room to archive finished transactions, free some space on the disk: %w", err)
	}
	return nil
}

// appendZeros extends a file. On failure it gives the space back: nobody knows of it yet.
func appendZeros(path string, from, n int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err = writeZeros(f, from, n); err == nil {
		err = f.Sync()
	}
	if err != nil {
		_ = f.Truncate(from)
	}
	return err
}

func (a *archive) close() error { return a.db.Close() }
