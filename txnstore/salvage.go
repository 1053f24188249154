package txnstore

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"posagent/txnstore/txn"
)

// skipped is how many transaction numbers, STANs and commit numbers are passed over when hot.db was lost: what it counted
// last may have been counted by nobody else, and no number may ever be given twice.
const skipped = 100

// salvage makes a store that can be opened out of one that cannot, and says what it found. It decides by one rule:
//
//	The newest version of a transaction that can be read anywhere is taken as it is.
//
// A state names what may already have happened, so an older version is never wrong about money, only less sure: one that
// is still open is owed again and recovery reverses it; one that is final stays final, because states only move forward.
// A transaction of which nothing can be read is named as lost. What is rebuilt from what:
//
//	hot.db      empty, with the highest counters of all plus a margin: reconcile then fills its slots from shadow
//	shadow      identity and counters: Open then fills it from hot.db
//	archive.db  every record found, references and indexes made from the records
//
// Records that neither the slots nor archive.db has go into archive.db; open ones are owed there until they are reversed.
//
// Order: the report is written, every new file is written under its .new name and synced, archive.db is completed or
// replaced, then shadow, then hot.db. Each replacement leaves a store from which the rest can be salvaged again, so a
// power cut anywhere only repeats the work. Nothing is deleted (replace).
type salvage struct {
	dir      string
	codec    *codec
	now      time.Time
	bad      map[string]bool
	evidence *evidence
	held     map[txn.ID]uint32 // version that the slots of what is not bad will give, by reconcile
	rest     []txn.ID          // to be put into archive.db, in order
	lines    []string          // of the report
}

func (v *salvage) say(format string, args ...any) {
	v.lines = append(v.lines, fmt.Sprintf(format, args...))
}

// mend salvages what health calls damaged, and what a torn root of archive.db may have hidden. It returns what it found
// and did, in words.
func mend(dir string, c *codec, now time.Time, health []Health) (findings []string, err error) {
	v := &salvage{dir: dir, codec: c, now: now, bad: map[string]bool{}}
	for _, h := range health {
		v.bad[h.File] = h.Verdict == Damaged
		for _, f := range h.Findings {
			v.say("%s: %s", h.Verdict, f)
		}
	}
	if v.evidence, err = gather(dir, c); err != nil {
		return nil, err
	}
	defer v.evidence.close()
	if err := v.evidence.owner(dir); err != nil {
		return nil, err
	}
	if v.held, err = v.slots(); err != nil {
		return nil, err
	}
	v.decide()
	if len(v.rest) == 0 && !v.bad[hotName] && !v.bad[shadowName] && !v.bad[archiveName] && !v.gaps() {
		return v.lines, nil // a root was torn and hid nothing
	}
	v.account()
	report, err := writeReport(dir, now, v.evidence.counters.Boot, v.lines)
	if err != nil {
		return nil, err
	}
	findings = append(v.lines, "this was written to "+report)
	kept, err := v.rebuild()
	return append(findings, kept...), err
}

// slots asks what is not bad which version of a transaction reconcile will find in a slot.
func (v *salvage) slots() (map[txn.ID]uint32, error) {
	var best [hotSlots]found
	for i := range best {
		best[i].err = errEmptyRecord
	}
	if !v.bad[hotName] {
		file := v.evidence.files[hotName]
		b := boltFile{file, hotSize}
		meta, _, _ := b.current()
		w := walk{file: b, meta: meta, visit: func(x visited) {
			if len(x.bucket) == 2 && x.bucket[0] == 'r' && x.bucket[1]-'0' < hotSlots {
				best[x.bucket[1]-'0'] = decodeFound(v.codec, x.value)
			}
		}}
		w.run()
	}
	if !v.bad[shadowName] {
		shadow := shadowFile{f: v.evidence.files[shadowName]}
		image, err := shadow.read(v.codec)
		if err != nil {
			return nil, err
		}
		for i := range best {
			best[i] = newer(best[i], image.slots[i])
		}
	}
	held := map[txn.ID]uint32{}
	for _, f := range best {
		if f.err == nil {
			held[f.ID] = f.Gen
		}
	}
	return held, nil
}

// decide lists what archive.db must be given: the newest version of everything that it does not hold and no slot will.
func (v *salvage) decide() {
	for id, w := range v.evidence.records {
		archived := !v.bad[archiveName] && w.file == archiveName && !w.stale
		gen, inSlot := v.held[id]
		if !archived && !(inSlot && gen >= w.gen) && !v.evidence.removed(id, w) {
			v.rest = append(v.rest, id)
		}
	}
	slices.Sort(v.rest)
	if v.passesOver() {
		v.evidence.counters = v.evidence.counters.skipped()
	}
}

// passesOver reports whether the newest counters may be lost.
func (v *salvage) passesOver() bool {
	return v.bad[hotName] || v.bad[shadowName] && !v.evidence.numbered
}

// rebuild makes and replaces the files. It returns where the old ones are.
func (v *salvage) rebuild() (kept []string, err error) {
	e := v.evidence
	path := func(name string) string { return filepath.Join(v.dir, name+unborn) }
	builds := map[string]func() error{
		archiveName: func() error { return v.buildArchive(path(archiveName)) },
		shadowName:  func() error { return buildShadow(path(shadowName), e.identity, e.counters) },
		hotName:     func() error { return buildHot(path(hotName), e.counters) },
	}
	for _, name := range fileNames() {
		if !v.bad[name] {
			continue
		}
		if err := errors.Join(builds[name](), syncFile(path(name))); err != nil {
			return nil, fmt.Errorf("build %s anew: %w", name, err)
		}
	}
	if !v.bad[archiveName] {
		if err := v.complete(); err != nil {
			return nil, fmt.Errorf("complete %s: %w", archiveName, err)
		}
	}
	for _, name := range fileNames() {
		if !v.bad[name] {
			continue
		}
		aside, err := replace(v.dir, name, v.now, e.counters.Boot)
		if err != nil {
			return kept, err
		}
		if aside != "" {
			kept = append(kept, fmt.Sprintf("%s was put aside as %s and built anew", name, aside))
		} else {
			kept = append(kept, name+" was built anew")
		}
	}
	return kept, nil
}

// complete puts what is missing into an archive.db that is sound.
func (v *salvage) complete() error {
	if len(v.rest) == 0 {
		return nil
	}
	a, err := openArchive(filepath.Join(v.dir, archiveName), false, false)
	if err != nil {
		return err
	}
	if err = a.reserve(archiveMust); err == nil {
		err = v.fill(a)
	}
	return errors.Join(err, a.close())
}

// account says what became of the transactions: which are owed again, which are only known from an older version, which
// are lost.
func (v *salvage) account() {
	const mostNamed = 200
	e, older, named := v.evidence, 0, 0
	for _, id := range v.rest {
		w := e.records[id]
		switch {
		case w.state.Owes() != txn.Nothing && named < mostNamed:
			named++
			v.say("transaction %d: the newest version that can be read is %s, in %s; it is owed", id, w.state, w.file)
		case w.stale:
			older++
		}
	}
	if older > 0 {
		v.say("%d finished transactions were read from pages that nothing leads to any more; they are kept as they were there", older)
	}
	v.say("%d transactions can be read; %d of them were written again to %s", len(e.records), len(v.rest), archiveName)
	next := e.counters.NextID
	if v.passesOver() {
		next -= skipped
		v.say("numbers %d to %d and as many STANs are passed over: what was begun under them last, if anything was, may not be known",
			next, e.counters.NextID-1)
	}
	v.lost(next)
	if c, found := newestClosing(e.closings); found && !c.Step.Over() {
		v.say("the closing of batch %d was in the middle of it (%s); it goes on from there", c.Batch, c.Step)
	}
	v.say("compare the books with the acquirer's before this batch is closed; then: posagent store report -acknowledge")
}

// gaps reports whether there are numbers of which nothing can be read.
func (v *salvage) gaps() bool {
	from := v.evidence.pruned + 1
	for _, id := range slices.Sorted(maps.Keys(v.evidence.records)) {
		if id > from {
			return true
		}
		from = max(from, id+1)
	}
	return from < txn.ID(v.evidence.counters.NextID)
}

// lost names the numbers of which nothing can be read.
func (v *salvage) lost(next uint64) {
	const mostRanges = 100
	from, ranges := v.evidence.pruned+1, 0
	gap := func(to txn.ID) {
		if from >= to {
			return
		}
		if ranges++; ranges <= mostRanges {
			v.say("nothing can be read of transaction%s: lost, or never begun", span(from, to-1))
			for id := from; id < to && id-from < mostRanges; id++ {
				if ref, ok := v.evidence.refs[id]; ok {
					v.say("  transaction %d existed: reference %q, owed: %v", id, ref, v.evidence.listed[id])
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.evidence.records)) {
		gap(id)
		from = max(from, id+1)
	}
	gap(txn.ID(next))
	if ranges > mostRanges {
		v.say("and of %d further ranges of numbers", ranges-mostRanges)
	}
}

func span(from, to txn.ID) string {
	if from == to {
		return fmt.Sprintf(" %d", from)
	}
	return fmt.Sprintf("s %d to %d", from, to)
}
