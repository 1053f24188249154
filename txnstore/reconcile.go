package txnstore

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"posagent/txnstore/txn"
)

// reconciled is what the three files, and the memory of a store that had to reopen them, say together.
type reconciled struct {
	books
	findings []string
	bad      int
	behind   []int // slots whose copy in shadow is older than the truth
	torn     []int // blocks of shadow
	ahead    bool  // shadow has a commit that hot.db has not
	numbered bool  // the newest counters can be read, in hot.db or in every block of shadow
	schema   struct{ archive, shadow uint64 }
	heal     struct {
		identity identity
		archive  bool // archive.db lacks identity or counters
		shadow   bool // shadow lacks its identity
	}
}

func (r *reconciled) note(format string, args ...any) {
	r.findings = append(r.findings, fmt.Sprintf(format, args...))
}

// reconcile reads everything and decides, for each slot, which version is the newest: a commit may have reached only one
// of hot.db and shadow when the power went, or one of their flushes may have lied. It writes nothing.
//
//	slot of hot.db   newest in shadow   in archive        result
//	─────────────────────────────────────────────────────────────────────────────
//	record           older or same      no, or older      live
//	record           newer              no, or older      shadow's version, to be written to hot.db
//	record           any                same or newer     free: archived, the archive is the truth
//	unreadable       readable           no, or older      shadow's version
//	unreadable       archived, and it is what hot.db had  free
//	unreadable       none, or archived                    bad: kept for repair, never used again
func reconcile(f *files, c *codec, before *books) (*reconciled, error) {
	hot, err := f.hot.read(c)
	if err != nil {
		return nil, err
	}
	shadow, err := f.shadow.read(c)
	if err != nil {
		return nil, err
	}
	r := &reconciled{books: books{codec: c, archive: f.archive, marks: map[txn.ID]*record{}, count: newCounters(c.seals.terminal)}}
	if err := r.identify(&hot, &shadow); err != nil {
		return nil, err
	}
	for i := range r.slots {
		if err := r.settle(i, &hot, &shadow, before); err != nil {
			return nil, err
		}
	}
	if before != nil {
		r.count = r.count.raised(before.count)
		if err := r.keepMarks(before.marks); err != nil {
			return nil, err
		}
	}
	r.compare(&hot, &shadow)
	return r, r.countPast()
}

// identify refuses a store of another terminal or key, and gathers the counters.
func (r *reconciled) identify(hot *hotImage, shadow *shadowImage) error {
	id, idErr, count, countErr, err := r.archive.meta()
	if err != nil {
		return err
	}
	if idErr != nil && shadow.idErr != nil {
		return damaged(shadowName, fmt.Sprintf("and %s do not say whose store this is (%v)", archiveName, idErr))
	}
	own := r.codec.seals
	if idErr == nil {
		if err := id.check(own); err != nil {
			return err
		}
		r.heal.identity = id
		r.schema.archive = id.schema
	}
	if shadow.idErr == nil {
		if err := shadow.identity.check(own); err != nil {
			return err
		}
		r.heal.identity = shadow.identity
		r.schema.shadow = shadow.identity.schema
	}
	if hot.err == nil && hot.counters.Terminal != own.terminal {
		return otherTerminal(hot.counters.Terminal, own.terminal)
	}
	r.heal.archive, r.heal.shadow = idErr != nil || countErr != nil || !count.inService(), shadow.idErr != nil
	if idErr != nil || shadow.idErr != nil {
		r.note("the identity could be read from one file only and was written again to the other")
	}
	if hot.err != nil {
		r.note("the counters of %s cannot be read (%v); taken from the other files", hotName, hot.err)
	}
	if countErr != nil {
		r.note("the counters of %s cannot be read (%v); taken from the other files", archiveName, countErr)
	}
	r.count = r.count.raised(hot.counters).raised(shadow.count).raised(count)
	return nil
}

// settle decides one slot. The newest block of shadow speaks for an unreadable record of hot.db when it is the one that was
// written with it: the record is then the block's, or one that was archived before a block said that the slot is vacant.
func (r *reconciled) settle(i int, image *hotImage, copies *shadowImage, before *books) error {
	hot, shadow := image.slots[i], copies.slots[i]
	spokenFor := image.heard.blocks[i] > 0 && copies.newest[i] >= image.heard.blocks[i]
	best := newer(hot, shadow)
	if before != nil && before.slots[i].kind == slotLive {
		best = newer(best, found{record: before.slots[i].record})
	}
	if best.err != nil {
		switch {
		case errors.Is(best.err, errEmptyRecord):
		case spokenFor && copies.vacant[i]:
			r.release(i, best.err)
		default:
			r.spoil(i, best.err)
		}
		return nil
	}
	archived, err := r.archive.get(r.codec, best.ID)
	switch {
	case err == nil && archived.Gen >= best.Gen:
		switch {
		case hot.err == nil || errors.Is(hot.err, errEmptyRecord):
		case spokenFor:
			r.release(i, hot.err)
		default:
			r.spoil(i, hot.err) // what stood here may have been a later transaction
		}
		return nil
	case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrBadRecord):
		return err
	}
	inHot := hot.err == nil && hot.ID == best.ID && hot.Gen == best.Gen
	r.slots[i] = slot{kind: slotLive, record: best.record, dirty: !inHot}
	if shadow.err != nil || shadow.ID != best.ID || shadow.Gen != best.Gen {
		r.behind = append(r.behind, i)
	}
	if !inHot {
		r.note("transaction %d: %s had %s; taken from %s: %s", best.ID, hotName, describe(hot), shadowName, best.State)
	}
	return nil
}

func describe(f found) string {
	switch {
	case errors.Is(f.err, errEmptyRecord):
		return "nothing of it"
	case f.err != nil:
		return "an unreadable record (" + f.err.Error() + ")"
	default:
		return fmt.Sprintf("number %d as %s", f.ID, f.State)
	}
}

func (r *reconciled) release(i int, err error) {
	r.note("slot %d of %s cannot be read (%v); what stood there is archived, and the slot is used again", i, hotName, err)
}

func (r *reconciled) spoil(i int, err error) {
	r.slots[i] = slot{kind: slotBad}
	r.bad++
	r.note("slot %d of %s cannot be read (%v); it is left as it is and not used", i, hotName, err)
}

// keepMarks carries over, when the files had to be reopened, what was waiting to ride and has not reached the archive.
func (r *reconciled) keepMarks(marks map[txn.ID]*record) error {
	for id, m := range marks {
		archived, err := r.archive.get(r.codec, id)
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrBadRecord) {
			return err
		}
		if err != nil || archived.Gen < m.Gen {
			r.marks[id] = m
		}
	}
	return nil
}

// compare says in words which of the two copies missed a commit. One missing commit is what a power cut in the middle of
// it leaves; more mean that a flush was reported and did not happen.
func (r *reconciled) compare(hot *hotImage, shadow *shadowImage) {
	late, older, newer := uint64(0), hotName, shadowName
	r.ahead = shadow.count.Commit > hot.counters.Commit
	switch {
	case hot.err != nil || hot.counters.Commit == shadow.count.Commit:
	case hot.counters.Commit < shadow.count.Commit:
		late = shadow.count.Commit - hot.counters.Commit
	case !hot.unused():
		late, older, newer = hot.counters.Commit-shadow.count.Commit, shadowName, hotName
	}
	switch {
	case late == 1:
		r.note("the last commit is in %s and not in %s: the power went in the middle of it, or a flush was lost", newer, older)
	case late > 1:
		r.note("%s is %d commits behind %s: its disk reports flushes that do not happen; have the storage checked", older, late, newer)
	}
	if hot.err == nil && late == 0 {
		r.missed(hot, shadow)
	}
	r.torn, r.numbered = shadow.bad, hot.err == nil || len(shadow.bad) == 0
	for _, n := range shadow.bad {
		r.note("block %d of %s is torn or damaged; the version before it counts", n, shadowName)
	}
}

// missed notes blocks of shadow that hot.db knows to be out of date, unless a torn one among its neighbours explains it.
func (r *reconciled) missed(hot *hotImage, shadow *shadowImage) {
	for i, commit := range hot.heard.blocks {
		torn := slices.ContainsFunc(shadow.bad, func(n int) bool { return n/shadowTurns == i })
		if !torn && shadow.newest[i] < commit {
			r.note("%s has no copy of commit %d, of slot %d: a flush was reported and did not happen, or a start was interrupted; have the storage checked",
				shadowName, commit, i)
		}
	}
}

// passOver leaves numbers out, where both copies of what was counted last may be lost: the newer root of hot.db is
// unreadable, and shadow, which would be ahead of the older one, is not; or the counters of hot.db are, and a block of shadow.
func (r *reconciled) passOver() {
	next := r.count.NextID
	r.count = r.count.skipped()
	r.note("numbers %d to %d and as many STANs are passed over: what was begun under them last, if anything was, may not be known",
		next, r.count.NextID-1)
}

// countPast raises the counters beyond every record, in case all their copies are older.
func (r *reconciled) countPast() error {
	newest, err := r.descending(1)
	if err != nil {
		return err
	}
	known := make([]*record, 0, hotSlots+1)
	for _, e := range newest {
		if e.err != nil {
			if uint64(e.id) < r.count.NextID+skipped { // else the number itself is damaged
				r.count.NextID = max(r.count.NextID, uint64(e.id)+1)
			}
			continue
		}
		known = append(known, e.record)
	}
	for i := range r.slots {
		s := &r.slots[i]
		if s.kind == slotLive {
			known = append(known, s.record)
		}
	}
	sort.Slice(known, func(a, b int) bool { return known[a].ID < known[b].ID })
	for _, k := range known {
		r.count = r.count.past(&k.Txn)
	}
	return nil
}
