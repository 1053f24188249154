package txnstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"posagent/txnstore/txn"
)

// bbolt trusts its file: on a damaged one it panics, some of it in a goroutine of its own, loops, or dies by SIGBUS. So
// the verifier looks first, with pread and nothing else, and bbolt is given no file that it calls damaged.
//
// What is looked at when:
//
//	                    hot.db, shadow     archive.db
//	Open, View          everything         roots, length, every page that leads to another, free pages, the lists of
//	                                       what is owed, first and last page of the records and of the references
//	Check; Open after   everything         everything
//	a sign of damage
//
// The pages of archive.db that hold finished records grow with the years, and reading all of them at every start would
// make the start grow too (50,000 records are 30 MB). What leads to them is about a hundredth of that. A leaf is looked at when
// it is read, and every record has its checksum; a page found bad then makes the next Open look at everything (suspect).

// Verdict is what can be said of a file without opening it.
type Verdict int

const (
	Healthy    Verdict = iota
	Repairable         // sound as a database; a value or one of two roots is bad, and the next Open mends or reports it
	Damaged            // bbolt must not see it; the next Open puts it aside and builds it anew from what can be read
)

// String is the verdict in a word.
func (v Verdict) String() string {
	switch v {
	case Healthy:
		return "healthy"
	case Repairable:
		return "repairable"
	default:
		return "damaged"
	}
}

// Finding is one thing wrong, with its place.
type Finding struct {
	File    string
	Page    uint64 // of 4096 bytes, from 0
	Offset  int    // in the page
	Verdict Verdict
	What    string
}

// String is a finding in a line.
func (f Finding) String() string {
	return fmt.Sprintf("%s, page %d, offset %d: %s", f.File, f.Page, f.Offset, f.What)
}

// Health is the verdict on one file. Findings are at most a few dozen; where there are more, the first ones are named.
type Health struct {
	File     string
	Verdict  Verdict
	Findings []Finding
	Records  int // met and readable; of archive.db only when everything was read
	missing  bool
	number   uint64 // of the newest commit of archive.db, 0 where it is not known
	heard    uint64 // the same, as hot.db has it
}

func (h *Health) add(v Verdict, faults ...*fault) {
	for _, f := range faults {
		if h.Verdict = max(h.Verdict, v); len(h.Findings) < maxFaults {
			h.Findings = append(h.Findings, Finding{h.File, f.page, f.offset, v, f.what})
		}
	}
}

// err is the verdict as an error; the first finding says it.
func (h Health) err() error {
	return fmt.Errorf("%w: %s; the agent's next start puts it aside and builds it anew from the other files: posagent store check says more",
		ErrDamaged, h.Findings[0])
}

// Check looks at everything in a store that no agent has open, and changes nothing.
//
// Errors: ErrLocked; fs.ErrNotExist when no terminal has traded here; anything else is the system's. What is wrong with
// the files is no error.
func Check(dir string, o *Options) ([]Health, error) {
	c, err := o.check()
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir, false)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	health, err := examined(dir, true, c, c)
	if err == nil && !slices.ContainsFunc(health, func(h Health) bool { return !h.missing }) {
		return nil, fmt.Errorf("no store in %s: %w", dir, fs.ErrNotExist)
	}
	return health, err
}

// examined is verifyAll, and a look at what archive.db was given last.
func examined(dir string, whole bool, values, c *codec) ([]Health, error) {
	health, err := verifyAll(dir, whole, values)
	for i := range health {
		if h := &health[i]; h.File == archiveName && h.Verdict != Damaged {
			if f := missed(dir); f != nil {
				h.add(Damaged, f)
			}
		}
	}
	return health, err
}

// verifyAll looks at the three files in the order of their birth. Without a codec it looks at structure only.
func verifyAll(dir string, whole bool, c *codec) (all []Health, err error) {
	for _, name := range fileNames() {
		h, err := verify(filepath.Join(dir, name), whole, c)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	behind(all)
	return all, nil
}

// verify looks at one file, whose name says what it must be. The error is the system's; a file that is missing or that
// the disk does not give back is a finding.
func verify(path string, whole bool, c *codec) (Health, error) {
	h := Health{File: filepath.Base(path)}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		h.missing = true
		h.add(Damaged, &fault{0, 0, "the file is missing"})
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("look at %s: %w", h.File, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return h, fmt.Errorf("look at %s: %w", h.File, err)
	}
	if !info.Mode().IsRegular() {
		h.add(Damaged, &fault{0, 0, "is not a file"})
		return h, nil
	}
	verifyFile(&h, boltFile{f, info.Size()}, whole, c)
	return h, nil
}

// verifyFile is verify for bytes from anywhere.
func verifyFile(h *Health, b boltFile, whole bool, c *codec) {
	size := map[string]int64{hotName: hotSize, archiveName: archiveStep, shadowName: shadowSize}[h.File]
	switch {
	case b.size == 0:
		h.add(Damaged, &fault{0, 0, "the file has no content"})
	case b.size < size || h.File != archiveName && b.size != size || b.size > maxBoltFile:
		h.add(Damaged, &fault{uint64(b.size / pageSize), 0, fmt.Sprintf("the file has %d bytes where %d were written", b.size, size)})
	case h.File == shadowName:
		verifyShadow(h, b, c)
	default:
		verifyBolt(h, b, whole || h.File == hotName, c)
	}
}

func verifyBolt(h *Health, b boltFile, whole bool, c *codec) {
	meta, faults, ok := b.current()
	if !ok {
		h.add(Damaged, faults...)
		return
	}
	h.add(Repairable, faults...)
	values := &valueCheck{health: h, codec: c, whole: whole, ids: map[txn.ID]bool{}}
	w := walk{file: b, meta: meta}
	buckets := [][]byte{counterBucket}
	if h.File == archiveName {
		buckets = archiveBuckets()
		if !whole {
			w.brief = [][]byte{txnBucket, refBucket}
		}
		if meta.freelist == noFreelist {
			h.add(Damaged, &fault{meta.commit % 2, 48, "the list of free pages is missing"})
		}
	} else {
		for i := range hotSlots {
			buckets = append(buckets, slotBucket(i))
		}
	}
	names := nameCheck{map[string]txn.ID{}, map[string]mention{}}
	w.visit = func(x visited) {
		if whole && h.File == archiveName {
			names.see(x)
		}
		if what := misplaced(h.File, x); what != "" {
			h.add(Damaged, &fault{x.page, x.offset, what})
		} else if c != nil {
			values.value(x)
		}
	}
	w.run()
	h.add(Damaged, w.faults...)
	own, heard := w.marks[string(metaBucket)], w.marks[string(counterBucket)] // archive.db has the one, hot.db the other
	h.number, h.heard = own>>32, heard&(1<<32-1)
	if f := stamped(meta, uint32(own)|uint32(heard>>32)); f != nil {
		h.add(Damaged, f)
	}
	for _, name := range buckets {
		if !slices.ContainsFunc(w.names, func(n []byte) bool { return bytes.Equal(n, name) }) {
			h.add(Damaged, &fault{meta.root, 0, fmt.Sprintf("bucket %q is missing", name)})
		}
	}
	values.finish()
	names.finish(h)
}

// nameCheck holds the references and payment codes that records have against their index, without a key. One that leads elsewhere would answer
// a repeated request with somebody else's sale.
type nameCheck struct {
	records map[string]txn.ID
	index   map[string]mention
}

func (n nameCheck) see(x visited) {
	switch string(x.bucket) {
	case string(refBucket):
		if id, err := keyID(x.value); err == nil {
			n.index[string(x.key)] = mention{id, fault{x.page, x.offset, "a reference or a payment code leads to another transaction than its own"}}
		}
	case string(txnBucket):
		id, err := keyID(x.key)
		if g, code, bad := glanceAt(x.value); err == nil && bad == nil && g.reference != "" {
			n.records[g.reference] = id
			if code != "" {
				n.records[code] = id
			}
		}
	}
}

func (n nameCheck) finish(h *Health) {
	for reference, id := range n.records {
		switch at, listed := n.index[reference]; {
		case !listed:
			h.add(Damaged, &fault{0, 0, fmt.Sprintf("the reference or the payment code of transaction %d is in no index", id)})
		case at.id != id:
			h.add(Damaged, &at.fault)
		}
	}
}

// misplaced says what is wrong with a key: nothing would be found under it, and nobody would miss it.
func misplaced(file string, x visited) string {
	bucket, n, want := string(x.bucket), len(x.key), 8
	switch {
	case file == hotName && bucket == string(counterBucket):
		n, want = bytes.Compare(x.key, counterKey), 0
	case file == hotName:
		n, want = bytes.Compare(x.key, slotKey), 0
	case bucket == string(refBucket):
		n = len(x.value)
	case bucket == string(totalBucket) && isTotalKey(x.key):
		return ""
	case bucket == string(totalBucket):
		n = -1
	case bucket == string(metaBucket):
		return ""
	}
	if n == want {
		return ""
	}
	return fmt.Sprintf("bucket %q holds a key that was never written", x.bucket)
}

// verifyShadow looks at each block. A bad one costs nothing: the version before it or hot.db counts.
func verifyShadow(h *Health, b boltFile, c *codec) {
	raw, room := make([]byte, pageSize), record{}
	for n := range shadowBlocks {
		err := b.readAt(raw, int64(n)*pageSize)
		var blk block
		if err == nil {
			blk, err = openBlock(n, raw)
		}
		if err == nil && c != nil && n != identityBlock && len(blk.frame) > 0 {
			if err = c.decodeInto(&room, blk.frame); err == nil {
				h.Records++
			}
		}
		if err != nil && (n == identityBlock || !errors.Is(err, errEmptyBlock)) {
			h.add(Repairable, &fault{uint64(n), 0, "the block cannot be read: " + err.Error()})
		}
	}
}

// valueCheck judges values: frames, what is in them, and whether keys and indexes agree with the records.
type valueCheck struct {
	health *Health
	codec  *codec
	whole  bool
	ids    map[txn.ID]bool
	named  []mention
	room   record // of the one that was judged last
}

// mention is a line of an index that names a record.
type mention struct {
	id txn.ID
	fault
}

func (v *valueCheck) value(x visited) {
	var err error
	switch bucket := string(x.bucket); {
	case v.health.File == hotName && bucket == string(counterBucket), bucket == string(metaBucket) && string(x.key) == string(countersKey):
		_, err = openCounters(x.value)
	case bucket == string(metaBucket) && string(x.key) == string(recentKey):
		_, err = openRecent(x.value)
	case bucket == string(metaBucket) && string(x.key) == string(prunedKey):
		_, err = keyID(x.value)
	case bucket == string(metaBucket) && isClosingKey(x.key):
		_, err = openClosing(x.value)
	case bucket == string(totalBucket):
		_, err = openTotal(x.key, x.value)
	case bucket == string(metaBucket):
		_, err = openIdentity(x.value)
	case v.health.File == hotName:
		err = v.codec.decodeInto(&v.room, x.value)
		v.count(err)
	case bucket == string(txnBucket):
		var id txn.ID
		if id, err = keyID(x.key); err == nil {
			v.ids[id] = true
			err = decodeArchivedInto(&v.room, v.codec, id, x.value)
			v.count(err)
		}
	case bucket == string(refBucket):
		err = v.mention(x, x.value)
	default:
		err = v.mention(x, x.key)
	}
	if err != nil {
		v.health.add(Repairable, &fault{x.page, x.offset, err.Error()})
	}
}

func (v *valueCheck) count(err error) {
	if err == nil {
		v.health.Records++
	}
}

func (v *valueCheck) mention(x visited, key []byte) error {
	id, err := keyID(key)
	if err == nil && v.whole {
		v.named = append(v.named, mention{id, fault{x.page, x.offset, fmt.Sprintf("%s names transaction %d, which is not there", x.bucket, id)}})
	}
	return err
}

// finish compares the indexes with the records, once both have been met.
func (v *valueCheck) finish() {
	for _, m := range v.named {
		if !v.ids[m.id] {
			v.health.add(Repairable, &m.fault)
		}
	}
}
