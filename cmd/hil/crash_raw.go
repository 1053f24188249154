package main

import (
	"encoding/binary"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// The recovery is what reconciles the three files at a start. This control reads the very files that the real store left,
// without it: hot.db is believed as it stands, and archive.db where hot.db has nothing. A slot is not cleared when its
// record has gone to the archive and changed there, so the older version comes back. The same states pass when the newest
// version of each record counts: what is caught is the skipping and nothing else.

// examineRaw holds what the two databases say against the model.
func examineRaw(dir string, m *model, reconciled bool) error {
	found := map[txn.ID]uint32{}
	for _, name := range []string{archiveFile, hotFile} {
		db, err := bolt.Open(filepath.Join(dir, name), 0o600, &bolt.Options{ReadOnly: true, PageSize: blockBytes, Timeout: time.Second})
		if err != nil {
			return fault(refused, "open %s: %v", name, err)
		}
		err = db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
				return b.ForEach(func(_, v []byte) error {
					if id, gen, ok := rawRecord(v); ok && (gen > found[id] || !reconciled) {
						found[id] = gen
					}
					return nil
				})
			})
		})
		_ = db.Close()
		if err != nil {
			return fault(refused, "read %s: %v", name, err)
		}
	}
	for id, gen := range m.floor {
		if found[id] < gen {
			return fault(lost, "transaction %d is in version %d, promised was %d", id, found[id], gen)
		}
	}
	return nil
}

// rawRecord reads number and version of a record frame: 'p' 'T' 'R', version, length in two bytes, and fields of a tag, a
// length and a value; number and version are the fields 1 and 2.
func rawRecord(frame []byte) (id txn.ID, gen uint32, ok bool) {
	if len(frame) < 10 || string(frame[:3]) != "pTR" {
		return 0, 0, false
	}
	for b := frame[6 : len(frame)-4]; len(b) > 2; {
		n, size := binary.Uvarint(b[1:])
		if size <= 0 || n > uint64(len(b)-1-size) {
			return 0, 0, false
		}
		value := b[1+size : 1+size+int(n)]
		switch v, _ := binary.Uvarint(value); b[0] {
		case 1:
			id = txn.ID(v)
		case 2:
			gen = uint32(v)
		}
		b = b[1+size+int(n):]
	}
	return id, gen, id > 0 && gen > 0
}
