package simrig

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// remains are what a cut leaves of a store's directory: file contents by name.
type remains map[string][]byte

// What the files of a store are made of (package txnstore, doc.go): pages of bbolt, of which the first two are the metas,
// and blocks of shadow.
const (
	pageBytes   = 4096
	sectorBytes = 512 // what a disk writes whole or not at all
	metaPages   = 2
	hotFile     = "hot.db"
	archiveFile = "archive.db"
	shadowFile  = "shadow"
)

func readRemains(dir string) (remains, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	r := remains{}
	for _, e := range entries {
		if r[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// write lays the files into a new directory. Pages of zeros are left out: reading gives them back.
func (r remains) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, content := range r {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for at := 0; at < len(content); {
		end := at
		for end < len(content) && !zero(content[end:min(end+pageBytes, len(content))]) {
			end = min(end+pageBytes, len(content))
		}
		if end > at {
			if _, err := f.WriteAt(content[at:end], int64(at)); err != nil {
				return err
			}
		}
		at = end
		for at < len(content) && zero(content[at:min(at+pageBytes, len(content))]) {
			at = min(at+pageBytes, len(content))
		}
	}
	return f.Truncate(int64(len(content)))
}

var zeros [pageBytes]byte

func zero(page []byte) bool { return bytes.Equal(page, zeros[:len(page)]) }

// half composes what a power cut inside a call may leave, of what stood there before it and stands there after it. Where
// one call commits to both databases it commits to the archive first, so an unfinished archive means an untouched rest.
//
//	archive.db, hot.db   any part of the new pages behind the old meta; or all of them and any part of the new meta
//	shadow               written beside hot.db: each changed block whole, not at all, in parts, or shorn
//
// Any part is any set of sectors, as the crash prover of cmd/hil has it.
func half(before, after remains, dice *rand.Rand) (remains, string) {
	r := remains{}
	for name, content := range after {
		r[name] = content
	}
	for name := range before {
		if _, there := after[name]; !there || len(before[name]) != len(after[name]) && name != archiveFile {
			return after, "names changed, the call finished"
		}
	}
	archived := !bytes.Equal(before[archiveFile], after[archiveFile])
	hot := !bytes.Equal(before[hotFile], after[hotFile]) || !bytes.Equal(before[shadowFile], after[shadowFile])
	if archived && (!hot || dice.IntN(2) == 0) {
		r[hotFile], r[shadowFile] = before[hotFile], before[shadowFile]
		content, what := halfDatabase(before[archiveFile], after[archiveFile], dice)
		r[archiveFile] = content
		return r, "archive: " + what
	}
	if !hot {
		return after, "nothing to write"
	}
	content, what := halfDatabase(before[hotFile], after[hotFile], dice)
	r[hotFile] = content
	shadow := bytes.Clone(after[shadowFile])
	var parts []string
	for _, block := range changedPages(before[shadowFile], after[shadowFile]) {
		parts = append(parts, tear(shadow, before[shadowFile], block, true, dice))
	}
	r[shadowFile] = shadow
	return r, fmt.Sprintf("hot: %s; shadow: %s", what, strings.Join(parts, " "))
}

// halfBoot is half for the commit in which opening a store counts the boot. A boot that did more than that, because it
// found something to mend, is taken to have come to its end: the order of what it wrote is not known here.
func halfBoot(before, after remains, dice *rand.Rand) (remains, string) {
	if len(before) != len(after) || !bytes.Equal(before[archiveFile], after[archiveFile]) ||
		len(changedPages(before[shadowFile], after[shadowFile])) > 1 {
		return after, "it had mended something"
	}
	return half(before, after, dice)
}

func changedPages(before, after []byte) (pages []int) {
	for at := 0; at < len(after); at += pageBytes {
		end := min(at+pageBytes, len(after))
		if at >= len(before) || end > len(before) || !bytes.Equal(before[at:end], after[at:end]) {
			if at >= len(before) && zero(after[at:end]) {
				continue
			}
			pages = append(pages, at/pageBytes)
		}
	}
	return pages
}

// halfDatabase obeys bbolt's order: the pages are synced before the meta is written. A meta that was torn is either whole
// old, whole new or unreadable; both metas are never written by one commit.
func halfDatabase(before, after []byte, dice *rand.Rand) ([]byte, string) {
	changed := changedPages(before, after)
	content := bytes.Clone(after)
	var data, metas []int
	for _, p := range changed {
		if p < metaPages {
			metas = append(metas, p)
		} else {
			data = append(data, p)
		}
	}
	switch {
	case len(metas) == 0:
		return content, "unchanged"
	case len(metas) == metaPages:
		return content, "two commits, both finished"
	}
	what := []string{}
	if dice.IntN(3) == 0 { // the pages are there, the meta is being written
		what = append(what, "pages whole", "meta "+tear(content, before, metas[0], true, dice))
	} else {
		copy(content[metas[0]*pageBytes:], before[metas[0]*pageBytes:(metas[0]+1)*pageBytes])
		what = append(what, "meta old")
		for _, p := range data {
			what = append(what, fmt.Sprintf("page %d %s", p, tear(content, before, p, false, dice)))
		}
	}
	return content, strings.Join(what, ", ")
}

// tear leaves a page of content as it is, puts back the old one, mixes their sectors, or, where it may be shorn, makes it
// zeros or noise.
func tear(content, before []byte, page int, shorn bool, dice *rand.Rand) string {
	at := page * pageBytes
	now := content[at:min(at+pageBytes, len(content))]
	var old []byte
	if at < len(before) {
		old = before[at:min(at+pageBytes, len(before))]
	}
	switch choice := dice.IntN(8); {
	case choice < 2:
		return "new"
	case choice < 4:
		clear(now)
		copy(now, old)
		return "old"
	case choice == 4 && shorn:
		clear(now)
		return "zeros"
	case choice == 5 && shorn:
		for i := range now {
			now[i] = byte(dice.Uint32())
		}
		return "noise"
	default:
		mask := dice.Uint32()
		for s := 0; s*sectorBytes < len(now); s++ {
			if mask>>s&1 == 1 {
				continue
			}
			sector := now[s*sectorBytes : min((s+1)*sectorBytes, len(now))]
			clear(sector)
			if s*sectorBytes < len(old) {
				copy(sector, old[s*sectorBytes:])
			}
		}
		return "torn"
	}
}
