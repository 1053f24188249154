package txnstore

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// hot.db: five buckets of one record and one of counters, all inline in the root leaf (see doc.go). Every commit
// therefore writes that one leaf and a meta page, whatever it changes.
const (
	hotName  = "hot.db"
	hotSize  = 64 << 10
	hotSlots = 5
)

func slotBucket(slot int) []byte { return []byte{'r', byte('0' + slot)} }

var (
	slotKey        = []byte("t")
	counterBucket  = []byte("c")
	counterKey     = []byte("n")
	errEmptyRecord = errors.New("no record") // a slot that was never used
)

type hotFile struct {
	db    *bolt.DB
	heard heard // as it was read, or committed last
}

// hotImage is what hot.db holds, decoded.
type hotImage struct {
	counters counters
	err      error // why the counters cannot be read
	heard    heard
	slots    [hotSlots]found
}

// unused reports whether nothing was committed since the file was made.
func (h *hotImage) unused() bool {
	for i := range h.slots {
		s := &h.slots[i]
		if !errors.Is(s.err, errEmptyRecord) {
			return false
		}
	}
	return h.heard == heard{}
}

// found is a record, or why there is none: errEmptyRecord, or what is wrong with it.
type found struct {
	*record
	err error
}

// openHot maps the file as it is. NoFreelistSync saves a page of every commit and costs a walk over the whole file when it
// is opened, which is sixteen pages here. MaxSize makes growing an error instead of a hole in the file.
func openHot(path string, readOnly, verified bool) (*hotFile, error) {
	db, err := openBolt(path, hotSize, verified, bolt.Options{ReadOnly: readOnly, NoFreelistSync: true, MaxSize: hotSize})
	if err != nil {
		return nil, err
	}
	return &hotFile{db: db}, nil
}

func (h *hotFile) read(c *codec) (hotImage, error) {
	var image hotImage
	err := view(h.db, func(tx *bolt.Tx) error {
		image.heard = readHeard(tx)
		for i := range image.slots {
			bucket := tx.Bucket(slotBucket(i))
			if bucket == nil {
				return damaged(h.db.Path(), fmt.Sprintf("has no slot %d", i))
			}
			image.slots[i] = decodeFound(c, bucket.Get(slotKey))
		}
		return nil
	})
	if err == nil {
		h.heard = image.heard
		image.counters, image.err = h.counters()
	}
	return image, err
}

func (h *hotFile) counters() (count counters, err error) {
	err = view(h.db, func(tx *bolt.Tx) (err error) {
		bucket := tx.Bucket(counterBucket)
		if bucket == nil {
			return damaged(h.db.Path(), "has no counters")
		}
		count, err = openCounters(bucket.Get(counterKey))
		return err
	})
	return count, err
}

func decodeFound(c *codec, frame []byte) found {
	if frame == nil {
		return found{err: errEmptyRecord}
	}
	r, err := c.decode(frame)
	return found{r, err}
}

// stage puts record frames into their slots, leaves those without one as they are, and puts the counters and what the other
// files have reached. The caller commits.
func (h *hotFile) stage(frames [hotSlots][]byte, count counters, others heard) (*bolt.Tx, error) {
	return stage(h.db, func(tx *bolt.Tx) error {
		for slot, frame := range frames {
			if frame == nil {
				continue
			}
			if err := tx.Bucket(slotBucket(slot)).Put(slotKey, frame); err != nil {
				return err
			}
		}
		if err := others.put(tx, h.heard); err != nil {
			return err
		}
		return tx.Bucket(counterBucket).Put(counterKey, count.frame())
	})
}

func (h *hotFile) close() error { return h.db.Close() }
