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

// evidence is everything that the files of a damaged store still say. It is found by frames with a good checksum, wherever
// they stand: in pages that the root reaches, in pages that were given up and not written over yet, in blocks of shadow.
type evidence struct {
	codec    *codec
	records  map[txn.ID]witness // the newest version of each
	counters counters           // the highest of all
	identity identity
	known    bool // the identity was found and fits
	opened   int  // records that the key opened
	foreign  error
	refs     map[txn.ID]string // references by number, as the index of archive.db had them
	codes    map[txn.ID]string // and keys of payment codes
	listed   map[txn.ID]bool   // numbers that an index calls owed
	files    map[string]*os.File
	pruned   txn.ID // the highest number that was removed on purpose
	archived uint64 // commits of archive.db that anything speaks of
	closings map[uint32]txn.Closing
	numbered bool // the counters of hot.db can be read
}

// removed reports whether a record that no root leads to any more was pruned, rather than lost.
func (e *evidence) removed(id txn.ID, w witness) bool {
	return w.stale && id <= e.pruned && w.state.Owes() == txn.Nothing
}

// witness says where a version of a record stands. Records are read again when they are needed: fifty thousand of them
// are kept as places, not as records.
type witness struct {
	gen, boot uint32
	state     txn.State
	stale     bool // in a page that the root of its file does not reach
	file      string
	at        int64
	size      int
}

// beats prefers the later version, and between two of the same, which only a commit that never ended can leave, the one
// of the later boot and then the one that its file stands by.
func (w witness) beats(o witness) bool {
	switch {
	case w.gen != o.gen:
		return w.gen > o.gen
	case w.boot != o.boot:
		return w.boot > o.boot
	default:
		return o.stale && !w.stale
	}
}

// gather reads all files in dir. For one that is missing its newest copy put aside is read: the power may have gone
// between putting it aside and replacing it.
func gather(dir string, c *codec) (*evidence, error) {
	e := &evidence{codec: c, records: map[txn.ID]witness{}, counters: newCounters(c.seals.terminal),
		refs: map[txn.ID]string{}, codes: map[txn.ID]string{}, listed: map[txn.ID]bool{}, closings: map[uint32]txn.Closing{}, files: map[string]*os.File{}}
	for _, name := range fileNames() {
		path, err := sourceOf(dir, name)
		if err == nil && path != "" {
			err = e.read(path, name)
		}
		if err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

func sourceOf(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	aside, err := filepath.Glob(path + asideMark + "*")
	if err != nil || len(aside) == 0 {
		return "", err
	}
	return slices.Max(aside), nil
}

func (e *evidence) close() {
	for _, f := range e.files {
		_ = f.Close()
	}
}

func (e *evidence) read(path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("salvage %s: %w", name, err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("salvage %s: %w", name, err)
	}
	e.files[name] = f
	file := boltFile{f, min(info.Size(), maxBoltFile)}
	reached := func(uint64) bool { return true } // of shadow every block counts
	if name != shadowName {
		reached = e.walk(file, name)
	}
	for page := range (file.size + pageSize - 1) / pageSize {
		raw := make([]byte, min(pageSize, file.size-page*pageSize))
		if file.readAt(raw, page*pageSize) == nil { // a page that the disk does not give back holds no evidence
			e.scan(name, page*pageSize, raw, !reached(uint64(page)))
		}
	}
	return nil
}

// walk follows the better root as far as it leads, and takes down the indexes on the way. Where the roots of archive.db
// are lost, or lead to a page that was never written, the newest of its root leaves counts.
func (e *evidence) walk(file boltFile, name string) (reached func(uint64) bool) {
	meta, _, ok := file.current()
	if name == archiveName && (!ok || misled(file, meta)) {
		if best, found := bestRoot(file); found {
			meta = best
		}
	}
	if meta.pages == 0 {
		return func(uint64) bool { return false }
	}
	w := walk{file: file, meta: meta, visit: func(x visited) {
		switch {
		case name != archiveName:
		case bytes.Equal(x.bucket, refBucket) && len(x.key) <= txn.MaxReference:
			if id, err := keyID(x.value); err == nil {
				if isCodeKey(x.key) {
					e.codes[id] = string(x.key)
				} else {
					e.refs[id] = string(x.key)
				}
			}
		case bytes.Equal(x.bucket, metaBucket) && bytes.Equal(x.key, prunedKey):
			if id, err := keyID(x.value); err == nil {
				e.pruned = id
			}
		case bytes.Equal(x.bucket, owedBucket):
			if id, err := keyID(x.key); err == nil {
				e.listed[id] = true
			}
		}
	}}
	w.run()
	e.archived = max(e.archived, w.marks[string(metaBucket)]>>32, w.marks[string(counterBucket)]&(1<<32-1))
	return w.reached
}

// scan looks for frames at every byte of a page. A checksum of 32 bits and, in a record, a seal of 128 keep anything else
// from being taken for one.
func (e *evidence) scan(name string, at int64, raw []byte, stale bool) {
	for from := 0; ; {
		n := bytes.Index(raw[from:], []byte(frameMagic))
		if n < 0 || len(raw)-from-n < frameOverhead {
			return
		}
		from += n
		kind := frameKind(raw[from+2])
		payload, rest, err := cutFrame(kind, raw[from:])
		if err != nil {
			from += len(frameMagic)
			continue
		}
		frame := raw[from : len(raw)-len(rest)]
		switch kind {
		case recordFrame:
			e.record(frame, witness{stale: stale, file: name, at: at + int64(from), size: len(frame)})
		case countersFrame:
			if count, err := readCounters(payload); err == nil {
				e.count(count)
				e.numbered = e.numbered || name == hotName && !stale
			}
		case closingFrame:
			if c, err := openClosing(frame); err == nil && c.Terminal == e.codec.seals.terminal && c.Gen > e.closings[c.Batch].Gen {
				e.closings[c.Batch] = c
			}
		case identityFrame:
			e.identify(frame)
		}
		from += len(frame)
	}
}

func (e *evidence) record(frame []byte, w witness) {
	r, err := e.codec.decode(frame)
	switch {
	case errors.Is(err, ErrOtherTerminal), errors.Is(err, ErrSealed):
		if e.foreign == nil {
			e.foreign = err
		}
		return
	case err != nil:
		return
	}
	e.opened++
	w.gen, w.boot, w.state = r.Gen, r.EndBoot, r.State
	if old, ok := e.records[r.ID]; !ok || w.beats(old) {
		e.records[r.ID] = w
	}
	e.counters = e.counters.past(&r.Txn)
}

func (e *evidence) count(c counters) {
	if c.Terminal != e.codec.seals.terminal {
		e.foreign = otherTerminal(c.Terminal, e.codec.seals.terminal)
		return
	}
	e.counters = e.counters.raised(c)
}

func (e *evidence) identify(frame []byte) {
	id, err := openIdentity(frame)
	if err != nil {
		return
	}
	if err := id.check(e.codec.seals); err != nil {
		e.foreign = err
		return
	}
	e.identity, e.known = id, true
}

// owner refuses what belongs to another terminal or key, and what nobody can say the owner of. A record that the key
// opens proves as much as the identity does.
func (e *evidence) owner(dir string) error {
	switch {
	case e.foreign != nil && (!e.known || errors.Is(e.foreign, ErrOtherTerminal) || errors.Is(e.foreign, ErrNewer)):
		return e.foreign
	case !e.known && e.opened == 0:
		return damaged(dir, "holds nothing that says whose store this is")
	case !e.known:
		e.identity = identity{e.codec.seals.terminal, e.codec.seals.keyCheck(), schema}
	}
	return nil
}

// load reads the record of a witness again.
func (e *evidence) load(w witness) (entry, error) {
	frame := make([]byte, w.size)
	if _, err := e.files[w.file].ReadAt(frame, w.at); err != nil {
		return entry{}, fmt.Errorf("salvage %s: %w", w.file, err)
	}
	r, err := e.codec.decode(frame)
	return entry{r, frame}, err
}
