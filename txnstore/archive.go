package txnstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// archive.db: buckets as drawn in doc.go. Its freelist is synced, so that opening it does not depend on its size.
const (
	archiveName = "archive.db"
	archiveStep = 1 << 20 // born with, and grown by, so many bytes of written zeros
	archiveLow  = 512 << 10
	archiveMust = 192 << 10 // more pages than one commit here can take, with every path of every tree copied
	archiveKeep = 320 << 10 // what finished transactions leave free for changes to those that are owed and stand here
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

// archive is the open file. It is read by tree and written by bbolt. Its owner serialises all calls.
type archive struct {
	db       *bolt.DB
	file     *os.File
	readOnly bool
	doubted  bool   // the next Open has been asked to look at everything
	totals   bool   // the file has them
	number   uint64 // of its newest commit, in the terminal's life (heard.go)
	now      tree   // as it was when so many pages had been written
	anew     *way   // of what is read from the file whatever was read before
	written  int64
	read     map[txn.ID]*record // out of that state: what is owed is asked for several times a sale
	found    *newestClosings    // nil is not known
}

func openArchive(path string, readOnly, verified bool) (*archive, error) {
	db, err := openBolt(path, archiveStep, verified, bolt.Options{ReadOnly: readOnly})
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open %s: %w", archiveName, err)
	}
	a := &archive{db: db, file: file, readOnly: readOnly}
	if err := a.known(); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// doubt turns a fault into an error that stops what needed the page and nothing else, and has the next Open look at
// everything.
func (a *archive) doubt(err error) error {
	if err == nil {
		return nil
	}
	if !a.readOnly && !a.doubted {
		a.doubted = Suspect(filepath.Dir(a.db.Path())) == nil // without it the next check still finds the page
	}
	return fmt.Errorf("%w: %s: %w: stop the agent and start it again, it then salvages what can be read", ErrBadRecord, archiveName, err)
}

// tree is the state that was committed last. Only this process writes, so its roots are read again when it has; in between
// a walk begins where the last one ended.
func (a *archive) tree() (tree, error) {
	stats := a.db.Stats()
	if written := stats.TxStats.GetWrite(); a.now.way == nil || a.written != written {
		t, err := readTree(a.file, a.now.way)
		if err != nil {
			return t, a.doubt(err)
		}
		a.now, a.written, a.read = t, written, nil
	}
	return a.now, nil
}

// fresh is tree with nothing of it read yet. It is good until the next one.
func (a *archive) fresh() (tree, error) {
	t, err := readTree(a.file, a.anew)
	a.anew = t.way
	return t, err
}

// value reads one value of a bucket, nil when there is none.
func (a *archive) value(bucket, key []byte) ([]byte, error) {
	t, err := a.tree()
	if err != nil {
		return nil, err
	}
	v, err := t.get(bucket, key)
	return v, a.doubt(err)
}

// meta reads identity and counters; each has its own error.
func (a *archive) meta() (id identity, idErr error, count counters, countErr error, err error) {
	var frames [2][]byte
	for i, key := range [][]byte{identityKey, countersKey} {
		if frames[i], err = a.value(metaBucket, key); err != nil {
			return id, nil, count, nil, err
		}
	}
	id, idErr = openIdentity(frames[0])
	count, countErr = openCounters(frames[1])
	return id, idErr, count, countErr, nil
}

// mostRead is how many records of one state are kept decoded.
const mostRead = 16

// get reads one record. ErrNotFound; ErrBadRecord names it.
func (a *archive) get(c *codec, id txn.ID) (*record, error) {
	t, err := a.tree()
	if err != nil {
		return nil, err
	}
	if r, known := a.read[id]; known {
		return r, nil
	}
	var r *record
	var unread error
	found, err := t.find(txnBucket, idKey(id), func(frame []byte) { r, unread = decodeArchived(c, id, frame) })
	switch {
	case err != nil:
		return nil, a.doubt(err)
	case !found:
		return nil, fmt.Errorf("%w: number %d", ErrNotFound, id)
	}
	if unread == nil && len(a.read) < mostRead {
		if a.read == nil {
			a.read = map[txn.ID]*record{}
		}
		a.read[id] = r
	}
	return r, unread
}

func decodeArchived(c *codec, id txn.ID, frame []byte) (*record, error) {
	r := new(record)
	if err := decodeArchivedInto(r, c, id, frame); err != nil {
		return nil, err
	}
	return r, nil
}

func decodeArchivedInto(r *record, c *codec, id txn.ID, frame []byte) error {
	err := c.decodeInto(r, frame)
	if err == nil && r.ID != id {
		err = fmt.Errorf("it is number %d", r.ID)
	}
	if err != nil {
		return fmt.Errorf("%w: number %d in %s: %w", ErrBadRecord, id, archiveName, err)
	}
	return nil
}

// byName finds the number behind a caller's reference, or behind a payment code.
func (a *archive) byName(key []byte) (id txn.ID, ok bool, err error) {
	v, err := a.value(refBucket, key)
	if err == nil && v != nil {
		ok = true
		id, err = keyID(v)
	}
	return id, ok, err
}

// index lists the numbers in the owed or the paper bucket, oldest first. A key that is no number is left out: nothing can
// be found by it.
func (a *archive) index(bucket []byte) (ids []txn.ID, err error) {
	t, err := a.tree()
	if err != nil {
		return nil, err
	}
	bad := t.scan(bucket, nil, false, func(k, _ []byte, e error) bool {
		if err = e; err != nil {
			return false
		}
		if id, wrong := keyID(k); wrong == nil {
			ids = append(ids, id)
		}
		return true
	})
	return ids, a.doubt(errors.Join(bad, err))
}

// sound looks at every page that a commit of these entries makes bbolt read: the way to each key, and all of the two
// indexes that lines are taken out of, because pages there may be joined with their neighbours. It reads each of them from
// the file, whatever was read before.
func (a *archive) sound(entries []entry) error {
	t, err := a.fresh()
	for _, e := range entries {
		if err == nil {
			_, err = t.find(txnBucket, idKey(e.ID), nil)
		}
	}
	for _, e := range entries {
		if err == nil {
			_, err = t.find(refBucket, []byte(e.Reference), nil)
		}
		if err == nil && e.submits() {
			_, err = t.find(refBucket, e.codeKey(), nil)
		}
	}
	small := [][]byte{owedBucket, paperBucket, metaBucket}
	if a.totals {
		small = append(small, totalBucket)
	}
	for _, bucket := range small {
		if err != nil {
			break
		}
		bad := t.scan(bucket, nil, false, func(_, _ []byte, e error) bool { err = e; return e == nil })
		err = errors.Join(bad, err)
	}
	return a.doubt(err)
}

// entry is a record on its way into the archive.
type entry struct {
	*record
	frame []byte
}

// stage puts the entries with their index lines, and the counters. The caller commits. Staging the same entries again
// changes nothing, so a power cut after the commit and before a slot is used again is harmless.
func (a *archive) stage(entries []entry, count counters, id *identity) (*bolt.Tx, error) {
	if err := a.sound(entries); err != nil {
		return nil, err
	}
	return a.begin(func(tx *bolt.Tx) error {
		if err := a.keepTotals(tx, entries); err != nil {
			return err
		}
		for _, e := range entries {
			if err := putEntry(tx, e); err != nil {
				return fmt.Errorf("archive number %d: %w", e.ID, err)
			}
		}
		if err := keepRecent(tx, entries, nil); err != nil {
			return err
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
	known := !e.submits() || refs.Get(e.codeKey()) != nil
	return errors.Join(
		records.Put(key, e.frame),
		mark(tx.Bucket(owedBucket), key, e.State.Owes() != txn.Nothing),
		mark(tx.Bucket(paperBucket), key, e.OwesPaper()),
		unless(taken, func() error { return refs.Put([]byte(e.Reference), key) }),
		unless(known, func() error { return refs.Put(e.codeKey(), key) }),
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
// sync pays for allocating blocks and a full disk is noticed in the middle of a commit. It fails only when the
// disk is full and less than least is left in the file.
func (a *archive) reserve(least int64) error {
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
	if err := appendZeros(a.db.Path(), info.Size(), archiveStep); err != nil && room < least {
		return fmt.Errorf("no room to archive finished transactions: %w", explained(err))
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

func (a *archive) close() error { return errors.Join(a.db.Close(), a.file.Close()) }
