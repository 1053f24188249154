package txnstore

import (
	"errors"
	"os"
	"slices"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// fillBatch is how many records one commit takes while an archive is filled: it bounds memory.
const fillBatch = 500

// buildArchive makes a new archive.db of everything that can be read, with its indexes. The file has its blocks before
// the first record, as a newborn one.
func (v *salvage) buildArchive(path string) error {
	size := int64(archiveStep)
	for _, id := range v.rest {
		size += int64(v.evidence.records[id].size)*3/2 + 128
	}
	size = (size + archiveStep - 1) / archiveStep * archiveStep
	err := buildBolt(path, size, bolt.Options{}, func(tx *bolt.Tx) error {
		return errors.Join(layOut(tx, v.evidence.identity, v.evidence.counters, v.evidence.archived), v.keepClosings(tx))
	})
	if err != nil {
		return err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockPatience, PageSize: pageSize,
		FreelistType: bolt.FreelistArrayType, NoSync: true}) // nobody knows the file yet; it is synced as a whole
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	a := &archive{db: db, file: file, totals: true, number: v.evidence.archived + 1}
	err = v.fill(a)
	if err == nil {
		err = v.keepReferences(a)
	}
	return errors.Join(err, db.Sync(), a.close())
}

// fill puts the rest in, in the order of their numbers.
func (v *salvage) fill(a *archive) error {
	for part := range slices.Chunk(v.rest, fillBatch) {
		var entries []entry
		for _, id := range part {
			e, err := v.evidence.load(v.evidence.records[id])
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		tx, err := a.stage(entries, v.evidence.counters, nil)
		if err == nil {
			err = a.commit(tx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepClosings carries over where the closings of batches stood, in their newest version that can be read.
func (v *salvage) keepClosings(tx *bolt.Tx) error {
	for batch, c := range v.evidence.closings {
		frame, _, err := putClosing(c)
		if err != nil {
			return err
		}
		if err := tx.Bucket(metaBucket).Put(keyOfClosing(batch), frame); err != nil {
			return err
		}
	}
	return nil
}

// keepReferences carries over the references and payment codes of transactions that are lost: who repeats one must not be
// charged again.
func (v *salvage) keepReferences(a *archive) error {
	var lost []txn.ID
	for id := range v.evidence.refs {
		if _, ok := v.evidence.records[id]; !ok && uint64(id) < v.evidence.counters.NextID && id > 0 {
			lost = append(lost, id)
		}
	}
	for id := range v.evidence.codes {
		if _, ok := v.evidence.records[id]; !ok && uint64(id) < v.evidence.counters.NextID && id > 0 && v.evidence.refs[id] == "" {
			lost = append(lost, id)
		}
	}
	slices.Sort(lost)
	tx, err := a.begin(func(tx *bolt.Tx) error {
		refs := tx.Bucket(refBucket)
		for _, id := range lost {
			for _, name := range []string{v.evidence.refs[id], v.evidence.codes[id]} {
				if name == "" || refs.Get([]byte(name)) != nil {
					continue
				}
				if err := refs.Put([]byte(name), idKey(id)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.commit(tx)
}
