package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// shopkeeper trades, and remembers what he was promised.
type shopkeeper struct {
	store    *txnstore.Store
	dir      string
	promises []promise
	sales    int
}

func openShopkeeper(dir string) (*shopkeeper, error) {
	s, report, err := txnstore.Open(dir, crashOptions())
	return &shopkeeper{store: s, dir: dir, promises: []promise{{Deed: "open", Boot: report.Boot}}}, err
}

// heard keeps a promise.
func (k *shopkeeper) heard(deed, rides string, t txn.Txn, err error) (txn.ID, error) {
	if err != nil {
		return 0, fmt.Errorf("%s: %w", deed, err)
	}
	k.promises = append(k.promises, promise{Deed: deed, Rides: rides, Txn: sightingOf(t)})
	return t.ID, nil
}

func (k *shopkeeper) begin(reference string) (txn.ID, error) {
	d, err := crashDraft(reference)
	if err != nil {
		return 0, err
	}
	t, err := k.store.Begin(d)
	return k.heard("begin", "", t, err)
}

func (k *shopkeeper) advance(id txn.ID, next txn.State, change func(*txn.Txn)) error {
	t, err := k.store.Advance(id, next, change)
	_, err = k.heard("advance", "", t, err)
	return err
}

// finish is the end of a sale: its outcome and its paper.
func (k *shopkeeper) finish(id txn.ID) error {
	if err := k.advance(id, txn.Approved, approvedOnline); err != nil {
		return err
	}
	t, err := k.store.Mark(id, bothPrinted)
	_, err = k.heard("mark", "begin", t, err)
	return err
}

// sell is a whole sale, and what a terminal does after it. Without room in the archive the next sale finds that out.
func (k *shopkeeper) sell() error {
	k.sales++
	id, err := k.begin(fmt.Sprintf("sale-%06d", k.sales))
	if err != nil {
		return err
	}
	if err := k.finish(id); err != nil {
		return err
	}
	if err := k.store.MakeRoom(); err != nil && !errors.Is(err, txnstore.ErrNoSpace) {
		return fmt.Errorf("make room: %w", err)
	}
	return nil
}

// leave gives a transaction to people.
func (k *shopkeeper) leave(reference string) (txn.ID, error) {
	id, err := k.begin(reference)
	if err == nil {
		err = k.advance(id, txn.Reversing, nil)
	}
	if err == nil {
		err = k.advance(id, txn.Suspense, nil)
	}
	if err == nil {
		err = k.store.MakeRoom()
	}
	return id, err
}

// prepared is a shop with some in the hands of people and so many sales; less than none are as many as make archive.db
// grow, the last of which made it.
func prepared(ctx context.Context, dir string, sales int) (k *shopkeeper, people []txn.ID, err error) {
	if k, err = openShopkeeper(dir); err != nil {
		return nil, nil, err
	}
	for n := range atPeople {
		id, err := k.leave(fmt.Sprintf("people-%d", n))
		if err != nil {
			return k, nil, err
		}
		people = append(people, id)
	}
	born, err := os.Stat(filepath.Join(dir, archiveFile))
	if err != nil {
		return k, nil, err
	}
	for k.sales != sales {
		if err := errors.Join(ctx.Err(), k.sell()); err != nil {
			return k, nil, err
		}
		now, err := os.Stat(filepath.Join(dir, archiveFile))
		if err != nil {
			return k, nil, err
		}
		if now.Size() > born.Size() {
			if sales >= 0 {
				return k, nil, errors.New("the archive grew sooner than in the rehearsal")
			}
			break
		}
	}
	return k, people, nil
}

// trade is the whole story on one file system, mounted and empty. What the store gets wrong is a figure, too.
func (f *fullFigures) trade(ctx context.Context, point string) error {
	rehearsal := filepath.Join(point, "rehearsal")
	k, _, err := prepared(ctx, rehearsal, -1)
	if k != nil {
		err = errors.Join(err, k.store.Close(), os.RemoveAll(rehearsal))
	}
	if err != nil {
		return err
	}
	grown := k.sales
	const together = 4 // finished sales that move to the archive in one commit: the one before it left every slot free
	dir := filepath.Join(point, "store")
	k, people, err := prepared(ctx, dir, grown-together)
	if k != nil {
		defer k.store.Close() // again, where all goes well
	}
	if err != nil {
		return err
	}
	f.before, f.people = k.sales, len(people)
	var open []txn.ID
	for n := range openSales {
		id, err := k.begin(fmt.Sprintf("open-%d", n))
		if err != nil {
			return err
		}
		open = append(open, id)
	}
	f.open = len(open)
	plain, err := openPlain(filepath.Join(point, "plain.db"))
	if err != nil {
		return err
	}
	defer plain.close()
	free, err := fillUp(point)
	if err != nil {
		return err
	}
	f.wrong = f.onFull(ctx, k, open, people)
	for ; f.plain < fullAtLeast; f.plain++ {
		if _, err := plain.sale(); err != nil {
			break
		}
	}
	if err := free(); err != nil {
		return err
	}
	if f.wrong == nil {
		f.wrong = errors.Join(k.store.Able(), k.sell())
		f.resumed = f.wrong == nil
	}
	f.wrong = errors.Join(f.wrong, k.store.Close())
	if f.wrong == nil {
		e := examiner{dir: dir, m: modelOf(k.promises, len(k.promises))}
		f.wrong = e.examine(false)
		f.records = len(e.seen)
	}
	return ctx.Err()
}

// onFull is what happens while there is not one byte.
func (f *fullFigures) onFull(ctx context.Context, k *shopkeeper, open, people []txn.ID) error {
	for _, id := range open {
		if err := k.finish(id); err != nil {
			return fmt.Errorf("finish what is open: %w", err)
		}
		f.finished++
	}
	const most = 5000 // then it is not full
	for ; f.further < most && ctx.Err() == nil; f.further++ {
		if err := k.store.Able(); err != nil {
			if err := k.refusedRightly(err); err != nil {
				return err
			}
			f.told = err.Error()
			break
		}
		if err := k.sell(); err != nil {
			return fmt.Errorf("a sale that the store was able to make: %w", err)
		}
	}
	for n := range triesEach + 1 {
		for _, id := range people {
			var err error
			if n < triesEach {
				var t txn.Txn
				t, err = k.store.Update(id, func(t *txn.Txn) { t.Tries.Made++ })
				_, err = k.heard("update", "", t, err)
			} else {
				err = k.advance(id, txn.Reversed, nil)
			}
			if err != nil {
				return fmt.Errorf("commit %d for what waits: %w", f.commits+1, err)
			}
			f.commits++
		}
	}
	return nil
}

// refusedRightly holds a refusal against what it must be: for lack of space, from both who ask, and with nothing recorded.
func (k *shopkeeper) refusedRightly(able error) error {
	const reference = "refused"
	_, begun := k.begin(reference)
	for _, err := range []error{able, begun} {
		if !errors.Is(err, txnstore.ErrNoSpace) || errors.Is(err, txnstore.ErrUnknownCommit) {
			return fmt.Errorf("a new sale was not refused for lack of space: %w", err)
		}
	}
	if _, found, err := k.store.ByReference(reference); found || err != nil {
		return fmt.Errorf("a refused sale was recorded: %w", err)
	}
	return nil
}

// fillUp leaves not one byte, and nothing that a sync would give back.
func fillUp(point string) (free func() error, err error) {
	path := filepath.Join(point, "somebody-elses-file")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	for again := range 2 {
		block := bytes.Repeat([]byte{'x'}, 64<<10)
		for len(block) > 0 {
			if _, err := f.Write(block); errors.Is(err, unix.ENOSPC) {
				block = block[:len(block)/2]
			} else if err != nil {
				return nil, err
			}
		}
		if err := f.Sync(); err != nil && again > 0 {
			return nil, err
		}
	}
	return func() error { return os.Remove(path) }, f.Close()
}
