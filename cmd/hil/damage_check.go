package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// What is wrong with the way in which a store bears damage, beside the kinds of crash_check.go.
const (
	dropped  = "dropped"  // something in flight is gone although only one file was hurt
	unsaid   = "unsaid"   // a flush did not happen and the start does not say so
	forgot   = "forgot"   // read after the first start and gone after the second
	grumbled = "grumbled" // a sound store is reported
)

var damageKindsOfFault = []string{silent, changed, invented, dropped, forgot, unsaid, repeated, refused, grumbled, died, hung}

// demand is what a damaged image must show.
type demand struct {
	oneFile bool // two of the three files are whole: nothing in flight may be lost, and the store opens
	told    bool // the first start must report something
	quiet   bool // nothing is damaged: nothing may be reported
	recount bool // what was archived need not be missed before a recount or a check looks at it
}

// observed is what became of an image that is in order.
type observed struct{ refused, told, kept, healthy bool }

// damaged examines one image: a terminal starts on it, looks, works, and starts again. Lie, where not nil, is between the
// store and the examiner, and makes it a control.
type damaged struct {
	dir    string
	m      *model
	totals []txnstore.Total // promised; nil where nobody knows
	want   demand
	lie    func(*txn.Txn, *txnstore.Report) bool // false keeps a record back
	seen   observed

	store     *txnstore.Store
	last      map[txn.ID]*sighting // by the session before, with what it did
	said      string               // everything that any start reported
	recounted bool                 // a recount finds that something is missing
	alarm     bool                 // something was reported, or refused with a reason
	boot      uint32
}

// examine judges both starts.
func (d *damaged) examine() error {
	d.last = map[txn.ID]*sighting{}
	d.seen.kept = true
	if err := d.view(); err != nil {
		return err
	}
	for session := range 2 {
		err := d.open(session)
		if err != nil || d.seen.refused {
			return err
		}
		err = d.look(session)
		if err == nil {
			err = d.work(session)
		}
		if closed := d.store.Close(); err == nil && closed != nil {
			err = d.excused(session, "close", closed)
		}
		if err != nil {
			return err
		}
	}
	health, err := txnstore.Check(d.dir, crashOptions())
	if err != nil {
		return fault(refused, "check: %v", err)
	}
	d.seen.healthy = !slices.ContainsFunc(health, func(h txnstore.Health) bool { return h.Verdict != txnstore.Healthy })
	return nil
}

// reasons are the errors that tell a caller what is wrong with a file. Nothing else may come out of a damaged one.
func reasoned(err error) bool {
	for _, known := range []error{txnstore.ErrDamaged, txnstore.ErrBadRecord, txnstore.ErrFull, txnstore.ErrUnknownCommit} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// excused judges an error of an operation: a fault that is found late may stop the first session; after the next start,
// which was asked to look at everything, there is no excuse.
func (d *damaged) excused(session int, what string, err error) error {
	if session == 0 && reasoned(err) && !d.want.quiet {
		d.alarm = true
		return nil
	}
	return fault(refused, "start %d, %s: %v", session+1, what, err)
}

// view reads as the technician's commands do: it changes nothing, and may refuse.
func (d *damaged) view() error {
	v, err := txnstore.View(d.dir, crashOptions())
	if err != nil {
		if reasoned(err) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fault(refused, "view: %v", err)
	}
	defer v.Close()
	var wrong error
	err = v.Since(1, func(t txn.Txn) error {
		wrong = d.written(sightingOf(t))
		return wrong
	})
	switch {
	case wrong != nil:
		return wrong
	case err != nil && !reasoned(err):
		return fault(refused, "view, walk: %v", err)
	}
	return nil
}

// written tells whether a version of a record was ever written so.
func (d *damaged) written(s *sighting) error {
	switch was, known := d.m.versions[s.ID][s.Gen]; {
	case !known:
		return fault(invented, "transaction %d in version %d", s.ID, s.Gen)
	case was.Print != s.Print:
		return fault(changed, "transaction %d in version %d", s.ID, s.Gen)
	}
	return nil
}

func (d *damaged) open(session int) error {
	s, report, err := txnstore.Open(d.dir, crashOptions())
	if d.lie != nil {
		d.lie(nil, &report)
	}
	if err != nil {
		if d.want.oneFile || session > 0 || !errors.Is(err, txnstore.ErrDamaged) {
			return fault(refused, "start %d: %v", session+1, err)
		}
		d.seen.refused = true
		return nil
	}
	d.store = s
	d.said += strings.Join(report.Findings, "\n") + "\n"
	d.alarm = d.alarm || len(report.Findings) > 0
	if session == 0 {
		d.seen.told = len(report.Findings) > 0
	}
	switch {
	case session == 0 && d.want.told && !d.seen.told:
		err = fault(unsaid, "the start reports nothing")
	case d.want.quiet && d.alarm:
		err = fault(grumbled, "start %d: %q", session+1, report.Findings)
	case report.Boot <= d.boot || report.Boot <= d.m.boot && (d.want.oneFile || !d.alarm):
		err = fault(repeated, "boot %d after %d", report.Boot, max(d.boot, d.m.boot))
	case s.Batch() < d.m.batch && !d.alarm:
		err = fault(silent, "batch %d, promised was %d", s.Batch(), d.m.batch)
	}
	d.boot = report.Boot
	if err != nil {
		_ = s.Close()
	}
	return err
}

// look walks every record and holds it against what was promised, and then the lists, the sums and the references.
func (d *damaged) look(session int) error {
	now := map[txn.ID]*sighting{}
	walk := d.store.Since(1, func(t txn.Txn) error {
		if d.lie == nil || d.lie(&t, nil) {
			now[t.ID] = sightingOf(t)
		}
		return nil
	})
	if walk != nil {
		if !reasoned(walk) {
			return fault(refused, "walk: %v", walk)
		}
		d.alarm = true
	}
	count, err := d.store.Recount()
	if err != nil && !reasoned(err) {
		return fault(refused, "recount: %v", err)
	}
	d.recounted = err != nil || !count.Agrees()
	d.alarm = d.alarm || d.recounted
	for id, s := range now {
		if was := d.last[id]; was != nil && was.Gen == s.Gen {
			if was.Print != s.Print {
				return fault(changed, "transaction %d after the second start", id)
			}
			continue
		}
		if err := d.written(s); err != nil {
			return err
		}
	}
	for id, was := range d.last {
		if s := now[id]; s == nil || s.Gen < was.Gen {
			return fault(forgot, "transaction %d, seen in version %d", id, was.Gen)
		}
	}
	if err := d.promised(now, walk != nil); err != nil {
		return err
	}
	if err := d.lists(now, walk != nil); err != nil {
		return err
	}
	if session == 0 && d.totals != nil && !d.alarm && !slices.Equal(count.Kept, d.totals) {
		return fault(silent, "totals %+v, promised were %+v", count.Kept, d.totals)
	}
	d.last = now
	return nil
}

// promised holds what was seen against what must be there.
func (d *damaged) promised(now map[txn.ID]*sighting, short bool) error {
	unnamed := strings.Count(d.said, "left as it is and not used") // slots of which nobody can say whose they are
	for id, gen := range d.m.floor {
		s := now[id]
		if s != nil && s.Gen >= gen {
			continue
		}
		d.seen.kept = false
		duty := d.m.versions[id][gen].Owes
		switch {
		case d.want.oneFile && (duty == txn.Reverse || duty == txn.Repeat):
			return fault(dropped, "transaction %d, in flight in version %d", id, gen)
		case s == nil && d.want.recount && d.recounted:
		case s == nil && !short && !namedLost(d.said, id):
			if unnamed--; unnamed >= 0 {
				continue
			}
			return fault(silent, "transaction %d, promised in version %d, is gone", id, gen)
		case s != nil && !d.alarm:
			return fault(silent, "transaction %d is in version %d, promised was %d", id, s.Gen, gen)
		}
	}
	return nil
}

// namedLost looks whether a report names a transaction, alone or in a range, as one that cannot be read.
func namedLost(said string, id txn.ID) bool {
	for line := range strings.Lines(said) {
		var from, to txn.ID
		if n, _ := fmt.Sscanf(line, "nothing can be read of transactions %d to %d:", &from, &to); n == 2 && from <= id && id <= to {
			return true
		}
		if n, _ := fmt.Sscanf(line, "nothing can be read of transaction %d:", &from); n == 1 && from == id {
			return true
		}
		if n, _ := fmt.Sscanf(line, "numbers %d to %d and as many STANs are passed over", &from, &to); n == 2 && from <= id && id <= to {
			return true
		}
		if n, _ := fmt.Sscanf(line, "transaction %d is listed as", &from); n == 1 && from == id {
			return true
		}
	}
	return false
}

// lists compares what is owed with the records, and asks for some references by name.
func (d *damaged) lists(now map[txn.ID]*sighting, short bool) error {
	owed, err := d.store.Owed()
	if err != nil {
		if !reasoned(err) {
			return fault(refused, "owed: %v", err)
		}
		d.alarm = true
		return nil
	}
	listed := map[txn.ID]bool{}
	for _, t := range owed {
		listed[t.ID] = true
		if s := now[t.ID]; s == nil && !short || s != nil && s.Owes == txn.Nothing {
			return fault(unowed, "transaction %d is listed as owed, and is not", t.ID)
		}
	}
	for id, s := range now {
		inFlight := s.Owes == txn.Reverse || s.Owes == txn.Repeat
		if s.Owes != txn.Nothing && !listed[id] && (inFlight || !d.alarm) {
			return fault(unowed, "transaction %d is owed, and not listed", id)
		}
	}
	for _, ref := range d.m.refs[max(0, len(d.m.refs)-3):] {
		t, ok, err := d.store.ByReference(ref)
		switch {
		case err != nil && !reasoned(err) && !errors.Is(err, txnstore.ErrNotFound): // its transaction is lost: it is not charged again
			return fault(refused, "reference: %v", err)
		case err != nil:
			d.alarm = true
		case ok && t.Reference != ref:
			return fault(changed, "transaction %d is found under a reference that is not its own", t.ID)
		case !ok && !d.alarm:
			return fault(silent, "a promised reference is not known")
		}
	}
	return nil
}

// work undoes what is owed and sells twice, with numbers that were never used.
func (d *damaged) work(session int) error {
	used := map[[2]uint32]bool{}
	top := txn.ID(0)
	for id := range d.m.floor {
		top = max(top, id)
	}
	for id, s := range d.last {
		used[[2]uint32{s.Batch, s.STAN}], top = true, max(top, id)
	}
	owed, err := d.store.Owed()
	if err != nil {
		return d.excused(session, "owed", err)
	}
	for _, t := range owed {
		if t.State.Owes() != txn.Reverse {
			continue
		}
		if t.State != txn.Reversing {
			if t, err = d.store.Advance(t.ID, txn.Reversing, nil); err != nil {
				return d.excused(session, "reverse", err)
			}
			d.last[t.ID] = sightingOf(t)
		}
		if t, err = d.store.Advance(t.ID, txn.Reversed, nil); err != nil {
			return d.excused(session, "reversed", err)
		}
		d.last[t.ID] = sightingOf(t)
	}
	for n := range 2 {
		draft, err := crashDraft(fmt.Sprintf("after-%d-%d", session, n))
		if err != nil {
			return err
		}
		t, err := d.store.Begin(draft)
		if err != nil {
			return d.excused(session, "a new sale", err)
		}
		if number := [2]uint32{t.Batch, t.STAN}; t.ID <= top || used[number] || d.m.stans[number] {
			return fault(repeated, "transaction %d after %d, STAN %d of batch %d", t.ID, top, t.STAN, t.Batch)
		}
		used[[2]uint32{t.Batch, t.STAN}], top = true, t.ID
		d.last[t.ID] = sightingOf(t)
		if t, err = d.store.Advance(t.ID, txn.Approved, approvedOnline); err != nil {
			return d.excused(session, "a new sale's outcome", err)
		}
		d.last[t.ID] = sightingOf(t)
	}
	if err := d.store.Tidy(); err != nil {
		return d.excused(session, "tidy", err)
	}
	return nil
}
