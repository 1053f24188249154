package txnstore

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"posagent/txnstore/txn"
)

// Store is the open store of one terminal. Its methods may be called from any goroutine; they run one at a time. A
// function handed to Advance, Update or Mark must not call the store.
type Store struct {
	dir      string
	merchant string
	profile  string
	now      func() time.Time
	codec    *codec
	policy   Keep
	lock     *os.File // the directory, locked until Close

	mu     sync.Mutex // guards everything below
	closed bool
	lost   error  // why the files are closed although the store is not; nil when they are open
	files  *files // nil when lost
	books
	pruneFrom txn.ID // where the next round of pruning looks on
}

// Open opens the store in dir and counts a boot, in one commit. A directory in which no terminal has traded gets a new
// store; files that are damaged or missing are built anew from the others, from their own remains and from shadow. The
// Report says in words what was found and done.
//
// Errors: ErrLocked, ErrOtherTerminal, ErrSealed, ErrDamaged; anything else is the system's.
func Open(dir string, o *Options) (*Store, Report, error) {
	c, err := o.check()
	if err != nil {
		return nil, Report{}, err
	}
	if err := makeDir(dir); err != nil {
		return nil, Report{}, explained(err)
	}
	lock, err := lockDir(dir, true)
	if err != nil {
		return nil, Report{}, err
	}
	s := &Store{dir: dir, merchant: o.Merchant, profile: o.Profile, now: o.Now, codec: c, policy: o.Keep, lock: lock}
	if s.now == nil {
		s.now = time.Now
	}
	report, err := s.start()
	if err != nil {
		_ = lock.Close()
		return nil, report, explained(err)
	}
	return s, report, nil
}

func (s *Store) start() (report Report, err error) {
	if report.Findings, err = prepare(s.dir, s.codec.seals); err != nil {
		return report, err
	}
	deaths := startsDied(s.dir)
	defer startEnded(s.dir)
	seen, err := s.mend(deaths >= mostDeaths)
	report.Findings = append(report.Findings, seen.findings...)
	if err != nil {
		return report, err
	}
	r, err := s.load(nil, 1, seen)
	if err != nil {
		return report, err
	}
	if seen.archiveTorn {
		if err := s.renewRoot(); err != nil {
			_ = s.files.close()
			return report, err
		}
	}
	report.New = r.count.Boot == 0
	report.Boot = s.count.Boot
	report.Findings = append(report.Findings, r.findings...)
	report.Bad = r.bad
	if err = report.count(&s.books); err != nil {
		_ = s.files.close()
		return report, err
	}
	return report, s.settle(&report)
}

// settle ends a start: everything was looked at or mended, and reports that nobody has acknowledged are named.
func (s *Store) settle(report *Report) error {
	err := trusted(s.dir)
	names, unread := reportNames(s.dir)
	if err = errors.Join(err, unread); err != nil {
		_ = s.files.close()
		return err
	}
	for _, name := range names {
		report.Findings = append(report.Findings, name+" has not been acknowledged: posagent store report")
	}
	return nil
}

// load opens and reconciles the files and makes them agree: one commit of hot.db, with everything that was newer
// elsewhere and with boots added to the boot counter, then the copies in shadow that are behind, then archive.db if it
// does not know yet that the terminal is in service. Nothing of it runs before the directory is locked.
func (s *Store) load(before *books, boots uint32, seen looked) (*reconciled, error) {
	f, err := openFiles(s.dir, false, seen.whole)
	if err != nil {
		return nil, err
	}
	r, err := reconcile(f, s.codec, before)
	if err != nil {
		_ = f.close()
		return nil, err
	}
	if seen.hotTorn && !r.ahead || !r.numbered {
		r.passOver()
	}
	s.files, s.books = f, r.books
	if err = s.agree(r, boots); err != nil {
		s.files = nil
		_ = f.close()
		return nil, err
	}
	return r, nil
}

// agree writes in an order in which every crash leaves what reconcile understands.
func (s *Store) agree(r *reconciled, boots uint32) error {
	if err := s.migrate(r); err != nil {
		return err
	}
	if r.heal.shadow {
		if err := s.files.shadow.put(identityBlock, newCounters(s.codec.seals.terminal), r.heal.identity.frame()); err != nil {
			return err
		}
	}
	count := r.count
	count.Boot += boots
	written, err := s.writeHot(nil, count, r.behind...)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if err := s.level(r, written); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if !r.heal.archive {
		return nil
	}
	return s.writeArchive(nil, &r.heal.identity)
}

// level writes the copies in shadow that are behind, and the blocks that are torn, save those of a slot that is kept for
// repair. The block of slot written is level already.
func (s *Store) level(r *reconciled, written int) error {
	copyOf := func(slot int) ([]byte, error) {
		if s.slots[slot].kind != slotLive {
			return nil, nil
		}
		return s.framed(slot)
	}
	for _, slot := range r.behind {
		if slot == written {
			continue
		}
		frame, err := copyOf(slot)
		if err == nil {
			err = s.files.shadow.write(slot, s.count, frame)
		}
		if err != nil {
			return err
		}
	}
	for _, n := range r.torn {
		slot := n / shadowTurns
		if n == identityBlock || s.slots[slot].kind == slotBad {
			continue
		}
		frame, err := copyOf(slot)
		if err == nil {
			err = s.files.shadow.put(n, s.count, frame)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ready is the first line of every operation. After an unknown commit whose repair failed too, it tries again; until that
// succeeds nothing is read and nothing is written.
func (s *Store) ready() error {
	if s.closed {
		return ErrClosed
	}
	if s.lost == nil {
		return nil
	}
	if err := s.reopen(); err != nil {
		return fmt.Errorf("%w: the files cannot be opened again after a failed commit: %w", ErrUnknownCommit, explained(err))
	}
	return nil
}

// reopen closes the files, if they are open, and reads them again. Memory is one more witness: it holds what was
// acknowledged, and the counters that the failed commit would have used.
func (s *Store) reopen() error {
	if s.files != nil {
		_ = s.files.close() // its error would be the failed commit's again
		s.files = nil
	}
	before := s.books
	_, err := s.load(&before, 0, looked{})
	if err != nil {
		s.books = before
	}
	s.lost = err
	return err
}

// Close commits what waits to ride with the next commit and closes the files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	err := s.ready()
	if err == nil {
		err = s.tidy(false)
	}
	s.closed = true
	if s.files != nil {
		err = errors.Join(err, s.files.close())
		s.files = nil
	}
	return errors.Join(err, s.lock.Close())
}

// Boot is the number of this opening of the store.
func (s *Store) Boot() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count.Boot
}

// Batch is the current batch number.
func (s *Store) Batch() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count.Batch
}

// stamp is the wall clock as it is stored.
func (s *Store) stamp() time.Time { return millisecond(s.now()) }

// note is txn.Txn.Note with this boot and this moment.
func (s *Store) note(t *txn.Txn, event string) { t.Note(s.stamp(), s.count.Boot, event) }
