package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// The pocket is a deliberately wrong little store, one bbolt file with a number a commit. A prover that finds nothing
// wrong with it proves nothing. Done right, it must pass.
const (
	pocketStore = "pocket"
	pocketFile  = "pocket.db"

	pocketRight   = "right"
	pocketInPlace = "in-place" // created under its own name, not written aside and renamed
	pocketEarly   = "early"    // promises before it commits
	pocket1024    = "page-1024"
	pocketNoSync  = "no-sync" // writes, and leaves syncing to the kernel
)

var pocketBucket = []byte("p")

// pocket is the recorded process.
func pocket(dir, how string, deeds int) error {
	path := filepath.Join(dir, pocketFile)
	o := &bolt.Options{PageSize: blockBytes, FreelistType: bolt.FreelistArrayType, Timeout: time.Second}
	if how == pocket1024 {
		o.PageSize = 1024
	}
	o.NoSync = how == pocketNoSync
	fmt.Println("TRY open")
	if how != pocketInPlace {
		if err := bornAside(path, o); err != nil {
			return err
		}
	}
	db, err := bolt.Open(path, 0o600, o)
	if err != nil {
		return err
	}
	if err := db.Update(makePocket); err != nil {
		return err
	}
	fmt.Println(`ACK {"Deed":"open"}`)
	for n := range uint64(deeds) {
		fmt.Println("TRY put")
		text, err := json.Marshal(promise{Deed: "put", Txn: &sighting{ID: txn.ID(n + 1), Gen: 1, Print: pocketValue(n + 1)}})
		if err != nil {
			return err
		}
		if how == pocketEarly {
			fmt.Println("ACK", string(text))
		}
		err = db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket(pocketBucket).Put(binary.BigEndian.AppendUint64(nil, n+1), []byte(pocketValue(n+1)))
		})
		if err != nil {
			return err
		}
		if how != pocketEarly {
			fmt.Println("ACK", string(text))
		}
	}
	return db.Close()
}

func makePocket(tx *bolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(pocketBucket)
	return err
}

func bornAside(path string, o *bolt.Options) error {
	db, err := bolt.Open(path+".new", 0o600, o)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(makePocket), db.Sync(), db.Close(), os.Rename(path+".new", path)); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// pocketValue fills some sectors, as a record does.
func pocketValue(n uint64) string { return fmt.Sprintf("%0700d", n) }

// examinePocket is examine for a pocket: every promised number is there with its value, nothing else, and one more fits.
func examinePocket(dir string, m *model) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault(refused, "panic: %v", p)
		}
	}()
	path := filepath.Join(dir, pocketFile)
	if _, err := os.Stat(path); err != nil {
		if len(m.floor) > 0 {
			return fault(lost, "the whole file")
		}
		return nil
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		return fault(refused, "open: %v", err)
	}
	found := map[txn.ID]string{}
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(pocketBucket)
		if err != nil {
			return err
		}
		err = b.ForEach(func(k, v []byte) error {
			if len(k) != 8 {
				return errors.New("a key of a strange length")
			}
			found[txn.ID(binary.BigEndian.Uint64(k))] = string(v)
			return nil
		})
		return errors.Join(err, b.Put([]byte("another!"), []byte("one")))
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return fault(refused, "%v", err)
	}
	for id, value := range found {
		switch written := m.versions[id][1]; {
		case written == nil:
			return fault(invented, "number %d", id)
		case written.Print != value:
			return fault(changed, "number %d", id)
		}
	}
	for id := range m.floor {
		if _, ok := found[id]; !ok {
			return fault(lost, "number %d", id)
		}
	}
	return nil
}
