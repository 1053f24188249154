package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Names in the directory of a loop.
const (
	loopStore  = "store"    // stocked with finished records
	loopPlain  = "plain.db" // the same number of them
	loopLog    = "raw-log"
	loopSQLite = "sqlite.db"
	loopMark   = "mark" // written before the first sale and after the last, for the tracer
)

// seller makes sales somewhere.
type seller interface {
	// sale makes one sale and tells how long the customer waited for the store.
	sale() (time.Duration, error)
	// after does what can wait until the customer has gone.
	after() error
	close() error
}

// openLoop opens one of the ways of selling that are compared.
//
//	busy    as the agent's store in a shop with customers: printed marks ride with the next sale, finished sales move
//	        to the archive four at a time
//	lone    a customer now and then: the store is tidied after each of them
//	plain   what comes to mind first: two puts, two commits, one bucket of one bbolt file with its defaults
//	log     the least there is: two records appended, two syncs
func openLoop(name, dir string) (seller, error) {
	switch name {
	case "busy", "lone":
		t, err := openTill(filepath.Join(dir, loopStore), fmt.Sprintf("%s-%d", name, time.Now().UnixNano()))
		if err != nil {
			return nil, err
		}
		if name == "lone" {
			return tidyTill{t}, nil
		}
		return t, nil
	case "plain":
		return openPlain(filepath.Join(dir, loopPlain))
	case "log":
		return openLog(filepath.Join(dir, loopLog))
	}
	return nil, fmt.Errorf("no loop is called %q", name)
}

func loopNames() []string { return []string{"busy", "lone", "plain", "log"} }

// after makes room, as the agent does after every sale.
func (t *till) after() error { return t.store.MakeRoom() }

// tidyTill is a till in a quiet shop.
type tidyTill struct{ *till }

func (t tidyTill) after() error { return errors.Join(t.store.MakeRoom(), t.store.Tidy()) }

// tracedLoop makes sales between two marks.
func tracedLoop(name, dir string, sales int) error {
	s, err := openLoop(name, dir)
	if err != nil {
		return err
	}
	mark := func() error { return os.WriteFile(filepath.Join(dir, loopMark), []byte("x"), 0o600) }
	err = mark()
	for n := 0; n < sales && err == nil; n++ {
		if _, err = s.sale(); err == nil {
			err = s.after()
		}
	}
	return errors.Join(err, mark(), s.close())
}

// plainStore is one bbolt file with its defaults: a record by its number, put when a sale begins and again when it ends.
type plainStore struct {
	db     *bolt.DB
	next   uint64
	record [plainRecord]byte
}

const plainRecord = 600 // bytes, about those of the store's own record

const plainBucket = "txn"

func openPlain(path string) (*plainStore, error) {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return nil, err
	}
	p := &plainStore{db: db}
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(plainBucket))
		if err == nil {
			p.next = b.Sequence()
		}
		return err
	})
	return p, err
}

// fill puts finished records without waiting for the disk until the end.
func (p *plainStore) fill(records int) error {
	p.db.NoSync = true
	defer func() { p.db.NoSync = false }()
	const together = 500
	for done := 0; done < records; done += together {
		err := p.db.Update(func(tx *bolt.Tx) error {
			for range min(together, records-done) {
				if err := p.put(tx); err != nil {
					return err
				}
				p.next++
			}
			return tx.Bucket([]byte(plainBucket)).SetSequence(p.next)
		})
		if err != nil {
			return err
		}
	}
	return p.db.Sync()
}

func (p *plainStore) put(tx *bolt.Tx) error {
	binary.BigEndian.PutUint64(p.record[:], p.next)
	return tx.Bucket([]byte(plainBucket)).Put(slices.Clone(p.record[:8]), p.record[:])
}

func (p *plainStore) sale() (time.Duration, error) {
	began := time.Now()
	begun := p.db.Update(p.put)
	p.record[plainRecord-1]++ // the outcome
	ended := p.db.Update(p.put)
	took := time.Since(began)
	p.next++
	return took, errors.Join(begun, ended)
}

func (p *plainStore) after() error { return nil }

func (p *plainStore) close() error { return p.db.Close() }
