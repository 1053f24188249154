package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// Controls of the damage prover. Each but the last is wrong and must be found to be wrong, in the way it is wrong.
const (
	controlChanged  = "an amount changed without a word"
	controlHeldBack = "a record held back without a word"
	controlDenied   = "in flight, and held back with a word"
	controlSilenced = "a lost flush, and the report emptied"
	controlKilled   = "a process that is killed"
	controlBus      = "a process that dies by SIGBUS"
	controlHang     = "a process that comes to no end"
	controlBolt     = "bbolt without the verifier"
	controlSound    = "sound stores pass without a word"
)

// damageControls lists them with what must be found.
var damageControls = []struct {
	name string
	must []string // kinds of fault, one of which is found; nil is none
}{
	{controlChanged, []string{changed}},
	{controlHeldBack, []string{silent}},
	{controlDenied, []string{dropped}},
	{controlSilenced, []string{unsaid}},
	{controlKilled, []string{died}},
	{controlBus, []string{died}},
	{controlHang, []string{hung}},
	{controlBolt, []string{died, hung, changed, refused}},
	{controlSound, nil},
}

const boltTries = 400

// controlJobs makes their jobs: the liars work on sound stores, the others on damaged ones.
func (p *damageProver) controlJobs() (jobs []job) {
	find := func(base int, kind, file string) int {
		for n, k := range p.plan.kinds(base) {
			if k.name == kind && k.file == file {
				return n
			}
		}
		return -1
	}
	const five, fresh, life = 2, 0, "life"
	bases := len(p.plan.Bases)
	for _, c := range damageControls {
		j := job{History: five, Step: find(five, kindPage, hotFile), To: 1, Control: c.name}
		switch c.name {
		case controlSilenced:
			j.History, j.Step, j.To = bases, find(bases, kindFlush, ""), 60
		case controlBolt:
			j.Step, j.To = find(five, kindCopy, archiveFile), boltTries
		case controlSound:
			for b := range bases {
				jobs = append(jobs, job{History: b, To: 1, Control: c.name})
			}
			continue
		case controlHang:
			jobs = append([]job{j}, jobs...) // it takes longest
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// misbehaviours are what a control does in the place of an examination.
func misbehaviours() map[string]func(*damageWorker, job, *damaged) error {
	lying := func(lie func(*txn.Txn, *txnstore.Report) bool) func(*damageWorker, job, *damaged) error {
		return func(_ *damageWorker, _ job, d *damaged) error {
			d.lie = lie
			return d.examine()
		}
	}
	quiet := func(r *txnstore.Report) { r.Findings = nil }
	return map[string]func(*damageWorker, job, *damaged) error{
		controlChanged: lying(func(t *txn.Txn, r *txnstore.Report) bool {
			if t != nil && t.ID == 3 {
				t.Amount++
			}
			return true
		}),
		controlHeldBack: lying(func(t *txn.Txn, r *txnstore.Report) bool {
			if r != nil {
				quiet(r)
			}
			return t == nil || t.ID != 3
		}),
		controlDenied: lying(func(t *txn.Txn, r *txnstore.Report) bool {
			return t == nil || t.State != txn.Pending
		}),
		controlSilenced: lying(func(t *txn.Txn, r *txnstore.Report) bool {
			if r != nil {
				quiet(r)
			}
			return true
		}),
		controlKilled: func(*damageWorker, job, *damaged) error {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			time.Sleep(time.Minute)
			return nil
		},
		controlBus:  func(w *damageWorker, _ job, _ *damaged) error { return busError(w.dir) },
		controlHang: func(*damageWorker, job, *damaged) error { time.Sleep(time.Hour); return nil },
		controlBolt: func(w *damageWorker, j job, d *damaged) error {
			return boltAlone(filepath.Join(d.dir, archiveFile), w.plan.Bases[j.History].Files[archiveFile])
		},
	}
}

// busError reads a mapped file behind its end.
func busError(dir string) error {
	f, err := os.Create(filepath.Join(dir, "short"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(blockBytes); err != nil {
		return err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, blockBytes, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	return fmt.Errorf("a byte behind the end of a file could be read: %d", b[1])
}

// boltAlone gives a damaged database to bbolt as it is, and compares the values.
func boltAlone(path string, sound []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault(refused, "panic: %v", p)
		}
	}()
	right := path + ".sound"
	if err := os.WriteFile(right, sound, 0o600); err != nil {
		return err
	}
	want, err := boltValues(right)
	if err != nil {
		return err
	}
	got, err := boltValues(path)
	switch {
	case err != nil:
		return fault(refused, "%v", err)
	case !bytes.Equal(want, got):
		return fault(changed, "bbolt finds nothing wrong, and the values are not those that were written")
	}
	return nil
}

func boltValues(path string) (all []byte, err error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				all = append(append(all, k...), v...)
				return nil
			})
		})
	})
	return all, errors.Join(err, db.Close())
}

// countControl takes the outcome of a control's job.
func (p *damageProver) countControl(j job, o outcome) {
	seen := p.caughtAs[j.Control]
	if seen == nil {
		seen = map[string]int{}
		p.caughtAs[j.Control] = seen
	}
	seen["images"] += max(o.Sorts["images"], len(o.Faults))
	for _, f := range o.Faults {
		seen[f.Kind]++
		if j.Control == controlSound {
			p.say("%s: %s: %s", p.plan.Bases[j.History].Name, f.Kind, f.Words)
		}
	}
}

// judgeDamageControls tells whether each was caught.
func (p *damageProver) judgeDamageControls() (lines []string, bad int) {
	for _, c := range damageControls {
		seen, caught, all := p.caughtAs[c.name], 0, 0
		for kind, n := range seen {
			if kind != "images" {
				all += n
			}
		}
		for _, kind := range c.must {
			caught += seen[kind]
		}
		verdict := fmt.Sprintf("caught, %d of %d", caught, seen["images"])
		switch {
		case c.must == nil && all == 0 && seen["images"] > 0:
			verdict = fmt.Sprintf("pass, %d", seen["images"])
		case c.must == nil || caught == 0:
			verdict = fmt.Sprintf("NOT AS IT MUST BE: %v", seen)
			bad++
		}
		lines = append(lines, fmt.Sprintf("  %-42s %s", c.name, verdict))
	}
	return lines, bad
}
