package txnstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"posagent/txnstore/txn"
)

// Viewer reads a store that no agent has open, and changes nothing on the disk: what reconcile finds stays in memory.
type Viewer struct {
	mu     sync.Mutex // guards everything below
	files  *files     // nil when closed
	lock   *os.File   // nil beside an agent
	books  books
	report Report
}

// View opens the store in dir for reading, under a lock that other viewers share and an agent does not.
//
// Errors: ErrLocked, ErrOtherTerminal, ErrSealed, ErrDamaged; fs.ErrNotExist when no terminal has traded here.
func View(dir string, o *Options) (*Viewer, error) {
	c, err := o.check()
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir, false)
	if err != nil {
		return nil, err
	}
	v := &Viewer{lock: lock}
	if err := v.load(dir, c); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return v, nil
}

func (v *Viewer) load(dir string, c *codec) error {
	missing, err := missingFiles(dir)
	if err != nil {
		return err
	}
	if len(missing) == len(fileNames()) || len(missing) > 0 && !inService(dir, missing) {
		return fmt.Errorf("no store in %s: %w", dir, fs.ErrNotExist)
	}
	health, err := verifyAll(dir, false, nil)
	if err != nil {
		return err
	}
	for _, h := range health {
		if h.Verdict == Damaged {
			return h.err()
		}
	}
	f, err := openFiles(dir, true, true)
	if err != nil {
		return err
	}
	r, err := reconcile(f, c, nil)
	if err != nil {
		return errors.Join(err, f.close())
	}
	v.files, v.books = f, r.books
	v.report = Report{New: r.count.Boot == 0, Boot: r.count.Boot, Findings: r.findings, Bad: r.bad}
	if err := v.report.count(&v.books); err != nil {
		return errors.Join(err, f.close())
	}
	return nil
}

// Report is what was found; nothing was done about it.
func (v *Viewer) Report() Report { return v.report }

// Close ends the view.
func (v *Viewer) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.files == nil {
		return ErrClosed
	}
	err := v.files.close()
	if v.lock != nil {
		err = errors.Join(err, v.lock.Close())
	}
	v.files = nil
	return err
}

func (v *Viewer) ready() error {
	if v.files == nil {
		return ErrClosed
	}
	return nil
}

func (v *Viewer) shelf() shelf { return shelf{&v.mu, v, &v.books} }

// Get is Store.Get.
func (v *Viewer) Get(id txn.ID) (txn.Txn, error) { return v.shelf().get(id) }

// ByReference is Store.ByReference.
func (v *Viewer) ByReference(ref string) (txn.Txn, bool, error) { return v.shelf().byReference(ref) }

// Owed is Store.Owed.
func (v *Viewer) Owed() ([]txn.Txn, error) { return v.shelf().owed() }

// OwedPaper is Store.OwedPaper.
func (v *Viewer) OwedPaper() ([]txn.Txn, error) { return v.shelf().owedPaper() }

// List is Store.List.
func (v *Viewer) List(max int) ([]txn.Txn, error) { return v.shelf().list(max) }

// Since is Store.Since.
func (v *Viewer) Since(from txn.ID, visit func(txn.Txn) error) error {
	return v.shelf().since(from, visit)
}
