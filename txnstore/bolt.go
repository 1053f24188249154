package txnstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"posagent/txnstore/txn"
)

// pageSize is stated, never taken from the kernel: with smaller pages both metas of bbolt would share one block of the
// file system, which a torn write loses together; kernels with 16 and 64 KiB pages would wear the flash four to sixteen
// times as fast.
const pageSize = 4096

// lockPatience is how long a lock that another process is about to give up is waited for.
const lockPatience = time.Second

// openBolt lets the verifier look unless it just did, and opens an existing database of at least size bytes with the
// options that both files share. The array freelist makes the order of page writes reproducible.
//
// bbolt may panic on a damaged file; what can be recovered is returned as ErrDamaged. The lock that bbolt leaks then is
// harmless, because the directory is locked by this package.
func openBolt(path string, size int64, verified bool, o bolt.Options) (db *bolt.DB, err error) {
	o.Timeout = lockPatience
	o.PageSize = pageSize
	o.FreelistType = bolt.FreelistArrayType
	o.OpenFile = func(path string, flag int, mode os.FileMode) (*os.File, error) {
		return openExisting(path, flag, mode, size)
	}
	if !verified {
		if err := sound(path); err != nil {
			return nil, err
		}
	}
	err = guarded(path, func() (err error) {
		db, err = bolt.Open(path, 0o600, &o)
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, ErrDamaged):
		return nil, err
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrLocked, path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, damaged(path, err.Error())
	default:
		return nil, fmt.Errorf("open %s: %w", filepath.Base(path), err)
	}
}

// openExisting keeps bbolt from creating a file, from making a new database of one that lost its content, and from mapping
// one that was cut.
func openExisting(path string, flag int, mode os.FileMode, size int64) (*os.File, error) {
	f, err := os.OpenFile(path, flag&^os.O_CREATE, mode)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.Size() < size {
		_ = f.Close()
		if err == nil {
			err = damaged(path, fmt.Sprintf("has only %d bytes of %d", info.Size(), size))
		}
		return nil, err
	}
	return f, nil
}

// sound refuses what the verifier calls damaged.
func sound(path string) error {
	h, err := verify(path, false, nil)
	if err == nil && h.missing {
		err = fmt.Errorf("open %s: %w", h.File, fs.ErrNotExist)
	}
	if err == nil && h.Verdict == Damaged {
		err = h.err()
	}
	return err
}

// guarded turns a panic of bbolt over a damaged page into ErrDamaged, and makes a panic of a fault of the memory that it
// mapped: what comes after the verifier looked, a disk that goes bad under a running agent, must not end the process.
func guarded(path string, work func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged(path, fmt.Sprint(p))
		}
	}()
	return work()
}

// view reads inside one transaction. Nothing that bbolt returned may leave it.
func view(db *bolt.DB, work func(*bolt.Tx) error) error {
	return guarded(db.Path(), func() error { return db.View(work) })
}

// commit commits under the same guard. Its error leaves the outcome unknown. A panic leaves the transaction open, and closing
// the database would wait for its end for ever.
func commit(path string, tx *bolt.Tx) error {
	err := guarded(path, tx.Commit)
	if err != nil {
		undo(path, tx)
	}
	return err
}

// undo ends a transaction that failed, if it has not ended.
func undo(path string, tx *bolt.Tx) {
	_ = guarded(path, func() error { return tx.Rollback() })
}

// stage prepares a write transaction and leaves it open for the caller to commit; on an error nothing was written.
func stage(db *bolt.DB, work func(*bolt.Tx) error) (tx *bolt.Tx, err error) {
	if tx, err = db.Begin(true); err != nil {
		return nil, err
	}
	if err = guarded(db.Path(), func() error { return work(tx) }); err != nil {
		undo(db.Path(), tx)
		return nil, err
	}
	return tx, nil
}

func damaged(path, what string) error {
	return fmt.Errorf("%w: %s %s: keep the directory as it is, make a copy of it and have it repaired; "+
		"do not start with an empty store", ErrDamaged, filepath.Base(path), what)
}

// idKey sorts like the number.
func idKey(id txn.ID) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

func keyID(key []byte) (txn.ID, error) {
	if len(key) != 8 {
		return 0, fmt.Errorf("%w: key of %d bytes", ErrBadRecord, len(key))
	}
	return txn.ID(binary.BigEndian.Uint64(key)), nil
}
