package simrig

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
)

// half composes what a power cut inside a call may leave, of what stood there before it and stands there after it. Where
// one call commits to both databases it commits to the archive first, so an unfinished archive means an untouched rest.
//
//	archive.db, hot.db   any part of the new pages behind the old meta; or all of them and any part of the new meta
//	shadow               written beside hot.db: each changed block whole, not at all, in parts, or shorn
//
// Any part is any set of sectors, as the crash prover of cmd/hil has it.
func half(before, after remains, dice *rand.Rand) (remains, string) {
	r := maps.Clone(after)
	for name := range before {
		if _, there := after[name]; !there || before[name].size != after[name].size && name != archiveFile {
			return after, "names changed, the call finished"
		}
	}
	archived := !before[archiveFile].equal(after[archiveFile])
	hot := !before[hotFile].equal(after[hotFile]) || !before[shadowFile].equal(after[shadowFile])
	if archived && (!hot || dice.IntN(2) == 0) {
		r[hotFile], r[shadowFile] = before[hotFile], before[shadowFile]
		torn, what := halfDatabase(before[archiveFile].bytes, after[archiveFile].bytes, dice)
		r[archiveFile] = content{torn, after[archiveFile].size}
		return r, "archive: " + what
	}
	if !hot {
		return halfDownload(before, after, dice)
	}
	torn, what := halfDatabase(before[hotFile].bytes, after[hotFile].bytes, dice)
	r[hotFile] = content{torn, after[hotFile].size}
	shadow := bytes.Clone(after[shadowFile].bytes)
	var parts []string
	for _, block := range changedPages(before[shadowFile].bytes, shadow) {
		parts = append(parts, tear(shadow, before[shadowFile].bytes, block, true, dice))
	}
	r[shadowFile] = content{shadow, after[shadowFile].size}
	return r, fmt.Sprintf("hot: %s; shadow: %s", what, strings.Join(parts, " "))
}

// halfBoot is half for the commit in which opening a store counts the boot. A boot that did more than that, because it
// found something to mend, is taken to have come to its end: the order of what it wrote is not known here.
func halfBoot(before, after remains, dice *rand.Rand) (remains, string) {
	if len(before) != len(after) || !before[archiveFile].equal(after[archiveFile]) ||
		len(changedPages(before[shadowFile].bytes, after[shadowFile].bytes)) > 1 {
		return after, "it had mended something"
	}
	return half(before, after, dice)
}

// changedPages compares two contents; what one of them lacks at its end is zeros.
func changedPages(before, after []byte) (pages []int) {
	part := func(b []byte, at int) []byte { return b[min(at, len(b)):min(at+pageBytes, len(b))] }
	for at := 0; at < max(len(before), len(after)); at += pageBytes {
		old, now := part(before, at), part(after, at)
		n := min(len(old), len(now))
		if !bytes.Equal(old[:n], now[:n]) || !zero(old[n:]) || !zero(now[n:]) {
			pages = append(pages, at/pageBytes)
		}
	}
	return pages
}

// halfDatabase obeys bbolt's order: the pages are synced before the meta is written. A meta that was torn is either whole
// old, whole new or unreadable; both metas are never written by one commit.
func halfDatabase(before, after []byte, dice *rand.Rand) ([]byte, string) {
	changed := changedPages(before, after)
	torn := append(bytes.Clone(after), make([]byte, max(0, len(before)-len(after)))...)
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
		return torn, "unchanged"
	case len(metas) == metaPages:
		return torn, "two commits, both finished"
	}
	what := []string{}
	if dice.IntN(3) == 0 { // the pages are there, the meta is being written
		what = append(what, "pages whole", "meta "+tear(torn, before, metas[0], true, dice))
	} else {
		copy(torn[metas[0]*pageBytes:], before[metas[0]*pageBytes:(metas[0]+1)*pageBytes])
		what = append(what, "meta old")
		for _, p := range data {
			what = append(what, fmt.Sprintf("page %d %s", p, tear(torn, before, p, false, dice)))
		}
	}
	return torn, strings.Join(what, ", ")
}

// tear leaves a page as it is, puts back the old one, mixes their sectors, or, where it may be shorn, makes it
// zeros or noise.
func tear(torn, before []byte, page int, shorn bool, dice *rand.Rand) string {
	at := page * pageBytes
	now := torn[at:min(at+pageBytes, len(torn))]
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
